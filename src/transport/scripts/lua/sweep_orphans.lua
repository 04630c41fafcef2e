-- KEYS[1] event stream; ARGV queue prefix, milliseconds, '1' to only count, offset, count. Looks at a piece of `active` and answers {how many
-- it holds, orphans}: ids without a job and a lock, which are removed, and locks without an end, which run out from now on.
local p, active, only, n = ARGV[1], ARGV[1] .. 'active', ARGV[3] == '1', 0
for _, id in ipairs(rcall('LRANGE', active, ARGV[4], ARGV[4] + ARGV[5] - 1)) do
  local lock = rcall('PTTL', p .. id .. ':lock')
  if lock == -1 then
    n = n + 1
    if not only then rcall('PEXPIRE', p .. id .. ':lock', ARGV[2]) end
  elseif lock == -2 and rcall('EXISTS', p .. id) == 0 then
    n = n + 1
    if not only then
      rcall('LREM', active, 0, id)
      rcall('SREM', p .. 'stalled', id)
      qd.wake(p)
    end
  end
end
return {rcall('LLEN', active), n}
