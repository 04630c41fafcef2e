-- KEYS[1] job, KEYS[2] event stream
-- ARGV queue prefix, job id, by, reason, control channel
-- Answers {outcome, run}: done (it was not running and is cancelled now), requested (a worker was told), too_late, missing, foreign (it runs in
-- a worker that hears of no cancellations: its token is not made as ours are, `<host>:<pid>:<8 hex digits>:<number>`).
local jobKey, events, prefix, id, by, reason = KEYS[1], KEYS[2], ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local job = rcall('HMGET', jobKey, 'name', 'run', 'cr', 'ats')
local run = tonumber(job[2]) or 1
if not job[1] then return {'missing', run} end
if rcall('ZSCORE', prefix .. 'completed', id) or rcall('ZSCORE', prefix .. 'failed', id) then return {'too_late', run} end
local token = rcall('GET', jobKey .. ':lock')
if token and not string.match(token, ':%d+:%x%x%x%x%x%x%x%x:%d+$') then return {'foreign', run} end
if token or rcall('LPOS', prefix .. 'active', id) then
  if not job[3] then
    rcall('HSET', jobKey, 'cr', cjson.encode({at = qd.now(), by = by, reason = reason}))
    qd.note(events, id, 'cancel-requested', 'by', by, 'reason', reason, 'ats', job[4] or 0, 'run', run)
  end
  local _, queue = qd.split(prefix)
  rcall('PUBLISH', ARGV[5], cjson.encode({kind = 'cancel', queue = queue, jobId = id, run = run}))
  return {'requested', run}
end
return {qd.cancelWaiting(prefix, id, by, reason), run}
