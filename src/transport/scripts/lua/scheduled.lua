-- KEYS[1] any of ours; ARGV job keys. Answers {state or '', when it was claimed last (ms, 0: never)} of each.
local out = {}
for i, key in ipairs(ARGV) do
  local prefix, id = string.match(key, '^(.*:)([^:]*)$')
  local job = redis.pcall('HMGET', key, 'name', 'processedOn')
  if job.err or not job[1] then out[i] = {'', 0}
  else out[i] = {qd.state(prefix, id), tonumber(job[2]) or 0} end
end
return out
