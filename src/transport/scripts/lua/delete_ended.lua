-- KEYS[1] job, KEYS[2] set of the keys of jobs whose records are being erased, KEYS[3] event stream
-- ARGV queue prefix, job id, mark ('' at first), milliseconds, key of its parent in another producer's flow ('' for none)
-- Asked without a mark, notes a job that has ended, or that Redis does not hold: {'noted', mark, newest id of the stream}. Asked with that mark,
-- removes the job if nothing has happened to it since, and claims its record: until the claim is given back or runs out the job cannot be
-- restarted. Then {'claimed', ...}. Else 'alive' or 'changed'. No entry: its record has been written, and goes next.
local jobKey, prefix, id, last, mark = KEYS[1], ARGV[1], ARGV[2], qd.ends(KEYS[3]), 'gone'
if rcall('EXISTS', jobKey) == 1 then
  local score = rcall('ZSCORE', prefix .. 'completed', id) or rcall('ZSCORE', prefix .. 'failed', id)
  if not score then return {'alive', '', last} end
  mark = rcall('HGET', jobKey, 'eid') or '@' .. score
end
if ARGV[3] == '' then return {'noted', mark, last} end
if mark ~= ARGV[3] then return {'changed', mark, last} end
if mark ~= 'gone' then
  rcall('ZREM', prefix .. 'completed', id)
  rcall('ZREM', prefix .. 'failed', id)
  rcall('DEL', jobKey, jobKey .. ':logs', jobKey .. ':dependencies', jobKey .. ':processed', jobKey .. ':failed', jobKey .. ':unsuccessful')
end
if ARGV[5] ~= '' then qd.leaveParent(prefix, jobKey, ARGV[5]) end
rcall('SADD', KEYS[2], jobKey)
rcall('PEXPIRE', KEYS[2], ARGV[4])
qd.erasing(prefix)
return {'claimed', mark, last}
