-- KEYS[1] workers by last report, KEYS[2] one worker's report, KEYS[3] what it was asked to do; ARGV worker id, report (JSON), milliseconds it
-- is kept. By Redis' clock, so that hosts whose clocks differ are compared fairly. Answers {1 when this is its first report (or its first
-- after it was given up), what it was asked to do or false}.
local t = rcall('TIME')
rcall('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])
return {rcall('ZADD', KEYS[1], t[1] * 1000 + math.floor(t[2] / 1000), ARGV[1]), rcall('GET', KEYS[3])}
