-- KEYS[1] event stream; ARGV queue prefix, 'completed' or 'failed', then pairs of job id and mark (see ended.lua).
-- Removes the jobs that nothing happened to since they were noted; answers how many. No entry: their records are committed.
local p, set, n = ARGV[1], ARGV[1] .. ARGV[2], 0
for i = 3, #ARGV, 2 do
  local id, mark = ARGV[i], ARGV[i + 1]
  local k = p .. id
  local eid, score = rcall('HGET', k, 'eid'), rcall('ZSCORE', set, id)
  if score and (eid or '@' .. score) == mark then
    rcall('ZREM', set, id)
    rcall('DEL', k, k .. ':logs', k .. ':dependencies', k .. ':processed', k .. ':failed', k .. ':unsuccessful')
    n = n + 1
  end
end
return n
