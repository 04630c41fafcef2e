-- KEYS[1] event stream; ARGV queue prefix, by, reason, most jobs to look at, whether scheduled ones go too (1)
-- Cancels jobs that wait, the newest first: a list is searched from that end. Jobs that run, have ended or wait for others stay.
-- Answers {done, requested}: cancelled, and told to end as soon as a worker takes them.
local prefix, by, reason, left = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local counts = {done = 0, requested = 0}
local function take(ids)
  for _, id in ipairs(ids) do
    left = left - 1
    local job = rcall('HMGET', prefix .. id, 'name', 'cr')
    if job[1] and not job[2] then
      local outcome = qd.cancelWaiting(prefix, id, by, reason)
      counts[outcome] = counts[outcome] + 1
    end
  end
end
for _, list in ipairs({'wait', 'paused'}) do
  if left > 0 then take(rcall('LRANGE', prefix .. list, 0, left - 1)) end
end
if left > 0 then take(rcall('ZREVRANGE', prefix .. 'prioritized', 0, left - 1)) end
-- Those that a limit holds back stand behind all that have a time.
local from = ARGV[5] == '1' and '-inf' or string.format('%.0f', gate.far)
if left > 0 then take(rcall('ZREVRANGEBYSCORE', prefix .. 'delayed', '+inf', from, 'LIMIT', 0, left)) end
return {counts.done, counts.requested}
