-- KEYS[1] when schedules were last looked after (ms), KEYS[2] list of the times when nobody did (`from-to`); ARGV how long is long (ms)
-- Notes that they are looked after now. Answers {now, since when nobody did, or -1}; 0 is for ever, as in a Redis that was emptied.
local now, last = qd.now(), tonumber(rcall('GET', KEYS[1]) or '')
local from = -1
if not last then from = 0 elseif now - last > tonumber(ARGV[1]) then from = last end
if from >= 0 then
  rcall('RPUSH', KEYS[2], string.format('%.0f-%.0f', from, now))
  rcall('LTRIM', KEYS[2], -50, -1)
end
rcall('SET', KEYS[1], string.format('%.0f', now))
return {now, from}
