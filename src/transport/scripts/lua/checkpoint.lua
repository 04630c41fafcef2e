-- KEYS[1] job, KEYS[2] its lock, KEYS[3] event stream
-- ARGV job id, lock token, attempt, name, value (JSON), most checkpoints, most bytes of names and values together
-- Keeps a value in the job's hash, so that whatever removes the job removes it. Answers {'kept'}; {'refused'} when another attempt or nobody
-- holds the job; {'many', count} and {'large', bytes} when the job's checkpoints would be too many or too large: then nothing is written.
if rcall('GET', KEYS[2]) ~= ARGV[2] then return {'refused'} end
local name, value = ARGV[4], ARGV[5]
local job, was = rcall('HMGET', KEYS[1], 'ats', 'cp'), rcall('HSTRLEN', KEYS[1], 'c:' .. name)
if job[1] ~= ARGV[3] then return {'refused'} end
local count, bytes = string.match(job[2] or '0 0', '^(%d+) (%d+)')
count, bytes = tonumber(count) + (was == 0 and 1 or 0), tonumber(bytes) + #value + (was == 0 and #name or -was)
if count > tonumber(ARGV[6]) then return {'many', count} end
if bytes > tonumber(ARGV[7]) then return {'large', bytes} end
local summary = string.format('%.0f %.0f %.0f %s', count, bytes, qd.now(), name)
rcall('HSET', KEYS[1], 'cp', summary, 'c:' .. name, value)
rcall('XADD', KEYS[3], '*', 'event', 'checkpoint', 'jobId', ARGV[1], 'cp', summary, 'ats', ARGV[3])
return {'kept'}
