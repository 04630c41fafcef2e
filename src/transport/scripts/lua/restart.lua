-- KEYS[1] job, KEYS[2] event stream
-- ARGV queue prefix, job id, by, next run, name, data, opts (JSON), timestamp, priority, due (ms, or ''), when records were last claimed to be
-- erased before this one was read ('' when nobody knows), and of a job that waits for others again
-- '1' when its list goes on in further calls, then edges as flow.register takes them
-- Answers {outcome, run}: done, or too_late when the job is alive, this run was opened already, or its record is being erased (then `run` is
-- the one before), {'taken', run, key of the job that has what this one needs to itself}, or {'read', run, when records were last claimed}: Redis
-- forgot the job, and its record may have been erased since it was read. The seven arguments from the name on serve a job that Redis forgot:
-- only such a one waits for its moment once more.
local jobKey, events, prefix, id, by, run = KEYS[1], KEYS[2], ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local job = rcall('HMGET', jobKey, 'name', 'run', 'cr', 'priority', 'opts', 'ats', 'failedReason')
local prev, isBlocked = 'forgotten', false
-- Whether a parent in another producer's flow waits for the job (again). One that goes on without it, as its policy said, could not complete then.
local function isAwaitedBy(parent)
  local queue, parentId = qd.parentAt(prefix, parent)
  if not queue or not (rcall('ZSCORE', queue .. 'waiting-children', parentId) or rcall('ZSCORE', queue .. 'failed', parentId)) then return false end
  if rcall('ZREM', parent .. ':unsuccessful', jobKey) == 1 or rcall('HDEL', parent .. ':failed', jobKey) == 1
    or rcall('HDEL', parent .. ':processed', jobKey) == 1 then rcall('SADD', parent .. ':dependencies', jobKey) end
  return rcall('SISMEMBER', parent .. ':dependencies', jobKey) == 1
end
-- A child that Redis forgot: what BullMQ had noted of its parent stands in its options too.
local function rejoin()
  local fine, opts = pcall(cjson.decode, ARGV[7])
  local of = fine and type(opts) == 'table' and opts.parent
  if type(of) ~= 'table' or type(of.id) ~= 'string' or type(of.queue) ~= 'string' then return end
  if not isAwaitedBy(of.queue .. ':' .. of.id) then return end
  local parent = cjson.encode({ id = of.id, queueKey = of.queue, fpof = opts.fpof, cpof = opts.cpof, idof = opts.idof, rdof = opts.rdof })
  rcall('HSET', jobKey, 'parentKey', of.queue .. ':' .. of.id, 'parent', parent)
end
-- What BullMQ deduplicates by is the job's own again, as when BullMQ adds it. Answers the key of the job that has it now: one that has ended only
-- keeps others from being added for a while.
local function takeDeduplication(json)
  if not json or not string.find(json, '"de":', 1, true) then return end
  local fine, opts = pcall(cjson.decode, json)
  local of = fine and type(opts) == 'table' and opts.de
  if type(of) ~= 'table' or type(of.id) ~= 'string' or of.id == '' then return end
  local key, ttl = prefix .. 'de:' .. of.id, tonumber(of.ttl) or 0
  local holder = rcall('GET', key)
  if holder and holder ~= id then
    local other = rcall('HMGET', prefix .. holder, 'name', 'finishedOn')
    if other[1] and not other[2] then return prefix .. holder end
  end
  if not holder or holder ~= id and rcall('PTTL', key) == -1 then
    if ttl >= 1 and ttl < 1e15 and of.keepLastIfActive ~= true then rcall('SET', key, id, 'PX', string.format('%d', ttl))
    else rcall('SET', key, id) end
  end
  return nil, of.id
end
if job[1] then
  local current = tonumber(job[2]) or 1
  if current >= run then return {'too_late', current} end
  local set = rcall('ZSCORE', prefix .. 'failed', id) and 'failed' or rcall('ZSCORE', prefix .. 'completed', id) and 'completed'
  if not set then return {'too_late', current} end
  local unique = qd.uniqueIn(job[5])
  local holder = unique and qd.takeUnique(prefix, id, job[1], unique) or takeDeduplication(job[5])
  if holder then return {'taken', current, holder} end
  rcall('ZREM', prefix .. set, id)
  prev = job[3] and set == 'failed' and 'cancelled' or set
  -- A parent in another producer's flow that did not run waits for those of its children that have not ended. One that ran may have made them.
  isBlocked = rcall('EXISTS', jobKey .. ':dependencies') == 1 and (not job[6] or string.find(job[7] or '', '^child .+ failed$') ~= nil)
  rcall('HDEL', jobKey, 'ats', 'atm', 'stc', 'progress', 'returnvalue', 'failedReason', 'stacktrace', 'cr', 'finishedOn', 'processedOn',
    'defa', 'pb', 'ps')
  qd.forgetCheckpoints(jobKey)
  rcall('DEL', jobKey .. ':logs')
  rcall('HSET', jobKey, 'run', run, 'delay', 0)
  local parent = rcall('HGET', jobKey, 'parentKey')
  if parent then isAwaitedBy(parent) end
else
  local base, queue = qd.split(prefix)
  if rcall('SISMEMBER', base .. '~erasing', jobKey) == 1 then return {'too_late', run - 1} end
  local erasures = qd.erasures(base)
  if ARGV[11] ~= erasures then return {'read', run - 1, erasures} end
  local unique = qd.uniqueIn(ARGV[7])
  local holder = unique and qd.takeUnique(prefix, id, ARGV[5], unique)
  local deduplicatedAs
  if not holder then holder, deduplicatedAs = takeDeduplication(ARGV[7]) end
  if holder then return {'taken', run - 1, holder} end
  rcall('HSET', jobKey, 'name', ARGV[5], 'data', ARGV[6], 'opts', ARGV[7], 'timestamp', ARGV[8], 'delay', 0, 'priority', ARGV[9], 'run', run)
  if deduplicatedAs then rcall('HSET', jobKey, 'deid', deduplicatedAs) end
  rcall('SADD', base .. '~queues', queue)
  if string.find(ARGV[7], '"parent":', 1, true) then rejoin() end
  -- BullMQ has counted to this id. Its count began anew with Redis, or the queue, and would give the id to another job, in this one's place.
  local number = string.find(id, '^%d+$') and #id < 16 and tonumber(id) or 0
  if number > (tonumber(rcall('GET', prefix .. 'id')) or 0) then rcall('SET', prefix .. 'id', string.format('%.0f', number)) end
  -- Others may wait for it already: their edges outlived it.
  if rcall('EXISTS', base .. '~flow:w:' .. jobKey) == 1 then rcall('HSET', jobKey, 'fw', 1) end
end
local due = not job[1] and tonumber(ARGV[10])
if ARGV[12] then
  qd.flowLeft(prefix, jobKey)
  rcall('HDEL', jobKey, 'wn')
  if due and due > qd.now() then rcall('HSET', jobKey, 'delay', string.format('%.0f', due - qd.now())) end
  rcall('ZADD', prefix .. 'waiting-children', qd.now(), id)
  qd.note(events, id, 'restarted', 'run', run, 'by', by, 'prev', prev)
  qd.note(events, id, 'waiting-children')
  if ARGV[12] == '1' then flow.keep(jobKey, ARGV, 13) end
  flow.register(jobKey, ARGV, 13, ARGV[12])
  return {'done', run}
end
if due and due > qd.now() then
  qd.delay(prefix, id, due)
  qd.note(events, id, 'restarted', 'run', run, 'by', by, 'prev', prev)
  qd.note(events, id, 'delayed', 'delay', string.format('%.0f', due))
  return {'done', run}
end
if isBlocked then
  rcall('ZADD', prefix .. 'waiting-children', qd.now(), id)
  qd.note(events, id, 'restarted', 'run', run, 'by', by, 'prev', prev)
  qd.note(events, id, 'waiting-children')
  return {'done', run}
end
local priority = tonumber(job[4] or ARGV[9]) or 0
qd.enqueue(prefix, id, priority)
qd.wake(prefix)
qd.note(events, id, 'restarted', 'run', run, 'by', by, 'prev', prev)
return {'done', run}
