-- KEYS[1] event stream; ARGV queue prefix, 'completed' or 'failed', newest end (ms), offset, count, oldest end (may be left out).
-- Answers {id of the stream's last entry, {id, mark, finished at, cancelled?, ...}}: jobs that had ended when the stream stood there. The mark
-- is the job's last entry; for jobs that plain BullMQ ended, its moment.
local p, last = ARGV[1], '0-0'
if rcall('EXISTS', KEYS[1]) == 1 then
  local info = rcall('XINFO', 'STREAM', KEYS[1])
  for i = 1, #info, 2 do if info[i] == 'last-generated-id' then last = info[i + 1] end end
end
local found, out = rcall('ZRANGEBYSCORE', p .. ARGV[2], ARGV[6] or '-inf', ARGV[3], 'WITHSCORES', 'LIMIT', ARGV[4], ARGV[5]), {}
for i = 1, #found, 2 do
  local job = rcall('HMGET', p .. found[i], 'eid', 'cr')
  out[#out + 1] = {found[i], job[1] or '@' .. found[i + 1], found[i + 1], job[2] and 1 or 0}
end
return {last, out}
