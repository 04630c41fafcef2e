-- KEYS[1] event stream; ARGV queue prefix, then pairs of job id and mark (see ended.lua). Forgets the results of completed jobs that nothing
-- happened to since they were noted: their records have them. Their checkpoints serve nobody any more. Answers of how many.
local p, n = ARGV[1], 0
for i = 2, #ARGV, 2 do
  local id, mark = ARGV[i], ARGV[i + 1]
  local score = rcall('ZSCORE', p .. 'completed', id)
  if score and (rcall('HGET', p .. id, 'eid') or '@' .. score) == mark then
    n = n + rcall('HDEL', p .. id, 'returnvalue')
    qd.forgetCheckpoints(p .. id)
  end
end
return n
