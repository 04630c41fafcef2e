-- KEYS[1] hash of the limits in force; ARGV prefix of every key, then pairs of queue and job id.
-- Answers for each job what it waits for: {} when it does not wait, or {reason, name, running, limit}. Reasons: paused (the queue), user and type
-- (limits), queue (its limit), global, workers (none has its turn yet), jobs (it waits for so many to end). A limit is a reason while it lets nobody else run.
local base, out = ARGV[1], {}
for i = 2, #ARGV, 2 do
  local p, id, answer = base .. ':' .. ARGV[i] .. ':', ARGV[i + 1], {}
  local job = rcall('HMGET', p .. id, 'opts', 'name')
  local score = job[2] and rcall('ZSCORE', p .. 'delayed', id)
  local ended = job[2] and (rcall('ZSCORE', p .. 'completed', id) or rcall('ZSCORE', p .. 'failed', id) or rcall('ZSCORE', p .. 'waiting-children', id))
  if job[2] and (not score or qd.isParked(score)) and not ended and rcall('EXISTS', p .. id .. ':lock') == 0 then
    gate.open(p)
    local meta, u, t = rcall('HMGET', p .. 'meta', 'paused', 'concurrency'), gate.userOf(job[1]), job[2]
    local active = rcall('LLEN', p .. 'active')
    local userIsFull, ofUser, mostOfUser = gate.isFull('u', u)
    local typeIsFull, ofType, mostOfType = gate.isFull('t', t)
    -- Nothing of a paused queue would run, whatever room there was.
    if meta[1] then answer = { 'paused', ARGV[i], active, 0 }
    elseif userIsFull then answer = { 'user', u, ofUser, mostOfUser }
    elseif typeIsFull then answer = { 'type', t, ofType, mostOfType }
    elseif meta[2] and active >= tonumber(meta[2]) then answer = { 'queue', ARGV[i], active, tonumber(meta[2]) }
    elseif limits.n >= limits.global then answer = { 'global', '', limits.n, limits.global }
    else answer = { 'workers', ARGV[i], active, 0 } end
  end
  -- One that waits for others says for how many; BullMQ's own parents stand there too.
  if job[2] and not score and rcall('ZSCORE', p .. 'waiting-children', id) then
    local open = rcall('SCARD', base .. '~flow:e:' .. p .. id) + rcall('SCARD', p .. id .. ':dependencies')
    if open > 0 then answer = { 'jobs', '', open, 0 } end
  end
  out[#out + 1] = answer
end
return out
