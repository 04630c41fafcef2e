-- KEYS[1] event stream; ARGV queue prefix, job ids. Answers {newest id the stream gave, first entry, facts of each job, last entry that is still
-- there}: what is so at exactly that position. Facts: {state or '' when unknown, oldest reachable?, fields}. After 4 MB of facts the jobs that
-- are left get no answer, so that neither side has to hold hundreds of the largest payloads at once.
local p, out, size = ARGV[1], {}, 0
local last, first, held = qd.ends(KEYS[1])
for i = 2, #ARGV do
  local id, state = ARGV[i], ''
  -- A key that is no hash is no job, whatever an entry says.
  local h = redis.pcall('HMGET', p .. id, 'eid', 'name', 'data', 'opts', 'ats', 'atm', 'returnvalue', 'failedReason', 'stacktrace', 'progress', 'pb', 'run',
    'finishedOn', 'processedOn', 'timestamp', 'delay', 'priority', 'cr', 'stc', 'cp', 'wn')
  if h.err then h = {} end
  if h[2] then state = qd.state(p, id) end
  local streamed = 0
  if h[1] and first and #rcall('XRANGE', KEYS[1], h[1], h[1]) == 1 then streamed = 1 end
  out[i - 1] = {state, streamed, h}
  -- A list of awaited jobs that is too long for the options stands in pieces (flow.keep).
  local pieces = tonumber(h[21] or '')
  if pieces then
    local texts = {}
    for piece = 1, math.min(pieces, 1000) do texts[piece] = rcall('HGET', p .. id, 'wl' .. piece) or '[]' end
    h[21] = '[' .. table.concat(texts, ',') .. ']'
  end
  for _, place in ipairs({3, 4, 7, 8, 9, 21}) do size = size + (h[place] and #h[place] or 0) end
  if size > 4194304 then break end
end
return {last, first or '0-0', out, held}
