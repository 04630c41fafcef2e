-- KEYS[1] hash of the limits in force; ARGV prefix of every key, then pairs of queue and job id.
-- Answers for each job what it waits for: {} when it does not wait, or {reason, name, running, limit}. Reasons: paused (the queue), queue, global,
-- user and type (limits), workers (none has its turn yet).
local base, out = ARGV[1], {}
local running = {}
local function count(set, name)
  local key = set .. '\n' .. (name or '')
  if not running[key] then
    local from, to = name and '[' .. name .. '\n' or '-', name and '(' .. name .. '\v' or '+'
    running[key] = name and rcall('ZLEXCOUNT', base .. '~gate:' .. set, from, to) or rcall('ZCARD', base .. '~gate:' .. set)
  end
  return running[key]
end
local limit = rcall('HMGET', KEYS[1], 'global', 'user')
for i = 2, #ARGV, 2 do
  local p, id, answer = base .. ':' .. ARGV[i] .. ':', ARGV[i + 1], {}
  local job = rcall('HMGET', p .. id, 'opts', 'name')
  local score = job[2] and rcall('ZSCORE', p .. 'delayed', id)
  local ended = job[2] and (rcall('ZSCORE', p .. 'completed', id) or rcall('ZSCORE', p .. 'failed', id) or rcall('ZSCORE', p .. 'waiting-children', id))
  local held = score and tonumber(score) >= gate.far
  if job[2] and (held or not score) and not ended and rcall('EXISTS', p .. id .. ':lock') == 0 then
    local meta, u, t = rcall('HMGET', p .. 'meta', 'paused', 'concurrency'), gate.userOf(job[1]), job[2]
    local active = rcall('LLEN', p .. 'active')
    -- Nothing of a paused queue would run, whatever room there was.
    if meta[1] then answer = { 'paused', ARGV[i], active, 0 }
    elseif held and u ~= '' and rcall('ZSCORE', base .. '~gate:park:' .. p .. '|u:' .. u, id) then
      answer = { 'user', u, count('slots', u), tonumber(rcall('HGET', KEYS[1], 'u:' .. u) or limit[2]) or 0 }
    elseif held then answer = { 'type', t, count('types', t), tonumber(rcall('HGET', KEYS[1], 't:' .. t)) or 0 }
    elseif meta[2] and active >= tonumber(meta[2]) then answer = { 'queue', ARGV[i], active, tonumber(meta[2]) }
    elseif limit[1] and count('slots') >= tonumber(limit[1]) then answer = { 'global', '', count('slots'), tonumber(limit[1]) }
    else answer = { 'workers', ARGV[i], active, 0 } end
  end
  out[#out + 1] = answer
end
return out
