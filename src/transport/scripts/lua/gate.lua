-- In front of every script that starts, ends or hands back a job: the claim gate. It decides inside the claim, in the same atomic call, which
-- job may run, and frees what a job held when it leaves `active`.
--
-- Keys. QP is a queue's prefix (`{prefix}:mail:`), G is `{prefix}~gate:`. A limit key is `u:<user>` or `t:<type>`.
--   G limits         hash  global, user (every user's), u:<user>, users (how many of those), t:<type>, types (how many). Absent = no limit.
--                          `known` = somebody has said what the limits are.
--                          Read by every claim, so changes apply at once. `busy` = something is parked or starved somewhere.
--   G slots          zset  `<user>\n<job key><tail>`, one member per running job: ZCARD is the global count, ZLEXCOUNT the user's. The lease
--                          of a member is the job's own lock: a member whose lock is gone is dropped when somebody needs the room.
--   G types          zset  `<type>\n<job key><tail>`, the same by type, while any type is limited
--   G park:QP|<key>  zset  ids of the jobs that wait for that key, in order
--   QP delayed       zset  a parked job stands here too, with a score from `far` on: visible to and removable by every BullMQ tool
--   G parked         zset  index of what is parked, `QP|<key>`                   G queues:<key>  set  the same, queues by key
--   G ready:QP       zset  keys that got room and have parked jobs here: the next claim in that queue takes their first job
--   G starved        zset  queues refused by the global limit                    G baton  string  queue for which one slot is kept 200 ms
local gate = { far = qd.far, most = 1e308 * 10 }
local QP, G, limits, running
-- What our keys of a queue begin with, kept while the library lives.
local beginnings, known = {}, 0
-- Makes members so long that Redis keeps a set of them as a tree, however few they are: the packed form is searched from its beginning, and
-- twice as dear.
local TAIL = '\n----------------------------------------------------------------'
-- Whether another worker has something to take after this claim, and whether the job that was taken holds its slots already.
gate.more, gate.holds = true, true

-- What stays in memory between calls of one function must not outlive its call.
function gate.reset() limits, running, gate.more, gate.holds = nil, nil, true, true end

function gate.open(queuePrefix)
  if limits and QP == queuePrefix then return limits end
  QP = queuePrefix
  G = beginnings[QP]
  if not G then
    if known == 1000 then beginnings, known = {}, 0 end
    G = string.match(queuePrefix, '^(.*):[^:]*:$') .. '~gate:'
    beginnings[QP], known = G, known + 1
  end
  if limits then return limits end
  local l = rcall('HMGET', G .. 'limits', 'global', 'user', 'users', 'types', 'busy', 'known')
  limits = { global = tonumber(l[1]) or gate.most, user = tonumber(l[2]) or gate.most, users = l[3], types = l[4], busy = l[5], known = l[6] }
  limits.any = l[1] or l[2] or l[3] or l[4] or l[5]
  return limits
end

-- Whose slots a job needs, as a limit key: what is no plain letter in it is encoded. The options are JSON text whose fields stand in any order,
-- also inside of other options of other producers; mostly they begin like this, and nothing else needs to be read.
function gate.userOf(opts)
  if not opts then return '' end
  local user = string.match(opts, '^{"qd":{"user":"([%w_.:@-]+)"')
  if user then return user end
  if not string.find(opts, '"qd":{', 1, true) then return '' end
  local fine, all = pcall(cjson.decode, opts)
  local ours = fine and type(all) == 'table' and all.qd
  if type(ours) ~= 'table' or type(ours.user) ~= 'string' then return '' end
  return (string.gsub(ours.user, '[^%w_.:@-]', function(c) return string.format('%%%02x', string.byte(c)) end))
end

local function maxOfUser(u) return limits.users and tonumber(rcall('HGET', G .. 'limits', 'u:' .. u)) or limits.user end
local function maxOfType(t) return limits.types and tonumber(rcall('HGET', G .. 'limits', 't:' .. t)) or gate.most end
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
  local score = rcall('ZSCORE', QP .. 'delayed', id)
  return score and tonumber(score) >= gate.far
end

-- A key got room: tell each queue where its jobs are parked.
local function freedKey(key)
  for _, q in ipairs(rcall('SMEMBERS', G .. 'queues:' .. key)) do setReady(q, key) end
end

-- A slot is free: tell the queues where its user's and type's jobs are parked, and hand the turn to the longest starved queue.
-- `takes` = the same call goes on to claim the next job of this queue.
local function freed(u, t, takes)
  if u ~= '' then freedKey('u:' .. u) end
  if t ~= '' then freedKey('t:' .. t) end
  local starved = rcall('ZPOPMIN', G .. 'starved')[1]
  if starved and starved ~= QP then
    rcall('SET', G .. 'baton', starved, 'PX', 200)
    wake(starved)
  elseif starved and not takes then
    wake(starved)
  end
end

-- A job takes its slots; `t` only where types are counted.
function gate.hold(beginning, u, t, jobKey)
  rcall('ZADD', beginning .. 'slots', '0', u .. '\n' .. jobKey .. TAIL)
  if t then rcall('ZADD', beginning .. 'types', '0', t .. '\n' .. jobKey .. TAIL) end
end

local function release(jobKey, u, t, takes)
  local held = rcall('ZREM', G .. 'slots', u .. '\n' .. jobKey .. TAIL)
  if limits.types and t then held = held + rcall('ZREM', G .. 'types', t .. '\n' .. jobKey .. TAIL) end
  if held > 0 and limits.busy then freed(u, t or '', takes) end
  return held > 0 and 1 or 0
end

-- No slot free: drop members whose lock is gone, at most every 250 ms for each key. Answers how many are left.
local function reap(set, name, n)
  if not rcall('SET', G .. 'reap:' .. set .. ':' .. (name or ''), 1, 'PX', 250, 'NX') then return n end
  local from, to = name and '[' .. name .. '\n' or '-', name and '(' .. name .. '\v' or '+'
  for _, member in ipairs(rcall('ZRANGEBYLEX', G .. set, from, to)) do
    local owner, jobKey = string.match(member, '^(.-)\n(.*)\n')
    if rcall('EXISTS', jobKey .. ':lock') == 0 then
      rcall('ZREM', G .. set, member)
      if limits.busy then
        if set == 'slots' then freed(owner, '', false) else freed('', owner, false) end
      end
      n = n - 1
    end
  end
  return n
end

-- How many more may run: over all (`slots` without a name), of a user, of a type.
local function room(max, set, name)
  if max == gate.most then return max end
  local n = name and rcall('ZLEXCOUNT', G .. set, '[' .. name .. '\n', '(' .. name .. '\v') or rcall('ZCARD', G .. set)
  if n >= max then n = reap(set, name, n) end
  return max - n
end

local function roomOf(key)
  local name = string.sub(key, 3)
  if string.sub(key, 1, 1) == 'u' then return room(maxOfUser(name), 'slots', name) end
  return room(maxOfType(name), 'types', name)
end

-- The global limit refuses, or its last slot went: register as starved, so that a release wakes this queue.
local function starve(ready, again)
  if rcall('LLEN', QP .. 'wait') == 0 and rcall('EXISTS', QP .. 'prioritized', ready) == 0 then return false end
  setBusy()
  if again then rcall('ZADD', G .. 'starved', now(), QP) else rcall('ZADD', G .. 'starved', 'NX', now(), QP) end
  return false
end

-- The job stands at the head of `active`: sets it aside until its key has room. Its hash stays as it is, but for the place that it keeps when
-- it waits for one key after the other. What BullMQ put at the head (LIFO, or recovered after a stall) keeps its place in front.
local function park(id, key, score, front, kept)
  rcall('LPOP', QP .. 'active')
  local seq = tonumber(kept)
  if not seq then
    seq = rcall('INCR', G .. 'seq')
    if front then seq = -seq end
    rcall('HSET', QP .. id, 'ps', seq)
  end
  rcall('ZADD', parkKey(key), score or seq, id)
  rcall('ZADD', QP .. 'delayed', gate.far + 2 * math.abs(seq), id)
  index(key)
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
local function mustWait(key, place, full)
  if full[key] == nil then full[key] = roomOf(key) <= 0 end
  if full[key] then return true end
  if not limits.busy then return false end
  local first = tonumber(rcall('ZRANGE', parkKey(key), 0, 0, 'WITHSCORES')[2])
  if not first or first >= place then return false end
  setReady(QP, key)
  return true
end

-- The key for which the job has to wait, if there is one, and its place: first what stands at the head by its nature (LIFO, recovered after a
-- stall), then by number, newcomers last.
local function blockerOf(id, u, t, opts, score, full)
  local job = rcall('HMGET', QP .. id, 'stc', 'ps')
  local front = not score and (job[1] or string.find(opts or '', '"lifo":true', 1, true))
  local place = tonumber(score or job[2]) or (front and -gate.most or gate.most)
  local key = u ~= '' and mustWait('u:' .. u, place, full) and 'u:' .. u or t and mustWait('t:' .. t, place, full) and 't:' .. t or nil
  return key, front, job[2]
end

-- Calls the key's next parked job when there is room for it and for `more` others.
local function callNext(key, more)
  if rcall('EXISTS', parkKey(key)) == 1 and roomOf(key) > more then setReady(QP, key) end
end

-- Instead of RPOPLPUSH wait active and the prioritized pop: the next job that may run, now in `active` and holding its slots; or false.
-- `limited` = there are limits, so that an emptied Redis gives out nothing before it has learned them again.
function gate.take(queuePrefix, limited)
  gate.open(queuePrefix)
  if limited and not limits.known then return false end
  if not limits.any then return pop() or false end
  running = rcall('ZCARD', G .. 'slots')
  local ready, free = G .. 'ready:' .. QP, limits.global - running
  if free <= 0 then
    running = reap('slots', nil, running)
    free = limits.global - running
  end
  if free <= 1 then
    local baton = rcall('GET', G .. 'baton')
    if baton == QP then rcall('DEL', G .. 'baton') elseif baton then free = free - 1 end
    if free <= 0 then return starve(ready, false) end
  end
  -- Every other claim looks at the wait list first, or newcomers would starve behind the parked.
  local backlog = limits.busy and rcall('EXISTS', ready) == 1
  local newcomers = backlog and rcall('INCR', G .. 'turn') % 2 == 0
  local served = backlog and not newcomers and serveReady() or nil
  local easy = free > 2 and running < limits.user and not (limits.busy or limits.users or limits.types)
  local full = {}
  for _ = 1, 100 do
    local id, score = pop()
    if id then
      gate.more = free > 1
      -- Where fewer run in all than one user may have, and nobody is held back, there is nothing to look up: it takes its slots when it is read.
      if easy then
        gate.holds = false
        return id
      end
      local jobKey = QP .. id
      local job = rcall('HMGET', jobKey, 'opts', 'name')
      local u, t = gate.userOf(job[1]), job[2] or nil
      local blocker, front, kept = blockerOf(id, u, t, job[1], score, full)
      if not blocker then
        -- Before it is a member itself: it has no lock yet, and would be dropped as dead.
        if limits.busy then
          if u ~= '' then callNext('u:' .. u, 1) end
          if t then callNext('t:' .. t, 1) end
        end
        gate.hold(G, u, limits.types and t, jobKey)
        if kept then rcall('HDEL', jobKey, 'ps') end
        if free <= 2 then
          rcall('ZREM', G .. 'starved', QP)
          if free <= 1 then starve(ready, true) end
        end
        return id
      end
      park(id, blocker, score, front, kept)
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
      if not served and rcall('EXISTS', QP .. 'prioritized') == 0 then return false end
    else
      return false
    end
  end
  wake(QP) -- looked at 100 jobs that may not run: let Redis breathe, the next call goes on
  return false
end

-- Instead of HGETALL at the end of a claim: reads the job that was taken, one attempt further. Answers its fields, what is new in them at their end,
-- and the number of its attempt.
function gate.fetch(jobKey, processedOn, worker)
  local job, ats, opts = rcall('HGETALL', jobKey), 0, nil
  for i = 1, #job, 2 do
    local field = job[i]
    if field == 'ats' then ats = job[i + 1] elseif field == 'opts' then opts = job[i + 1] end
  end
  ats = string.format('%d', ats + 1)
  if not gate.holds then
    gate.hold(G, gate.userOf(opts), nil, jobKey)
    gate.holds = true
  end
  local n = #job
  job[n + 1], job[n + 2], job[n + 3], job[n + 4] = 'ats', ats, 'processedOn', processedOn
  if worker then job[n + 5], job[n + 6] = 'pb', worker end
  return job, ats
end

-- Instead of LREM active: frees what the job held.
function gate.leave(activeKey, count, id, opts, name, takes)
  local n = rcall('LREM', activeKey, count, id)
  if n == 0 then return 0 end
  gate.open(string.sub(activeKey, 1, -7))
  if limits.any then
    local jobKey = QP .. id
    if not name then
      local job = rcall('HMGET', jobKey, 'opts', 'name')
      opts, name = job[1], job[2]
    end
    release(jobKey, gate.userOf(opts), name, takes)
  end
  return n
end

-- The next delayed job; parked ones are no reason to wake up.
function gate.due(delayedKey)
  local first = rcall('ZRANGE', delayedKey, 0, 0, 'WITHSCORES')
  return first[2] and tonumber(first[2]) >= gate.far and {} or first
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
  if rcall('ZCOUNT', delayed, gate.far, '+inf') > parked then -- parked without an entry: rebuilt from what their hashes say
    local found = rcall('ZRANGEBYSCORE', delayed, gate.far, '+inf', 'WITHSCORES')
    local rebuilt = 0
    for i = 1, #found, 2 do
      local id = found[i]
      local job = rcall('HMGET', QP .. id, 'opts', 'name', 'priority', 'ps')
      local u, seq = gate.userOf(job[1]), tonumber(job[4]) or (tonumber(found[i + 1]) - gate.far) / 2
      local key = u ~= '' and 'u:' .. u or 't:' .. (job[2] or '')
      local elsewhere = u ~= '' and job[2] and rcall('ZSCORE', parkKey('t:' .. job[2]), id)
      if not elsewhere then
        index(key)
        local priority = tonumber(job[3]) or 0
        rebuilt = rebuilt + rcall('ZADD', parkKey(key), 'NX', priority > 0 and priority * 0x100000000 + math.abs(seq) or seq, id)
      end
      if math.abs(seq) > tonumber(rcall('GET', G .. 'seq') or 0) then rcall('SET', G .. 'seq', math.abs(seq)) end
      if rebuilt >= 500 then break end
    end
    repaired = repaired + rebuilt
    if rebuilt > 0 then wake(QP) end
  end
  if room(limits.global, 'slots') > 0 and rcall('EXISTS', QP .. 'wait', QP .. 'prioritized') > 0 then wake(QP) end
  if limits.busy and rcall('EXISTS', G .. 'parked', G .. 'starved') == 0 then
    rcall('HDEL', G .. 'limits', 'busy')
    if limits.global == gate.most and limits.user == gate.most and not (limits.users or limits.types) then
      rcall('DEL', G .. 'slots', G .. 'types')
    end
  end
  return { called, parked, repaired }
end
