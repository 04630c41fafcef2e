-- KEYS[1] event stream, KEYS[2] hash: what one draining did so far, `done` and `requested`
-- ARGV queue prefix, by, reason, list, how many of it were left already, most jobs to look at, when draining began (epoch ms), how long that hash
-- is kept (ms)
-- Cancels jobs of one list of those that wait: `wait` and `paused` from their end, where the oldest stand and workers take, `prioritized`,
-- `held` (by a limit), `scheduled`, or `late`, which is scheduled behind them. What came later stays, and so does what was told to end already.
-- Answers {done, requested, looked, done so far, requested so far}: cancelled, told to end as soon as a worker takes them, looked at (0: there are
-- no more). Counted here, so that the numbers are right whichever process dies.
local prefix, by, reason, list = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local from, most, began = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local far, farthest = string.format('%.0f', gate.far), string.format('%.0f', gate.farthest)
local ids, counts = {}, {done = 0, requested = 0}
if list == 'wait' or list == 'paused' then
  local rows = rcall('LRANGE', prefix .. list, -from - most, -from - 1)
  for index = #rows, 1, -1 do ids[#ids + 1] = rows[index] end
elseif list == 'prioritized' then ids = rcall('ZREVRANGE', prefix .. list, from, from + most - 1)
elseif list == 'held' then ids = rcall('ZREVRANGEBYSCORE', prefix .. 'delayed', farthest, far, 'LIMIT', from, most)
elseif list == 'late' then ids = rcall('ZREVRANGEBYSCORE', prefix .. 'delayed', '+inf', '(' .. farthest, 'LIMIT', from, most)
else ids = rcall('ZREVRANGEBYSCORE', prefix .. 'delayed', '(' .. far, '-inf', 'LIMIT', from, most) end
for _, id in ipairs(ids) do
  local job = rcall('HMGET', prefix .. id, 'name', 'cr', 'eid', 'timestamp')
  -- The entry of our own jobs has Redis' time; others say only what their producer's clock was.
  local came = tonumber(job[3] and string.match(job[3], '^%d+') or job[4]) or 0
  if job[1] and not job[2] and came <= began then
    local outcome = qd.cancelWaiting(prefix, id, by, reason, true)
    counts[outcome] = counts[outcome] + 1
  end
end
local done = rcall('HINCRBY', KEYS[2], 'done', counts.done)
local requested = rcall('HINCRBY', KEYS[2], 'requested', counts.requested)
rcall('PEXPIRE', KEYS[2], ARGV[8])
return {counts.done, counts.requested, #ids, done, requested}
