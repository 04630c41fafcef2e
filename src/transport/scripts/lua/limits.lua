-- KEYS[1] hash of the limits in force, KEYS[2] hash of the configured ones, KEYS[3] hash of those set at run time
-- ARGV prefix of every key, largest number of parked keys to list
-- Answers {in force, configured, set at run time, {user, type, job key, ...} of each job that runs, {`queue prefix|key`, parked jobs, ...}, parked
-- keys in all}.
local g = ARGV[1] .. '~gate:'
local parked, out = rcall('ZRANGE', g .. 'parked', 0, ARGV[2] - 1), {}
for _, member in ipairs(parked) do
  out[#out + 1] = member
  out[#out + 1] = rcall('ZCARD', g .. 'park:' .. member)
end
local running = {}
gate.eachActive(ARGV[1], function(jobKey, _, name, opts)
  if rcall('EXISTS', jobKey .. ':lock') == 0 then return end
  running[#running + 1] = gate.userOf(opts)
  running[#running + 1] = name
  running[#running + 1] = jobKey
end)
return { rcall('HGETALL', KEYS[1]), rcall('HGETALL', KEYS[2]), rcall('HGETALL', KEYS[3]), running, out, rcall('ZCARD', g .. 'parked') }
