-- KEYS[1] workers by last report, KEYS[2] one worker's report, KEYS[3] what it was asked to do; ARGV worker id, least age in ms (0: whatever its age). Answers 1 when removed:
-- a worker that reported meanwhile stays.
local t, score = rcall('TIME'), rcall('ZSCORE', KEYS[1], ARGV[1])
if not score then return 0 end
if t[1] * 1000 + math.floor(t[2] / 1000) - tonumber(score) < tonumber(ARGV[2]) then return 0 end
rcall('DEL', KEYS[2], KEYS[3])
return rcall('ZREM', KEYS[1], ARGV[1])
