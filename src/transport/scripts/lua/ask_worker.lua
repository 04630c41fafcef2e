-- KEYS[1] workers by last report, KEYS[2] what one worker was asked to do, KEYS[3] channel of requests; ARGV worker id, wish, message, milliseconds
-- it is kept: the worker reads it with each of its reports, in case the message does not reach it. Answers 0 when no such worker is registered.
if not rcall('ZSCORE', KEYS[1], ARGV[1]) then return 0 end
rcall('SET', KEYS[2], ARGV[2], 'PX', ARGV[4])
rcall('PUBLISH', KEYS[3], ARGV[3])
return 1
