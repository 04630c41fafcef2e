-- In front of every script: appends what a record needs to the queue's event stream, in the same atomic call as the change itself.
-- `rcall` is redis.call, CAP the length at which a stream that nobody mirrors is cut. `qd` is ours alone: BullMQ has no such name.
-- A delayed job with a score from `far` to `farthest` is parked: a limit holds it back. That is place for 10^12 of them, two apart. Elsewhere
-- stands what has to wait for its moment: before, and behind where another producer delays beyond May 2047.
local qd = { large = 65536, far = 1e16, farthest = 1.0002e16 }

-- Whether a job is parked, from its score among the delayed (nil or false where it is not there).
function qd.isParked(score)
  local at = tonumber(score or nil)
  return at ~= nil and at >= qd.far and at <= qd.farthest
end

-- `{prefix}:mail:` gives `{prefix}` and `mail`; queue names have no colon.
function qd.split(queuePrefix)
  return string.match(queuePrefix, '^(.*):([^:]*):$')
end

-- Enters the queue into the set of known queues. Called for the first job of a queue and for each thousandth after it, so an emptied
-- Redis knows its queues again as soon as they are used.
function qd.register(queuePrefix, counter)
  if counter % 1000 == 1 then
    local base, name = qd.split(queuePrefix)
    if base then rcall('SADD', base .. '~queues', name) end
  end
end

-- Appends an entry of one job and stores its id in the job's hash, which tells reconcile what the record must have reached.
function qd.note(events, id, event, ...)
  local eid = rcall('XADD', events, '*', 'event', event, 'jobId', id, ...)
  rcall('HSET', string.sub(events, 1, -7) .. id, 'eid', eid)
  return eid
end

-- A new job runs an ended one again, which Redis may have forgotten: its record is told by the stream alone.
function qd.ranAgain(events, id, again, by)
  local base = type(again) == 'table' and type(again.queue) == 'string' and type(again.id) == 'string' and qd.split(string.sub(events, 1, -7))
  if not base then return end
  rcall('XADD', base .. ':' .. again.queue .. ':events', '*', 'event', 'run-again', 'jobId', again.id, 'job', id, 'by', by or '')
end

-- `at` is what the producer's clock said. The caller stores the id that this returns together with the hash's other fields.
function qd.added(events, id, name, data, json, opts, at)
  local own = opts.qd
  local by = own and own.by
  if own and own.again then qd.ranAgain(events, id, own.again, by) end
  if #data + #json > qd.large then
    if by then return rcall('XADD', events, 'MAXLEN', '~', CAP, '*', 'event', 'added', 'jobId', id, 'name', name, 'by', by) end
    return rcall('XADD', events, 'MAXLEN', '~', CAP, '*', 'event', 'added', 'jobId', id, 'name', name)
  end
  if by then
    return rcall('XADD', events, 'MAXLEN', '~', CAP, '*', 'event', 'added', 'jobId', id, 'name', name, 'data', data, 'opts', json, 'at', at, 'by', by)
  end
  return rcall('XADD', events, 'MAXLEN', '~', CAP, '*', 'event', 'added', 'jobId', id, 'name', name, 'data', data, 'opts', json, 'at', at)
end

-- What a worker says of itself: packed, as BullMQ does it, or in lines: `qd`, its token, its name, the length of its leases (ms). Such a worker
-- is ours: it keeps what has ended, and reads of a job what it needs.
local kept = { count = -1 }
function qd.options(text)
  local token, name, lease = string.match(text, '^qd\n([^\n]*)\n([^\n]*)\n(%d+)$')
  if not token then return cmsgpack.unpack(text) end
  return { token = token, name = name, lockDuration = lease, keepJobs = kept, maxMetricsSize = '', ours = true }
end

-- Error and stack of the attempt that ends in this call, from the fields that BullMQ is about to store. Our backend has cut the list to the
-- last stack; a list that cannot be read is shown as it is.
function qd.failure(fields)
  if not fields or #fields == 0 then return nil, '' end
  local list, reason, stack = cmsgpack.unpack(fields), nil, ''
  for i = 1, #list, 2 do
    if list[i] == 'failedReason' then reason = list[i + 1] elseif list[i] == 'stacktrace' then stack = list[i + 1] end
  end
  if type(stack) ~= 'string' then stack = '' end
  local ok, stacks = pcall(cjson.decode, stack)
  if ok and type(stacks) == 'table' then stack = stacks[#stacks] or '' end
  return type(reason) == 'string' and reason or nil, stack
end

-- An attempt ended without ending the job. Without a failure it was handed back.
function qd.left(events, id, ats, fields, event, key, value)
  local reason, stack = qd.failure(fields)
  if not reason then return qd.note(events, id, event, key, value, 'ats', ats or 0) end
  return qd.note(events, id, event, key, value, 'ats', ats or 0, 'err', reason, 'stack', stack)
end

function qd.finished(events, id, event, field, value, ats, fields, cancelled)
  if event == 'completed' then
    if #value > qd.large then return rcall('XADD', events, '*', 'event', event, 'jobId', id, 'ats', ats or 0, 'big', 1) end
    return rcall('XADD', events, '*', 'event', event, 'jobId', id, field, value, 'ats', ats or 0)
  end
  local _, stack = qd.failure(fields)
  if cancelled then
    return rcall('XADD', events, '*', 'event', event, 'jobId', id, field, value, 'ats', ats or 0, 'stack', stack, 'cancelled', 1)
  end
  return rcall('XADD', events, '*', 'event', event, 'jobId', id, field, value, 'ats', ats or 0, 'stack', stack)
end

function qd.removed(queuePrefix, id)
  rcall('XADD', queuePrefix .. 'events', '*', 'event', 'removed', 'jobId', id)
end

-- Unique jobs. `<base>~unique` is a hash: what is held (`<type>\n<key>`) by whom: `s` (until it has started) or `f` (until it has ended) and the
-- job's key. What is held for a time is a key of its own, `<base>~unique:<type>\n<key>`, and runs out. The job itself says whether it still
-- holds: one that is gone, however it went, holds nothing.
function qd.holds(held)
  local job = rcall('HMGET', string.sub(held, 2), 'name', 'finishedOn', 'ats')
  return job[1] and not job[2] and not (string.sub(held, 1, 1) == 's' and job[3])
end

-- `unique` of options, nil where they have none that is one; other producers write what they like.
function qd.uniqueOf(opts)
  local own = type(opts) == 'table' and opts.qd
  local unique = type(own) == 'table' and own.unique
  if type(unique) ~= 'table' or type(unique.key) ~= 'string' then return nil end
  local ends = unique['until']
  local isTime = type(ends) == 'number' and ends >= 1 and ends < 1e15
  return (ends == 'started' or ends == 'finished' or isTime) and unique or nil
end

-- The same from JSON text, with a quick look first.
function qd.uniqueIn(json)
  if not json or not string.find(json, '"unique":', 1, true) then return nil end
  local fine, opts = pcall(cjson.decode, json)
  return fine and qd.uniqueOf(opts) or nil
end

-- A job takes what it has to itself. Answers the key of the job that has it; nil when this one has it now. `again`: an ended job that it runs
-- again, and whose place it takes.
function qd.takeUnique(queuePrefix, id, name, unique, again)
  local base, jobKey, field = qd.split(queuePrefix), queuePrefix .. id, name .. '\n' .. unique.key
  local held = rcall('HGET', base .. '~unique', field)
  if held and not qd.holds(held) then
    rcall('HDEL', base .. '~unique', field)
    held = nil
  end
  local holder = held and string.sub(held, 2) or rcall('GET', base .. '~unique:' .. field)
  local isOwn = holder == jobKey or again and holder == base .. ':' .. again.queue .. ':' .. again.id and not qd.holds('f' .. holder)
  if holder and not isOwn then return holder end
  local ends = unique['until']
  if type(ends) == 'number' then rcall('SET', base .. '~unique:' .. field, jobKey, 'PX', string.format('%d', ends))
  else rcall('HSET', base .. '~unique', field, (ends == 'started' and 's' or 'f') .. jobKey) end
end

-- The job has ended: what it held goes back, so that nothing is left of it.
function qd.freeUnique(jobKey, name, json)
  local unique = qd.uniqueIn(json)
  if not unique or not name then return end
  local base, field = string.match(jobKey, '^(.*):[^:]*:') or '', name .. '\n' .. unique.key
  local held = rcall('HGET', base .. '~unique', field)
  if held and string.sub(held, 2) == jobKey then rcall('HDEL', base .. '~unique', field) end
end

-- A run that is over, or a new one, has no checkpoints (checkpoint.lua).
function qd.forgetCheckpoints(jobKey)
  if rcall('HDEL', jobKey, 'cp') == 0 then return end
  for _, field in ipairs(rcall('HKEYS', jobKey)) do
    if string.sub(field, 1, 2) == 'c:' then rcall('HDEL', jobKey, field) end
  end
end

-- Another tool runs an ended job again: for us that is its next run.
function qd.rerun(events, id, prev)
  local jobKey = string.sub(events, 1, -7) .. id
  local run = (tonumber(rcall('HGET', jobKey, 'run')) or 1) + 1
  local cancelled = rcall('HDEL', jobKey, 'cr') == 1
  rcall('HDEL', jobKey, 'ps')
  rcall('HSET', jobKey, 'run', run)
  qd.forgetCheckpoints(jobKey)
  -- Nobody asked us: when another job has its key, both run.
  local job = rcall('HMGET', jobKey, 'name', 'opts')
  local unique = job[1] and qd.uniqueIn(job[2])
  if unique then qd.takeUnique(string.sub(events, 1, -7), id, job[1], unique) end
  return qd.note(events, id, 'restarted', 'run', run, 'prev', cancelled and 'cancelled' or prev)
end

-- A worker died while its job was told to stop: the job ends here instead of running again.
function qd.stoppedWithWorker(queuePrefix, events, id, jobKey)
  local cr = rcall('HGET', jobKey, 'cr')
  if not cr then return false end
  local now, reason = qd.now(), '[CANCELLED] its worker was lost while it was stopping'
  rcall('ZADD', queuePrefix .. 'failed', now, id)
  rcall('HDEL', jobKey, 'defa')
  local eid = qd.finished(events, id, 'failed', 'failedReason', reason, rcall('HGET', jobKey, 'ats'), nil, true)
  rcall('HSET', jobKey, 'failedReason', reason, 'finishedOn', now, 'eid', eid)
  local job = rcall('HMGET', jobKey, 'name', 'opts', 'fw')
  qd.freeUnique(jobKey, job[1], job[2])
  if job[3] then qd.flowEnded(queuePrefix, jobKey, 'x') end
  return true
end

-- `<base>~erasures`: when records were last claimed to be erased, in microseconds. A record that was read since then is there, unless a claim
-- on it lasts: what was claimed before and given back is gone.
function qd.erasing(queuePrefix)
  local t = rcall('TIME')
  rcall('SET', qd.split(queuePrefix) .. '~erasures', t[1] .. string.format('%06d', t[2]))
end

function qd.erasures(base)
  return rcall('GET', base .. '~erasures') or '0'
end

-- Redis' clock, epoch milliseconds.
function qd.now()
  local t = rcall('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

-- Whether a job of a BullMQ scheduler is the one after which this goes on: its id ends with the moment that the scheduler stands at.
function qd.isNextOf(queuePrefix, id, scheduler)
  local at = rcall('ZSCORE', queuePrefix .. 'repeat', scheduler)
  return at and string.sub(id, -#at - 1) == ':' .. at
end

-- Cancels a job that has not ended and does not run. Answers `done`, or `requested` when a worker has to end it. `isOld`: lists are searched
-- from their end, where the oldest stand.
function qd.cancelWaiting(queuePrefix, id, by, reason, isOld)
  local side = isOld and -1 or 1
  local jobKey, events, now = queuePrefix .. id, queuePrefix .. 'events', qd.now()
  local job = rcall('HMGET', jobKey, 'run', 'cr', 'deid', 'ats', 'parentKey', 'name', 'opts', 'fw', 'rjk')
  local run, request = tonumber(job[1]) or 1, job[2] or cjson.encode({at = now, by = by, reason = reason})
  local prev, due = 'unknown', rcall('ZSCORE', queuePrefix .. 'delayed', id)
  if rcall('ZREM', queuePrefix .. 'delayed', id) == 1 then prev = qd.isParked(due) and 'waiting' or 'delayed'
  elseif rcall('ZREM', queuePrefix .. 'prioritized', id) == 1 then prev = 'prioritized'
  elseif rcall('ZREM', queuePrefix .. 'waiting-children', id) == 1 then prev = 'waiting-children'
  elseif rcall('LREM', queuePrefix .. 'wait', side, id) == 1 then prev = 'waiting'
  elseif rcall('LREM', queuePrefix .. 'paused', side, id) == 1 then prev = 'paused' end
  if (job[5] or job[9] and qd.isNextOf(queuePrefix, id, job[9])) and prev ~= 'waiting-children' then
    -- A child in another producer's flow: what becomes of its parent is BullMQ's to decide, when a worker ends the child without running it. And
    -- the next job of a BullMQ scheduler: the worker that takes it makes the one after it, and nobody else does.
    rcall('HSET', jobKey, 'cr', request, 'defa', '[CANCELLED] ' .. reason, 'delay', 0)
    rcall('RPUSH', queuePrefix .. 'wait', id)
    qd.wake(queuePrefix)
    qd.note(events, id, 'cancel-requested', 'by', by, 'reason', reason, 'ats', job[4] or 0, 'run', run)
    return 'requested'
  end
  if job[3] and rcall('GET', queuePrefix .. 'de:' .. job[3]) == id then
    rcall('DEL', queuePrefix .. 'de:' .. job[3], queuePrefix .. 'dn:' .. job[3])
  end
  rcall('ZADD', queuePrefix .. 'failed', now, id)
  rcall('HSET', jobKey, 'cr', request, 'failedReason', '[CANCELLED] ' .. reason, 'finishedOn', now, 'delay', 0)
  qd.note(events, id, 'cancelled', 'by', by, 'reason', reason, 'prev', prev, 'run', run)
  qd.freeUnique(jobKey, job[6], job[7])
  if prev == 'waiting-children' then qd.flowLeft(queuePrefix, jobKey) end
  if job[8] then qd.flowEnded(queuePrefix, jobKey, 'x') end
  return 'done'
end

-- Runs of a schedule that have started and not ended, newest first, without one of them: `current` of its hash names them, a line each.
function qd.runsOf(schedule, without)
  local alive = {}
  for key in string.gmatch(rcall('HGET', schedule, 'current') or '', '[^\n]+') do
    local prefix, id = string.match(key, '^(.*:)([^:]*)$')
    if key ~= without and rcall('HEXISTS', key, 'name') == 1 and not rcall('ZSCORE', prefix .. 'completed', id)
      and not rcall('ZSCORE', prefix .. 'failed', id) then alive[#alive + 1] = key end
  end
  return alive
end

-- Where BullMQ keeps a job whose hash exists. A lock tells running jobs without a search of the list of them.
function qd.state(queuePrefix, id)
  if rcall('ZSCORE', queuePrefix .. 'completed', id) then return 'completed' end
  if rcall('ZSCORE', queuePrefix .. 'failed', id) then return 'failed' end
  local due = rcall('ZSCORE', queuePrefix .. 'delayed', id)
  if due then return qd.isParked(due) and 'waiting' or 'delayed' end
  if rcall('ZSCORE', queuePrefix .. 'waiting-children', id) then return 'waiting-children' end
  if rcall('EXISTS', queuePrefix .. id .. ':lock') == 1 then return 'active' end
  if rcall('ZSCORE', queuePrefix .. 'prioritized', id) then return 'prioritized' end
  if rcall('LPOS', queuePrefix .. 'active', id) then return 'active' end
  return 'waiting'
end

-- Of an event stream: the newest id that it gave ('0-0' for none), its first entry (false for none), its last entry ('0-0' for none).
function qd.ends(events)
  local last, first, held = '0-0', false, '0-0'
  if rcall('EXISTS', events) == 0 then return last, first, held end
  local info = rcall('XINFO', 'STREAM', events)
  for i = 1, #info, 2 do
    local value = info[i + 1]
    if info[i] == 'last-generated-id' then last = value
    elseif info[i] == 'first-entry' then first = value and value[1]
    elseif info[i] == 'last-entry' then held = value and value[1] or held end
  end
  return last, first, held
end
