-- KEYS[1] event stream; ARGV queue prefix, ids of pending jobs. Answers those of them that no set or list of the queue names, so that no worker
-- can come to them. A list is searched from the end that workers take from; nothing is said of longer ones, since that would hold Redis up.
local p, out, longest = ARGV[1], {}, 100000
local function standsIn(id)
  for _, set in ipairs({'prioritized', 'delayed', 'waiting-children', 'completed', 'failed'}) do
    if redis.pcall('ZSCORE', p .. set, id) then return true end
  end
  for _, list in ipairs({'wait', 'paused', 'active'}) do
    if redis.pcall('LPOS', p .. list, id, 'RANK', -1, 'MAXLEN', longest) then return true end
    local length = redis.pcall('LLEN', p .. list)
    if type(length) ~= 'number' or length > longest then return true end
  end
  return false
end
for i = 2, #ARGV do
  local id = ARGV[i]
  if redis.pcall('HEXISTS', p .. id, 'name') == 1 and rcall('EXISTS', p .. id .. ':lock') == 0 and not standsIn(id) then out[#out + 1] = id end
end
return out
