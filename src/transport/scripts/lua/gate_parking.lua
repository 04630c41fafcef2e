-- The claim gate: jobs that wait for their user or type to have room, queues that wait for any, and how room is handed on.
local function now() local t = rcall('TIME') return t[1] * 1000 + math.floor(t[2] / 1000) end
local function setBusy()
  if not limits.busy then limits.busy = '1' rcall('HSET', G .. 'limits', 'busy', 1) end
end
local function parkKey(key) return G .. 'park:' .. QP .. '|' .. key end
local function index(key)
  rcall('SADD', G .. 'queues:' .. key, QP)
  rcall('ZADD', G .. 'parked', 0, QP .. '|' .. key)
  setBusy()
end
local function unindex(key)
  rcall('SREM', G .. 'queues:' .. key, QP)
  rcall('ZREM', G .. 'parked', QP .. '|' .. key)
end
local function wake(queuePrefix)
  if rcall('HEXISTS', queuePrefix .. 'meta', 'paused') == 0 then rcall('ZADD', queuePrefix .. 'marker', 0, '0') end
end
local function setReady(queuePrefix, key) rcall('ZADD', G .. 'ready:' .. queuePrefix, 'NX', now(), key) wake(queuePrefix) end
local function parkedHere(id)
  return qd.isParked(rcall('ZSCORE', QP .. 'delayed', id))
end

-- A key got room: tell each queue where its jobs are parked.
local function freedKey(key)
  for _, q in ipairs(rcall('SMEMBERS', G .. 'queues:' .. key)) do setReady(q, key) end
end

-- The longest starved queue (ZPOPMIN), or the latest (ZPOPMAX), that may take jobs. One that is paused or full by its own limit is passed over:
-- what changes that tells its workers. After so many it is any: who looks when its turn is over goes on.
local function popStarved(command)
  for left = 19, 0, -1 do
    local starved = rcall(command, G .. 'starved')[1]
    if not starved or left == 0 then return starved end
    local meta = rcall('HMGET', starved .. 'meta', 'paused', 'concurrency')
    if not (meta[1] or meta[2] and rcall('LLEN', starved .. 'active') >= (tonumber(meta[2]) or gate.most)) then return starved end
  end
end

-- Hands the turn to the longest starved queue. `takes` = the same call goes on to claim the next job of this queue.
local function handOn(takes)
  local starved = popStarved('ZPOPMIN')
  if starved and starved ~= QP then
    rcall('SET', G .. 'baton', starved, 'PX', 200)
    gate.again = now() + 200
    wake(starved)
  elseif starved and not takes then
    wake(starved)
  end
end

-- The workers of the queue whose turn it is may all be gone or busy. So another that is starved looks now, learns when that turn is over
-- (`gate.due`), and looks again then: the latest, since it was alive a moment ago.
function gate.watch()
  local starved = popStarved('ZPOPMAX')
  if starved then wake(starved) end
end

-- This queue has taken nothing though it might: the turn is another's. It is starved no more.
local function passOn()
  if not limits.busy or limits.global == gate.most then return false end
  rcall('ZREM', G .. 'starved', QP)
  handOn(true)
  return false
end

-- A slot is free: tell the queues where its user's and type's jobs are parked, and one that is starved.
local function freed(u, t, takes)
  if u ~= '' then freedKey('u:' .. u) end
  if t ~= '' then freedKey('t:' .. t) end
  handOn(takes)
end

-- Counts anew, and hands on the room of who was dropped. The longer it takes, the later the next one.
local function count(every)
  local dropped, looked = census(every)
  rcall('SET', G .. 'reap', 1, 'PX', math.max(250, math.floor(looked / 2)))
  if not limits.busy then return end
  for _, one in ipairs(dropped) do freed(one[1], one[2], false) end
end

-- No slot free: a job may have lost its lock without a word.
local function recount()
  if rcall('EXISTS', G .. 'reap') == 0 then count() end
end

-- How many more may run over all, and of a limit key. Users and types are counted only from the first question on: as long as fewer run in all
-- than one user may have, none can have too many.
local function roomOfAll()
  if limits.n + change >= limits.global then recount() end
  return limits.global - limits.n - change
end
local function roomOf(key)
  local max = gate.maxOf(key)
  if max == gate.most then return max end
  if not limits.counted then
    limits.counted = '1'
    rcall('HSET', G .. 'limits', 'counted', 1)
    count()
  elseif countOf(key) >= max then
    recount()
  end
  return max - countOf(key)
end

-- The global limit refuses, or its last slot went: register as starved, so that a release wakes this queue.
local function starve(ready, again)
  if rcall('LLEN', QP .. 'wait') == 0 and rcall('EXISTS', QP .. 'prioritized', ready) == 0 then return false end
  setBusy()
  if again then rcall('ZADD', G .. 'starved', now(), QP) else rcall('ZADD', G .. 'starved', 'NX', now(), QP) end
  return false
end

-- Sets jobs aside until their key has room: their ids in order, and the places that they have among the key's. A job keeps its place (`ps`) when
-- it waits for one key after the other.
local function setAside(key, ids, places)
  local parked, delayed = {}, {}
  for i, id in ipairs(ids) do
    local place = places[i]
    parked[2 * i - 1], parked[2 * i] = place.score or place.seq, id
    delayed[2 * i - 1], delayed[2 * i] = gate.far + 2 * math.abs(place.seq), id
  end
  rcall('ZADD', parkKey(key), unpack(parked))
  rcall('ZADD', QP .. 'delayed', unpack(delayed))
  index(key)
end

-- The job stands at the head of `active`: sets it aside. Its hash stays as it is, but for its place. What BullMQ put at the head (LIFO, or
-- recovered after a stall) keeps its place in front.
local function park(id, key, score, front, kept)
  rcall('LPOP', QP .. 'active')
  local seq = tonumber(kept)
  if not seq then
    seq = rcall('INCR', G .. 'seq')
    if front then seq = -seq end
    rcall('HSET', QP .. id, 'ps', seq)
  end
  setAside(key, { id }, { { score = score, seq = seq } })
end

-- A job goes back to the head of `wait` without having ended: it comes before those that a limit holds back.
function gate.first(id)
  if limits.busy then rcall('HSET', QP .. id, 'ps', -rcall('INCR', G .. 'seq')) end
end

-- The key's first parked job of this queue goes back where it came from: to the head of `wait`, which answers its id, or to its place among
-- the prioritized, which answers true. False: there is none, or no room.
local function unpark(key)
  if roomOf(key) <= 0 then return false end
  for _ = 1, 1000 do
    local first = rcall('ZPOPMIN', parkKey(key))
    local id, score = first[1], tonumber(first[2])
    if not id then unindex(key) return false end
    if parkedHere(id) then -- or else it was removed, promoted, cancelled or delayed anew, and the entry is stale
      rcall('ZREM', QP .. 'delayed', id)
      local priority = tonumber(rcall('HGET', QP .. id, 'priority')) or 0
      if rcall('EXISTS', parkKey(key)) == 0 then unindex(key) end
      if priority == 0 then rcall('RPUSH', QP .. 'wait', id) return id end
      if math.floor(score / 0x100000000) ~= priority then score = priority * 0x100000000 end
      rcall('ZADD', QP .. 'prioritized', score, id)
      return true
    end
  end
  setReady(QP, key) -- a long stale stretch: the next call goes on
  return false
end

-- Takes a job that a limit holds back out of its place, for the caller to put it elsewhere; answers whether it was held back.
function gate.unparked(queuePrefix, id, opts, name)
  gate.open(queuePrefix)
  if not parkedHere(id) then return false end
  rcall('ZREM', QP .. 'delayed', id)
  for _, key in ipairs({'u:' .. gate.userOf(opts), 't:' .. name}) do
    if rcall('ZREM', parkKey(key), id) == 1 and rcall('EXISTS', parkKey(key)) == 0 then unindex(key) end
  end
  return true
end

-- Lets the key that waits longest for its turn go on; answers the id that now stands at the head of `wait`, if one does.
local function serveReady()
  for _ = 1, 20 do
    local key = rcall('ZPOPMIN', G .. 'ready:' .. QP)[1]
    if not key then return nil end
    local id = unpark(key)
    if id then return id ~= true and id or nil end
  end
end

local function pop()
  local id = rcall('RPOPLPUSH', QP .. 'wait', QP .. 'active')
  if id then return id end
  local first = rcall('ZPOPMIN', QP .. 'prioritized')
  if not first[1] then return nil end
  rcall('LPUSH', QP .. 'active', first[1])
  return first[1], first[2]
end

-- Whether the job has to wait for this key: there is no room, or others of the key come before it. `place` is its own place among them.
-- `behind` = keys of which others wait, that have been called, and of which none goes on before the caller is done: newcomers wait behind them.
local function mustWait(key, place, full, behind)
  if full[key] == nil then full[key] = roomOf(key) <= 0 end
  if full[key] or behind and behind[key] and place == gate.most then return true end
  if not limits.busy then return false end
  local first = tonumber(rcall('ZRANGE', parkKey(key), 0, 0, 'WITHSCORES')[2])
  if not first or first >= place then return false end
  setReady(QP, key)
  if behind then behind[key] = true end
  return true
end

-- The key for which a job (its `opts`, `name` and `stc`; `kept`, its place where it has been parked) has to wait, if there is one, and whether it
-- stands in front: first what stands at the head by its nature (LIFO, recovered after a stall), then by number, newcomers last.
local function blockerOf(job, kept, u, t, score, full, behind)
  local front = not score and (job[3] or string.find(job[1] or '', '"lifo":true', 1, true))
  local place = tonumber(score or kept) or (front and -gate.most or gate.most)
  if u ~= '' and mustWait('u:' .. u, place, full, behind) then return 'u:' .. u, front end
  if t and mustWait('t:' .. t, place, full, behind) then return 't:' .. t, front end
  return nil, front
end

-- Calls the key's next parked job when there is room for it and for `more` others.
local function callNext(key, more)
  if rcall('EXISTS', parkKey(key)) == 1 and roomOf(key) > more then setReady(QP, key) end
end

-- Behind a job that was parked mostly stand others that have to wait too: sets aside what stands at the head of `wait`, up to the first that may
-- run or has a place already, and at most `most`. Answers how many. It is what taking them one by one comes to, at a third of the time.
local function parkFollowing(most, full)
  local ids = rcall('LRANGE', QP .. 'wait', -most, -1)
  local n, order, groups, behind = 0, {}, {}, {}
  for i = #ids, 1, -1 do
    local job = rcall('HMGET', QP .. ids[i], 'opts', 'name', 'stc', 'ps')
    if job[4] then break end
    local key, front = blockerOf(job, nil, gate.userOf(job[1]), job[2] or nil, nil, full, behind)
    if not key or front then break end
    local group = groups[key]
    if not group then
      group = { ids = {}, places = {} }
      groups[key], order[#order + 1] = group, key
    end
    n = n + 1
    group.ids[#group.ids + 1], group.places[#group.places + 1] = ids[i], { seq = n }
  end
  if n == 0 then return 0 end
  rcall('RPOP', QP .. 'wait', n)
  local before = rcall('INCRBY', G .. 'seq', n) - n
  for _, key in ipairs(order) do
    local group = groups[key]
    for i, place in ipairs(group.places) do
      place.seq = place.seq + before
      rcall('HSET', QP .. group.ids[i], 'ps', place.seq)
    end
    setAside(key, group.ids, group.places)
  end
  return n
end
