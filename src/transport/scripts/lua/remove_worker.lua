-- KEYS[1] workers by last report, KEYS[2] one worker's report, KEYS[3] what it was asked to do, KEYS[4] list of removals of silent workers, KEYS[5] stream of the
-- audit; ARGV worker id, least age in ms (0: whatever its age, it says goodbye itself), removals kept, entry for the audit. Answers 1 when removed: a worker that reported
-- meanwhile stays. Who is removed for its silence is noted, with a running number.
local t, score = rcall('TIME'), rcall('ZSCORE', KEYS[1], ARGV[1])
if not score then return 0 end
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local silent = now - tonumber(score)
if silent < tonumber(ARGV[2]) then return 0 end
rcall('DEL', KEYS[2], KEYS[3])
rcall('ZREM', KEYS[1], ARGV[1])
if tonumber(ARGV[2]) > 0 then
  local last = rcall('LINDEX', KEYS[4], 0)
  local number = last and cjson.decode(last).number + 1 or 1
  rcall('LPUSH', KEYS[4], cjson.encode({id = ARGV[1], at = now, silent = silent, number = number}))
  rcall('LTRIM', KEYS[4], 0, ARGV[3] - 1)
  local entry = cjson.decode(ARGV[4])
  entry.detail = {silent = silent}
  rcall('XADD', KEYS[5], '*', 'entry', cjson.encode(entry))
end
return 1
