-- The claim gate: what stands in BullMQ's scripts instead of taking a job, of reading it, and of its leaving `active`.

-- Of a job what our workers get, in the order of `CLAIM_FIELDS` (worker/claim.ts), but for the moment of the claim, in whose place stands the
-- job's place among the parked.
local function read(jobKey)
  return rcall('HMGET', jobKey, 'name', 'data', 'opts', 'ats', 'atm', 'stc', 'run', 'cr', 'defa', 'rjk', 'ps')
end

-- Instead of RPOPLPUSH wait active and the prioritized pop: the next job that may run, now in `active` and holding its slots; or false.
-- `limited` = there are limits, so that an emptied Redis gives out nothing before it has learned them again.
function gate.take(queuePrefix, limited)
  gate.open(queuePrefix)
  if limited and not limits.known then return false end
  if not limits.any then return pop() or false end
  local ready, free = G .. 'ready:' .. QP, roomOfAll()
  if free <= 1 then
    local baton = rcall('GET', G .. 'baton')
    if baton == QP then rcall('DEL', G .. 'baton') elseif baton then
      if free == 1 then gate.again = now() + math.max(1, rcall('PTTL', G .. 'baton')) end
      free = free - 1
    end
    if free <= 0 then return starve(ready, false) end
  end
  -- Every other claim looks at the wait list first, or newcomers would starve behind the parked.
  local backlog = limits.busy and rcall('EXISTS', ready) == 1
  local newcomers = backlog and rcall('INCR', G .. 'turn') % 2 == 0
  local served = backlog and not newcomers and serveReady() or nil
  local easy = free > 2 and limits.n + change < limits.user and not (limits.busy or limits.users or limits.types)
  local full = {}
  local left = 125 -- one that is parked together with others costs half
  while left > 0 do
    left = left - 2
    local id, score = pop()
    if id then
      gate.more = free > 1
      -- Where fewer run in all than one user may have, and nobody is held back, there is nothing to look up.
      if easy then
        if limits.counted then gate.job = read(QP .. id) end
        gate.held = hold(gate.job and gate.userOf(gate.job[3]) or '')
        return id
      end
      local jobKey, job, kept = QP .. id, nil, nil
      -- Whole while nobody is held back: it goes out then. Else one after the other may be parked, whatever its payload.
      gate.job = not limits.busy and read(jobKey) or nil
      if gate.job then
        job, kept = { gate.job[3], gate.job[1], gate.job[6] }, gate.job[11]
      else
        job = rcall('HMGET', jobKey, 'opts', 'name', 'stc', 'ps')
        kept = job[4]
      end
      -- Of a type without a limit jobs are parked only as long as some are.
      local u, t = gate.userOf(job[1]), (limits.types or limits.busy) and job[2] or nil
      local blocker, front = blockerOf(job, kept, u, t, score, full)
      if not blocker then
        -- Before it counts itself: it has no lock yet, and a recount would not see it.
        if limits.busy then
          if u ~= '' then callNext('u:' .. u, 1) end
          if t then callNext('t:' .. t, 1) end
        end
        gate.held = hold(u, t)
        if kept then rcall('HDEL', jobKey, 'ps') end
        if free <= 2 then
          rcall('ZREM', G .. 'starved', QP)
          if free <= 1 then starve(ready, true) end
        end
        return id
      end
      park(id, blocker, score, front, kept)
      if not score and left > 0 then left = left - parkFollowing(math.min(left, 50), full) end
      -- It was called by a key that has room and meets another that has none: the next of the first key is called instead.
      if served == id then
        if u ~= '' and blocker ~= 'u:' .. u then callNext('u:' .. u, 0) end
        if t and blocker ~= 't:' .. t then callNext('t:' .. t, 0) end
      end
      if not newcomers then served = serveReady() end
    elseif newcomers then
      newcomers, served = false, serveReady() -- nobody new: call the parked after all
    elseif limits.busy and rcall('EXISTS', ready) == 1 then
      served = serveReady()
      if not served and rcall('EXISTS', QP .. 'prioritized') == 0 then return passOn() end
    else
      return passOn()
    end
  end
  wake(QP) -- looked at so many jobs that may not run: let Redis breathe, the next call goes on
  return false
end

-- Instead of HGETALL at the end of a claim: reads the job that was taken, one attempt further. Answers it and the number of its attempt. Our
-- workers get what they need, BullMQ's all fields, with what is new in them at their end. `more` = what else is stored in its hash.
function gate.fetch(jobKey, processedOn, opts, more)
  local job, ats
  if opts.ours then
    job = gate.job or read(jobKey)
    ats = string.format('%d', (job[4] or 0) + 1)
    job[4], job[11] = ats, processedOn
  else
    job, ats = rcall('HGETALL', jobKey), 0
    for i = 1, #job, 2 do
      if job[i] == 'ats' then ats = job[i + 1] break end
    end
    ats = string.format('%d', ats + 1)
    local n = #job
    job[n + 1], job[n + 2], job[n + 3], job[n + 4] = 'ats', ats, 'processedOn', processedOn
    if opts.name then job[n + 5], job[n + 6] = 'pb', opts.name end
  end
  if gate.held then
    local n = #more
    more[n + 1], more[n + 2] = 'sl', gate.held
  end
  return job, ats
end

-- Instead of LREM active: frees what the job held. A script that writes to its hash anyway says what it held (`held`, '' for nothing) and
-- stores `gate.ended(held)` there.
function gate.leave(activeKey, count, id, held, name, takes)
  local n = rcall('LREM', activeKey, count, id)
  if n == 0 then return 0 end
  gate.left = true
  gate.open(string.sub(activeKey, 1, -7))
  -- As long as a queue is full nobody is told what waits there.
  if not takes and rcall('HEXISTS', QP .. 'meta', 'concurrency') == 1 then wake(QP) end
  if limits.any then
    if not held then
      local job = rcall('HMGET', QP .. id, 'sl', 'name')
      held, name = job[1] or '', job[2]
      if held ~= '' then rcall('HSET', QP .. id, 'sl', '') end
    end
    if held ~= '' then
      local u, t = release(held, name)
      if limits.busy then freed(u, t, takes) end
    end
  end
  return n
end

function gate.ended(held)
  if held and held ~= '' then return 'sl', '' end
end

-- The next delayed job; parked ones are no reason to wake up. Of a claim also when the turn is over that stands in its way. Not at the end of a
-- job: its worker may wait already, and hears of it only as any other does (`gate.watch`).
function gate.due(delayedKey)
  local first = rcall('ZRANGE', delayedKey, 0, 0, 'WITHSCORES')
  local due, over = tonumber(first[2]) or gate.far, not gate.left and gate.again
  if over then gate.again = nil end
  if over and over * 0x1000 < due then return { '', over * 0x1000 } end
  return due >= gate.far and {} or first
end
