-- KEYS[1] event stream; ARGV queue prefix, job ids. Answers {newest id the stream gave, {state or '', attempts, run, cancel requested?} of each
-- job, id of the last entry that is still there}: the few facts that tell whether a record may be behind, for audits of millions of jobs.
local p, out = ARGV[1], {}
local last, _, held = qd.ends(KEYS[1])
for i = 2, #ARGV do
  local id, state = ARGV[i], ''
  local h = redis.pcall('HMGET', p .. id, 'name', 'ats', 'run', 'cr')
  if h.err then h = {} end
  if h[1] then state = qd.state(p, id) end
  out[i - 1] = {state, h[2] or '0', h[3] or '1', h[4] and 1 or 0}
end
return {last, out, held}
