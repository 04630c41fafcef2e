-- Flows: jobs that wait for other jobs. A blocked job stands in BullMQ's `waiting-children` with nothing in its own `dependencies`, so no tool
-- moves it. What it waits for, and who waits for a job, is kept in sets of ours, below F = `{prefix}~flow:`; jobs are named by their keys.
--   F e:<waiting>   set   awaited jobs that have not ended; 'more' while a long list is being written
--   F w:<awaited>   zset  policy letter + waiting job          a job's `fw`  somebody waits, or waited, for it
--   F awaited       zset  awaited jobs by the moment of the last look         a job's `fv`  worst policy met: policy, outcome, awaited job
--   F todo          zset  outcome letter + job that has ended and whose waiting jobs are not all told: anyone goes on after a kill
--   F open          zset  jobs whose long list is being written, by the moment of its last piece       `wn`, `wl1`, ...  the pieces of that list
-- Outcomes: c completed, f failed, x cancelled, s skipped; '-' = not known. f and x meet the policy of the edge: c cancel, r run, s skip.
local flow = { most = 50 }
local B, F
-- Jobs of one call that go to the wait list, by queue: one command for all, and one look whether the queue may be worked.
local going = {}
-- The queue whose next job this call claims: it calls others itself when there are more.
local claims

function flow.open(queuePrefix)
  going, claims = {}, nil -- of a call that failed, something may be left
  B = qd.split(queuePrefix)
  F = B .. '~flow:'
end

local function placed(jobKey)
  local from = #B + 2
  local colon = string.find(jobKey, ':', from, true) or #jobKey
  return string.sub(jobKey, 1, colon), string.sub(jobKey, colon + 1)
end

-- Redis is asked first, and only of a job that is gone the caller's word counts: a late "it has ended" of one that was restarted changes nothing.
local function outcome(jobKey, given)
  local job = redis.pcall('HMGET', jobKey, 'name', 'finishedOn', 'cr', 'failedReason')
  if job.err or not job[1] then return given ~= '-' and given or nil end
  if not job[2] then return nil end
  local prefix, id = placed(jobKey)
  if rcall('ZSCORE', prefix .. 'completed', id) then return 'c' end
  if not rcall('ZSCORE', prefix .. 'failed', id) then return nil end
  if not job[3] then return 'f' end
  return string.sub(job[4] or '', 1, 9) == '[SKIPPED]' and 's' or 'x'
end

local function isKnown(jobKey)
  local name = redis.pcall('HGET', jobKey, 'name')
  return type(name) == 'string'
end

local function noteEnd(jobKey, kind)
  if rcall('EXISTS', F .. 'w:' .. jobKey) == 1 then rcall('ZADD', F .. 'todo', 'NX', qd.now(), kind .. jobKey) end
end

local words = { f = 'failed', x = 'was cancelled' }

-- Ends a blocked job that will not run. Why: the policy that was met.
local function finish(w, verdict)
  local prefix, id = placed(w)
  if rcall('ZREM', prefix .. 'waiting-children', id) == 0 then return end
  rcall('DEL', F .. 'e:' .. w)
  local job, now = rcall('HMGET', w, 'run', 'deid', 'name', 'opts', 'fw'), qd.now()
  local kind, code, reason = 'x', 'CANCELLED', 'its dispatch was interrupted before all was said that it waits for'
  if verdict then
    local skips, awaited = string.sub(verdict, 1, 1) == 's', string.sub(verdict, 3)
    local _, awaitedId = placed(awaited)
    local name = rcall('HGET', awaited, 'name')
    kind, code = skips and 's' or 'x', skips and 'SKIPPED' or 'AWAITED_FAILED'
    reason = 'it waited for job ' .. awaitedId .. (name and ' (' .. name .. ')' or '') .. ', which ' .. words[string.sub(verdict, 2, 2)]
  end
  if job[2] and rcall('GET', prefix .. 'de:' .. job[2]) == id then rcall('DEL', prefix .. 'de:' .. job[2], prefix .. 'dn:' .. job[2]) end
  rcall('ZADD', prefix .. 'failed', now, id)
  rcall('HSET', w, 'cr', cjson.encode({at = now, by = '', reason = reason}), 'failedReason', '[' .. code .. '] ' .. reason, 'finishedOn', now, 'delay', 0)
  rcall('HDEL', w, 'fv')
  qd.note(prefix .. 'events', id, 'cancelled', 'code', code, 'reason', reason, 'prev', 'waiting-children', 'run', job[1] or 1)
  qd.freeUnique(w, job[3], job[4])
  if job[5] then noteEnd(w, kind) end
end

local function go()
  for prefix, ids in pairs(going) do
    if #ids > 0 then rcall('LPUSH', prefix .. 'wait', unpack(ids)) end
    if prefix ~= claims then qd.wake(prefix) end
  end
  going = {}
end

-- Nothing is left to wait for: the job is pending, or scheduled where it has a delay, which counts from now on. `go` has to follow.
local function release(w, delay, priority)
  local prefix, id = placed(w)
  if rcall('ZREM', prefix .. 'waiting-children', id) == 0 then return end
  if delay > 0 then
    local now = qd.now()
    local fine, opts = pcall(cjson.decode, rcall('HGET', w, 'opts') or '')
    local own = fine and type(opts) == 'table' and opts.qd
    local due = type(own) == 'table' and tonumber(own.at) or now + delay
    if due > now then
      qd.delay(prefix, id, due)
      qd.note(prefix .. 'events', id, 'delayed', 'delay', string.format('%.0f', due), 'ats', 0)
      return
    end
    rcall('HSET', w, 'delay', 0)
  end
  local ids = going[prefix]
  if not ids then
    ids = {}
    going[prefix] = ids
  end
  if priority == 0 then ids[#ids + 1] = id else qd.prioritize(prefix, id, priority) end
  qd.note(prefix .. 'events', id, 'waiting', 'prev', 'waiting-children')
end

local function conclude(w)
  if rcall('EXISTS', F .. 'e:' .. w) == 1 then return end
  local job = rcall('HMGET', w, 'fv', 'delay', 'priority')
  if job[1] then finish(w, job[1]) else release(w, tonumber(job[2]) or 0, tonumber(job[3]) or 0) end
end

-- The worst policy that was met is kept until the last awaited job has ended: till then the job stays blocked.
local function judge(w, awaited, policy, out)
  if policy == 'r' or (out ~= 'f' and out ~= 'x') then return end
  local prefix, id = placed(w)
  if not rcall('ZSCORE', prefix .. 'waiting-children', id) then return end
  local verdict = rcall('HGET', w, 'fv')
  if not verdict or (policy == 'c' and string.sub(verdict, 1, 1) == 's') then rcall('HSET', w, 'fv', policy .. out .. awaited) end
end

-- Tells at most `left` jobs that wait for one what became of it. Answers how many were told.
local function tell(awaited, out, left)
  local edges = rcall('ZPOPMIN', F .. 'w:' .. awaited, left)
  for i = 1, #edges, 2 do
    local policy, w = string.sub(edges[i], 1, 1), string.sub(edges[i], 2)
    -- One that does not wait any more has no edges.
    if rcall('SREM', F .. 'e:' .. w, awaited) == 1 then
      judge(w, awaited, policy, out)
      conclude(w)
    end
  end
  go()
  return #edges / 2
end

-- Goes on with ended jobs whose waiting jobs are not all told, for at most `left` of these. Answers 1 while there is more to do.
function flow.settle(left)
  while left > 0 do
    local first = rcall('ZRANGE', F .. 'todo', 0, 0)[1]
    if not first then return 0 end
    local awaited = string.sub(first, 2)
    local out = outcome(awaited, string.sub(first, 1, 1))
    local told = out and tell(awaited, out, left) or 0
    if told < left then
      rcall('ZREM', F .. 'todo', first)
      if out then rcall('ZREM', F .. 'awaited', awaited) end
    end
    left = left - math.max(1, told)
  end
  return rcall('EXISTS', F .. 'todo')
end

-- A job that somebody waits for has ended. Part of the call that ends it; what is left over goes on with the next such call or the keeper of flows.
-- `takes` = the same call goes on to claim the next job of this queue.
function qd.flowEnded(queuePrefix, jobKey, kind, takes)
  flow.open(queuePrefix)
  claims = takes and queuePrefix or nil
  local told = tell(jobKey, kind, flow.most)
  if told < flow.most then rcall('ZREM', F .. 'awaited', jobKey) else noteEnd(jobKey, kind) end
  if rcall('EXISTS', F .. 'todo') == 1 then flow.settle(flow.most) end
end

-- Whatever waits for it, the job does not wait any more.
function qd.flowLeft(queuePrefix, jobKey)
  flow.open(queuePrefix)
  rcall('DEL', F .. 'e:' .. jobKey)
  rcall('HDEL', jobKey, 'fv')
end

-- Edges stand in ARGV from `from` on: policy, what the caller knows of the outcome, key of the awaited job; with the
-- policy in upper case one that has ended is not waited for, however it did. Answers those that nobody knows.
function flow.unknown(ARGV, from)
  local gone
  for i = from, #ARGV do
    local awaited = string.sub(ARGV[i], 3)
    if string.sub(ARGV[i], 2, 2) == '-' and not isKnown(awaited) then
      gone = gone or { '' }
      gone[#gone + 1] = awaited
    end
  end
  return gone
end

-- Whether waiting for these would close a circle. Only the id of a job that was awaited before it came (back) can do that.
function flow.circles(w, ARGV, from)
  if rcall('EXISTS', F .. 'w:' .. w) == 0 then return false end
  local todo, seen = {}, {}
  for i = from, #ARGV do todo[#todo + 1] = string.sub(ARGV[i], 3) end
  for _ = 1, 5000 do -- a wider graph than this is refused as well
    local key = table.remove(todo)
    if not key then return false end
    if key == w then return true end
    if not seen[key] then
      for _, next in ipairs(rcall('SMEMBERS', F .. 'e:' .. key)) do todo[#todo + 1] = next end
    end
    seen[key] = true
  end
  return true
end

-- Whether what a blocked job met came of a job that runs again, or has done so, or its list broke off.
function flow.isStale(w)
  local verdict = rcall('HGET', w, 'fv')
  return flow.isOpen(w) or verdict and outcome(string.sub(verdict, 3), '-') ~= string.sub(verdict, 2, 2)
end

-- A blocked job waits for these. `more` = '1': the list goes on in another call. `alive`: only for those that have not ended.
function flow.register(w, ARGV, from, more, alive)
  for i = from, #ARGV do
    local policy, given, awaited = string.sub(ARGV[i], 1, 1), string.sub(ARGV[i], 2, 2), string.sub(ARGV[i], 3)
    local out, ignored = outcome(awaited, given), alive or policy ~= string.lower(policy)
    policy = string.lower(policy)
    if out then
      if not ignored then judge(w, awaited, policy, out) end
    else
      rcall('SADD', F .. 'e:' .. w, awaited)
      rcall('ZADD', F .. 'w:' .. awaited, 'NX', qd.now(), policy .. w)
      rcall('ZADD', F .. 'awaited', 'NX', 0, awaited)
      rcall('HSET', awaited, 'fw', 1)
    end
  end
  if more == '1' then
    rcall('SADD', F .. 'e:' .. w, 'more')
    rcall('ZADD', F .. 'open', qd.now(), w)
  else
    rcall('SREM', F .. 'e:' .. w, 'more')
    rcall('ZREM', F .. 'open', w)
    conclude(w)
    go()
  end
end

-- Whether more of a job's list is to come.
function flow.isOpen(w) return rcall('SISMEMBER', F .. 'e:' .. w, 'more') == 1 end

-- Of `count` awaited jobs, those looked at longest ago first: notes which have ended, and answers which Redis does not hold any more.
function flow.look(count)
  local gone, now = {}, qd.now()
  for _, awaited in ipairs(rcall('ZRANGE', F .. 'awaited', 0, count - 1)) do
    if rcall('EXISTS', F .. 'w:' .. awaited) == 0 then rcall('ZREM', F .. 'awaited', awaited)
    elseif not isKnown(awaited) then
      gone[#gone + 1] = awaited
      rcall('ZADD', F .. 'awaited', 'XX', now, awaited)
    else
      local out = outcome(awaited, '-')
      if out then noteEnd(awaited, out) end
      rcall('ZADD', F .. 'awaited', 'XX', now, awaited)
    end
  end
  return gone
end

-- Jobs whose list was begun by a process that went on no more end: nobody was told that they had been dispatched.
function flow.giveUp(age)
  for _, w in ipairs(rcall('ZRANGEBYSCORE', F .. 'open', '-inf', qd.now() - age, 'LIMIT', 0, 10)) do
    rcall('ZREM', F .. 'open', w)
    if flow.isOpen(w) then finish(w, nil) end
  end
end

-- One piece of a list that is too long for the options: for the record, and kept with the job for its own code. JSON lists of policy letter + queue
-- and id.
function flow.keep(w, ARGV, from)
  local list = {}
  for i = from, #ARGV do list[#list + 1] = string.lower(string.sub(ARGV[i], 1, 1)) .. string.sub(ARGV[i], #B + 4) end
  local prefix, id = placed(w)
  local text = cjson.encode(list)
  rcall('HSET', w, 'wl' .. rcall('HINCRBY', w, 'wn', 1), text)
  qd.note(prefix .. 'events', id, 'waits', 'edges', text)
end

-- Notes jobs of which a caller knows how they ended: outcome letter + key.
function flow.said(ARGV, from)
  for i = from, #ARGV do
    local jobKey = string.sub(ARGV[i], 2)
    local out = outcome(jobKey, string.sub(ARGV[i], 1, 1))
    if out then noteEnd(jobKey, out) end
  end
end
