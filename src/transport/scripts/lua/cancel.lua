-- KEYS[1] job, KEYS[2] event stream
-- ARGV queue prefix, job id, by, reason, control channel
-- Answers {outcome, run}: done (it was not running and is cancelled now), requested (a worker was told), too_late, missing.
local jobKey, events, prefix, id, by, reason = KEYS[1], KEYS[2], ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local job = rcall('HMGET', jobKey, 'name', 'run', 'cr', 'deid', 'ats', 'parentKey')
local run = tonumber(job[2]) or 1
if not job[1] then return {'missing', run} end
if rcall('ZSCORE', prefix .. 'completed', id) or rcall('ZSCORE', prefix .. 'failed', id) then return {'too_late', run} end
local t = rcall('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local request = job[3] or cjson.encode({at = now, by = by, reason = reason})
local running = rcall('EXISTS', jobKey .. ':lock') == 1 or rcall('LPOS', prefix .. 'active', id)
if running then
  if not job[3] then
    rcall('HSET', jobKey, 'cr', request)
    qd.note(events, id, 'cancel-requested', 'by', by, 'reason', reason, 'ats', job[5] or 0, 'run', run)
  end
  local _, queue = qd.split(prefix)
  rcall('PUBLISH', ARGV[5], cjson.encode({kind = 'cancel', queue = queue, jobId = id, run = run}))
  return {'requested', run}
end
local prev, due = 'unknown', rcall('ZSCORE', prefix .. 'delayed', id)
if rcall('ZREM', prefix .. 'delayed', id) == 1 then prev = tonumber(due) < gate.far and 'delayed' or 'waiting'
elseif rcall('ZREM', prefix .. 'prioritized', id) == 1 then prev = 'prioritized'
elseif rcall('ZREM', prefix .. 'waiting-children', id) == 1 then prev = 'waiting-children'
elseif rcall('LREM', prefix .. 'wait', 1, id) == 1 then prev = 'waiting'
elseif rcall('LREM', prefix .. 'paused', 1, id) == 1 then prev = 'paused' end
if job[6] and prev ~= 'waiting-children' then
  -- A child in another producer's flow: what becomes of its parent is BullMQ's to decide, when a worker ends the child without running it.
  rcall('HSET', jobKey, 'cr', request, 'defa', '[CANCELLED] ' .. reason, 'delay', 0)
  rcall('RPUSH', prefix .. 'wait', id)
  if rcall('HEXISTS', prefix .. 'meta', 'paused') == 0 then rcall('ZADD', prefix .. 'marker', 0, '0') end
  qd.note(events, id, 'cancel-requested', 'by', by, 'reason', reason, 'ats', job[5] or 0, 'run', run)
  return {'requested', run}
end
if job[4] and rcall('GET', prefix .. 'de:' .. job[4]) == id then rcall('DEL', prefix .. 'de:' .. job[4], prefix .. 'dn:' .. job[4]) end
rcall('ZADD', prefix .. 'failed', now, id)
rcall('HSET', jobKey, 'cr', request, 'failedReason', '[CANCELLED] ' .. reason, 'finishedOn', now, 'delay', 0)
qd.note(events, id, 'cancelled', 'by', by, 'reason', reason, 'prev', prev, 'run', run)
return {'done', run}
