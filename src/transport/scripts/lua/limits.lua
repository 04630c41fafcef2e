-- KEYS[1] hash of the limits in force, KEYS[2] hash of the configured ones, KEYS[3] hash of those set at run time
-- ARGV prefix of every key, largest number of parked keys to list
-- Answers {in force, configured, set at run time, members of the slots, {`queue prefix|key`, parked jobs, ...}, parked keys in all}.
local g = ARGV[1] .. '~gate:'
local parked, out = rcall('ZRANGE', g .. 'parked', 0, ARGV[2] - 1), {}
for _, member in ipairs(parked) do
  out[#out + 1] = member
  out[#out + 1] = rcall('ZCARD', g .. 'park:' .. member)
end
local slots = {}
for _, member in ipairs(rcall('ZRANGE', g .. 'slots', 0, -1)) do
  local user, jobKey = string.match(member, '^(.-)\n(.*)\n')
  if rcall('EXISTS', jobKey .. ':lock') == 1 then
    slots[#slots + 1] = user
    slots[#slots + 1] = rcall('HGET', jobKey, 'name') or ''
    slots[#slots + 1] = jobKey
  end
end
return { rcall('HGETALL', KEYS[1]), rcall('HGETALL', KEYS[2]), rcall('HGETALL', KEYS[3]), slots, out, rcall('ZCARD', g .. 'parked') }
