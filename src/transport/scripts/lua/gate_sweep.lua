-- The claim gate: repairs, and what follows from a change of limits.

-- Counts users and types no more, or nothing at all.
local function uncount(whole)
  rcall('DEL', G .. 'counts')
  if whole then rcall('HDEL', G .. 'limits', 'counted', 'n') else rcall('HDEL', G .. 'limits', 'counted') end
  limits.counted, counts, all, changes, unread = nil, nil, false, nil, nil
  if whole then limits.n, change = 0, 0 end
end

-- Repairs one queue: lost signals, stale and missing entries, and puts every parked job back when nothing is limited any more.
-- Answers {keys that were called, parked jobs, repaired entries}.
function gate.sweep(queuePrefix)
  gate.open(queuePrefix)
  local called, parked, repaired, delayed = 0, 0, 0, QP .. 'delayed'
  for _, member in ipairs(rcall('ZRANGEBYLEX', G .. 'parked', '[' .. QP .. '|', '(' .. QP .. '}')) do
    local key, first = string.sub(member, #QP + 2), nil
    for _ = 1, 1000 do
      first = rcall('ZRANGE', parkKey(key), 0, 0)[1]
      if not first or parkedHere(first) then break end
      rcall('ZREM', parkKey(key), first)
      repaired = repaired + 1
    end
    if not first then unindex(key) else
      index(key)
      parked = parked + rcall('ZCARD', parkKey(key))
      if roomOf(key) > 0 then setReady(QP, key) called = called + 1 end
    end
  end
  if rcall('ZCOUNT', delayed, gate.far, gate.farthest) > parked then -- parked without an entry: rebuilt from what their hashes say
    -- What another producer delays into those days of May 2047 stands there too, and its hash says for how long. Parked ones come before.
    local found = rcall('ZRANGEBYSCORE', delayed, gate.far, gate.farthest, 'WITHSCORES', 'LIMIT', 0, parked + 1000)
    local rebuilt = 0
    for i = 1, #found, 2 do
      local id = found[i]
      local job = rcall('HMGET', QP .. id, 'opts', 'name', 'priority', 'ps', 'delay')
      if (tonumber(job[5]) or 0) <= 0 then
        local u, seq = gate.userOf(job[1]), tonumber(job[4]) or (tonumber(found[i + 1]) - gate.far) / 2
        local key = u ~= '' and 'u:' .. u or 't:' .. (job[2] or '')
        local elsewhere = u ~= '' and job[2] and rcall('ZSCORE', parkKey('t:' .. job[2]), id)
        if not elsewhere then
          index(key)
          local priority = tonumber(job[3]) or 0
          rebuilt = rebuilt + rcall('ZADD', parkKey(key), 'NX', priority > 0 and priority * 0x100000000 + math.abs(seq) or seq, id)
        end
        if math.abs(seq) > tonumber(rcall('GET', G .. 'seq') or 0) then rcall('SET', G .. 'seq', math.abs(seq)) end
      end
      if rebuilt >= 500 then break end
    end
    repaired = repaired + rebuilt
    if rebuilt > 0 then wake(QP) end
  end
  if limits.any then recount() end
  if roomOfAll() > 0 and rcall('EXISTS', QP .. 'wait', QP .. 'prioritized') > 0 then wake(QP) end
  if limits.busy and rcall('EXISTS', G .. 'parked', G .. 'starved') == 0 then
    limits.busy = nil
    rcall('HDEL', G .. 'limits', 'busy')
  end
  if not (limits.busy or limits.users or limits.types) and limits.counted and 2 * limits.n < limits.user then
    uncount(false)
  end
  return { called, parked, repaired }
end

-- After limits changed: who runs already counts from now on, also where nothing was counted before.
function gate.recount(queuePrefix, gated)
  gate.open(queuePrefix)
  if not gated then return uncount(true) end
  if limits.types or limits.users then
    limits.counted = '1'
    rcall('HSET', G .. 'limits', 'counted', 1)
  end
  count(true)
end
