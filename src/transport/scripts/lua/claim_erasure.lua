-- KEYS[1] set of the keys of jobs whose records are being erased, KEYS[2] event stream; ARGV queue prefix, milliseconds, then job ids.
-- Claims those that Redis does not hold: until the claim is given back or runs out, they cannot be restarted. Answers {id of the stream's
-- last entry, {index of each job claimed}}.
local p, last, claimed = ARGV[1], '0-0', {}
if rcall('EXISTS', KEYS[2]) == 1 then
  local info = rcall('XINFO', 'STREAM', KEYS[2])
  for i = 1, #info, 2 do if info[i] == 'last-generated-id' then last = info[i + 1] end end
end
for i = 3, #ARGV do
  local key = p .. ARGV[i]
  if rcall('EXISTS', key) == 0 then
    rcall('SADD', KEYS[1], key)
    claimed[#claimed + 1] = i - 3
  end
end
rcall('PEXPIRE', KEYS[1], ARGV[2])
if #claimed > 0 then qd.erasing(p) end
return {last, claimed}
