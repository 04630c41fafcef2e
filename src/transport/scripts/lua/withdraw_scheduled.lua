-- KEYS[1] job, KEYS[2] event stream; ARGV queue prefix, job id, by, reason
-- Takes a run back whose time has not come: done, late (it waits for a worker, runs or has ended) or missing.
if rcall('HEXISTS', KEYS[1], 'name') == 0 then return 'missing' end
if qd.state(ARGV[1], ARGV[2]) ~= 'delayed' or rcall('HEXISTS', KEYS[1], 'ats') == 1 then return 'late' end
qd.cancelWaiting(ARGV[1], ARGV[2], ARGV[3], ARGV[4])
return 'done'
