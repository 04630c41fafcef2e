-- KEYS[1] the queue's list of running jobs; ARGV queue prefix, worker id, fields. Answers {id, lock token, values of the fields} of each job that
-- this worker holds: its tokens begin with its id.
local p, own, out = ARGV[1], ARGV[2] .. ':', {}
for _, id in ipairs(rcall('LRANGE', KEYS[1], '0', '-1')) do
  local token = rcall('GET', p .. id .. ':lock')
  if token and string.sub(token, 1, #own) == own then out[#out + 1] = {id, token, rcall('HMGET', p .. id, unpack(ARGV, 3))} end
end
return out
