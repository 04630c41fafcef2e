-- All keys of BullMQ's moveToFinished. Our workers name one of the fourteen, their job's, so that every job costs less to send and to read.
-- Kept for each queue while the library lives; nothing of a call stays in them but the job's key, which the next one replaces.
local finishKeys, finishQueues = {}, 0

function qd.finishKeys(jobKey, queuePrefix, state)
  local of = finishKeys[queuePrefix]
  if not of then
    if finishQueues == 1000 then finishKeys, finishQueues = {}, 0 end
    of, finishQueues = {}, finishQueues + 1
    finishKeys[queuePrefix] = of
  end
  local keys = of[state]
  if not keys then
    keys = { 'wait', 'active', 'prioritized', 'events', 'stalled', 'limiter', 'delayed', 'paused', 'meta', 'pc', state, '', 'metrics:' .. state,
      'marker' }
    for place, name in ipairs(keys) do keys[place] = queuePrefix .. name end
    of[state] = keys
  end
  keys[12] = jobKey
  return keys
end
