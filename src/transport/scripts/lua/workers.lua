-- KEYS[1] workers by last report; ARGV key prefix of reports. Answers {id, age in ms, report or false} for each, oldest report first.
local t, out = rcall('TIME'), {}
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local found = rcall('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')
for i = 1, #found, 2 do out[#out + 1] = {found[i], now - tonumber(found[i + 1]), rcall('GET', ARGV[1] .. found[i])} end
return out
