-- In front of every script that starts, ends or hands back a job: the claim gate. It decides inside the claim, in the same atomic call, which
-- job may run, and frees what a job held when it leaves `active`. This part: what is limited, and who runs.
--
-- Keys. QP is a queue's prefix (`{prefix}:mail:`), G is `{prefix}~gate:`. A limit key is `u:<user>` or `t:<type>`.
--   G limits         hash  global, user (every user's), u:<user> (0 = none for him), users (how many of those), t:<type>, types (how many).
--                          Absent = no limit. `known` = somebody has said what the limits are.
--                          Read by every claim, so changes apply at once. `busy` = something is parked or starved somewhere.
--                          `n` = jobs that run and count; `counted` = users and types are counted too (see `roomOf`).
--   G counts         hash  limit key -> jobs that run and count against it
--   a job's `sl`     what it holds while it runs: '-' counts among all; `u<user>` also for its user; `t<user>` also for its type; '' nothing.
--                          The lease of what it holds is the job's own lock: who has none any more is dropped when somebody needs the room.
--   G park:QP|<key>  zset  ids of the jobs that wait for that key, in order
--   QP delayed       zset  a parked job stands here too, with a score from `far` to `farthest`: visible to and removable by every BullMQ tool
--   G parked         zset  index of what is parked, `QP|<key>`                   G queues:<key>  set  the same, queues by key
--   G ready:QP       zset  keys that got room and have parked jobs here: the next claim in that queue takes their first job
--   G starved        zset  queues refused by the global limit                    G baton  string  queue for which one slot is kept 200 ms
--
-- A count is taken back only for a job whose `sl` says that it was counted, and the same call says that it is not any more: whatever other
-- tools do to a job, no count becomes too low. Too high it becomes when they remove a running job; recounting mends that.
local gate = { far = qd.far, farthest = qd.farthest, most = 1e308 * 10 }
local QP, G, limits
-- Of this call: how `n` changed; counts that were read, and whether that was all of them; how counts changed; a changed one that was not read.
local change, counts, all, changes, unread
-- What our keys of a queue begin with, kept while the library lives.
local beginnings, known = {}, 0
-- Whether another worker has something to take after this claim; what the job that was taken holds; itself, where it was read already.
gate.more, gate.held, gate.job = true, nil, nil
-- When the turn of another queue is over that has just been handed to it, or that stands in the way; whether a job has left `active`.
gate.again, gate.left = nil, nil

-- What stays in memory between calls of one function must not outlive its call.
function gate.reset() limits, gate.more, gate.held, gate.job, gate.again, gate.left = nil, true, nil, nil, nil, nil end

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
  local l = rcall('HMGET', G .. 'limits', 'global', 'user', 'users', 'types', 'busy', 'known', 'n', 'counted')
  limits = { global = tonumber(l[1]) or gate.most, user = tonumber(l[2]) or gate.most, users = l[3], types = l[4], busy = l[5], known = l[6],
    n = tonumber(l[7]) or 0, counted = l[8] }
  limits.any = l[1] or l[2] or l[3] or l[4] or l[5]
  change, counts, all, changes, unread = 0, nil, false, nil, nil
  return limits
end

-- Writes what has changed; passes through what the script answers. A job that goes and one that comes in the same call cost no count of all.
function gate.done(...)
  if not limits then return ... end
  if change ~= 0 then rcall('HSET', G .. 'limits', 'n', string.format('%d', math.max(0, limits.n + change))) end
  if changes then
    local now
    for key, by in pairs(changes) do
      local n = by ~= 0 and (counts and counts[key] or not all and tonumber(rcall('HGET', G .. 'counts', key)) or 0) + by
      if n and n > 0 then
        now = now or {}
        now[#now + 1], now[#now + 2] = key, string.format('%d', n)
      elseif n then rcall('HDEL', G .. 'counts', key) end
    end
    if now then rcall('HSET', G .. 'counts', unpack(now)) end
  end
  if gate.again then gate.watch() end
  return ...
end

-- Whose slots a job needs, as a limit key: what is no plain letter in it is encoded. The options are JSON text whose fields stand in any order,
-- also inside of other options of other producers. A name with its colon is never part of a JSON text, so what no brace comes before, but a
-- backoff's, can be read as it stands.
function gate.userOf(opts)
  -- Mostly they begin like this.
  local first = string.match(opts or '', '^{"qd":{"user":"([%w_.:@-]+)"')
  if first then return first end
  local from, to = string.find(opts or '', '"qd":{', 1, true)
  if not from then return '' end
  local before = string.gsub(string.sub(opts, 2, from - 1), '"backoff":{[%w":,.]*}', '')
  if not string.find(before, '{', 1, true) and not string.find(opts, '"qd":{', to, true) then
    local user = string.match(opts, '^[^{}]-"user":"([%w_.:@-]+)"', to + 1)
    if user then return user end
  end
  local fine, decoded = pcall(cjson.decode, opts)
  local ours = fine and type(decoded) == 'table' and decoded.qd
  if type(ours) ~= 'table' or type(ours.user) ~= 'string' then return '' end
  return (string.gsub(ours.user, '[^%w_.:@-]', function(c) return string.format('%%%02x', string.byte(c)) end))
end

-- How many may run at once of a limit key.
function gate.maxOf(key)
  local isUser = string.sub(key, 1, 1) == 'u'
  if not (isUser and limits.users or not isUser and limits.types) then return isUser and limits.user or gate.most end
  local own = tonumber(rcall('HGET', G .. 'limits', key))
  if own == 0 then return gate.most end
  return own or isUser and limits.user or gate.most
end

local function bump(key, by)
  if not changes then changes = {} end
  changes[key] = (changes[key] or 0) + by
  if by < 0 then unread = key end
end

-- How many run of a limit key, this call's changes included.
local function countOf(key)
  if not counts then counts = {} end
  if not counts[key] and not all then
    -- What left in this call has to be read anyway.
    if unread and unread ~= key and not counts[unread] then
      local both = rcall('HMGET', G .. 'counts', key, unread)
      counts[key], counts[unread] = tonumber(both[1]) or 0, tonumber(both[2]) or 0
    else
      counts[key] = tonumber(rcall('HGET', G .. 'counts', key)) or 0
    end
  end
  return (counts[key] or 0) + (changes and changes[key] or 0)
end

-- Whether a user or type (`kind` is u or t) has no room, how many run, and how many may. Nobody has none while users and types are not counted.
function gate.isFull(kind, name)
  if name == '' or not limits.counted then return false end
  local key = kind .. ':' .. name
  local n, max = countOf(key), gate.maxOf(key)
  return n >= max, n, max
end

-- A job takes its slots. Answers what it holds now.
local function hold(u, t)
  change = change + 1
  if not limits.counted then return '-' end
  if u ~= '' then bump('u:' .. u, 1) end
  if not (limits.types and t) then return 'u' .. u end
  bump('t:' .. t, 1)
  return 't' .. u
end

-- Gives back what a job of type `t` holds. Answers its user and its type where those are counted, else ''.
local function release(held, t)
  local kind, u = string.sub(held, 1, 1), string.sub(held, 2)
  t = kind == 't' and t or ''
  change = change - 1
  if limits.counted then
    if u ~= '' then bump('u:' .. u, -1) end
    if t ~= '' then bump('t:' .. t, -1) end
  end
  return u, t
end

-- Every job that is in `active` anywhere: `see(its key, what it holds, its type, its options)`.
function gate.eachActive(beginning, see)
  local seen, names = {}, rcall('SMEMBERS', beginning .. '~queues')
  for i, name in ipairs(names) do names[i] = beginning .. ':' .. name .. ':' seen[names[i]] = true end
  -- It may be forgotten there.
  if limits and not seen[QP] then names[#names + 1] = QP end
  for _, queue in ipairs(names) do
    for _, id in ipairs(rcall('LRANGE', queue .. 'active', 0, -1)) do
      local job = rcall('HMGET', queue .. id, 'sl', 'name', 'opts')
      see(queue .. id, job[1] or '', job[2] or '', job[3])
    end
  end
  return #names
end

-- Counts all anew. Who lost its lock holds nothing any more. `every` = who runs and was not counted counts from now on. Answers {user, type}
-- of each that was dropped, and how many jobs and queues it looked at.
local function census(every)
  local n, now, dropped, looked = 0, {}, {}, 0
  local function add(key) now[key] = (now[key] or 0) + 1 end
  local queues = gate.eachActive(string.sub(G, 1, -7), function(jobKey, held, t, opts)
    looked = looked + 1
    if held == '' and not every then return end
    if rcall('EXISTS', jobKey .. ':lock') == 0 then
      if held == '' then return end
      rcall('HSET', jobKey, 'sl', '')
      local typed = string.sub(held, 1, 1) == 't'
      dropped[#dropped + 1] = { string.sub(held, 2), typed and t or '' }
      return
    end
    n = n + 1
    local holds = '-'
    if limits.counted then
      local u = (every or held == '-') and gate.userOf(opts) or string.sub(held, 2)
      holds = (limits.types and t ~= '' and 't' or 'u') .. u
      if u ~= '' then add('u:' .. u) end
      if limits.types and t ~= '' then add('t:' .. t) end
    elseif held ~= '' then
      holds = held
    end
    if holds ~= held then rcall('HSET', jobKey, 'sl', holds) end
  end)
  local was = limits.counted and rcall('HGETALL', G .. 'counts') or {}
  for i = 1, #was, 2 do
    if not now[was[i]] then rcall('HDEL', G .. 'counts', was[i]) end
    if now[was[i]] == tonumber(was[i + 1]) then was[was[i]] = true end
  end
  for key, count in pairs(now) do if not was[key] then rcall('HSET', G .. 'counts', key, count) end end
  if n ~= limits.n then rcall('HSET', G .. 'limits', 'n', n) end
  limits.n, change, counts, all, changes, unread = n, 0, now, true, nil, nil
  return dropped, looked + queues
end
