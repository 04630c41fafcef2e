-- KEYS[1] job, KEYS[2] its lock, KEYS[3] event stream
-- ARGV job id, lock token, attempt, progress (JSON or ''), log lines (JSON or ''), '1' when the code goes on although its signal was aborted long ago,
-- the report's name
-- Answers 1, or 0 when another attempt or nobody holds the job: then nothing is written. A job that was told to stop may still log.
-- `lg` of the job is the name of the last report with log lines: one that comes twice was sent again because its answer was lost.
if rcall('GET', KEYS[2]) ~= ARGV[2] then return 0 end
local job = rcall('HMGET', KEYS[1], 'ats', 'cr', 'lg')
if job[1] ~= ARGV[3] then return 0 end
if ARGV[4] ~= '' and not job[2] then
  rcall('HSET', KEYS[1], 'progress', ARGV[4])
  rcall('XADD', KEYS[3], '*', 'event', 'progress', 'jobId', ARGV[1], 'data', ARGV[4], 'ats', ARGV[3])
end
if ARGV[5] ~= '' and job[3] ~= ARGV[7] then
  rcall('HSET', KEYS[1], 'lg', ARGV[7])
  rcall('XADD', KEYS[3], '*', 'event', 'log', 'jobId', ARGV[1], 'ats', ARGV[3], 'lines', ARGV[5])
end
if ARGV[6] == '1' then qd.note(KEYS[3], ARGV[1], 'signal-ignored', 'ats', ARGV[3]) end
return 1
