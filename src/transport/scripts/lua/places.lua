-- Where jobs wait: how one is put there, and how workers hear of it.

-- Tells workers of a queue that something is there to be done, unless it is paused or runs as many jobs as it may: what ends makes room itself.
function qd.wake(prefix)
  local meta = rcall('HMGET', prefix .. 'meta', 'paused', 'concurrency')
  if meta[1] or meta[2] and rcall('LLEN', prefix .. 'active') >= tonumber(meta[2]) then return end
  rcall('ZADD', prefix .. 'marker', 0, '0')
end

-- Behind the others of its priority.
function qd.prioritize(prefix, id, priority)
  rcall('ZADD', prefix .. 'prioritized', priority * 0x100000000 + rcall('INCR', prefix .. 'pc') % 0x100000000, id)
end

-- Behind all that wait, or behind the others of its priority. `wake` has to follow.
function qd.enqueue(prefix, id, priority)
  if priority == 0 then rcall('LPUSH', prefix .. 'wait', id) else qd.prioritize(prefix, id, priority) end
end

-- Until `due`, epoch milliseconds.
function qd.delay(prefix, id, due)
  rcall('HSET', prefix .. id, 'delay', string.format('%.0f', due - qd.now()))
  rcall('ZADD', prefix .. 'delayed', string.format('%.0f', due * 0x1000), id)
  local first = gate.due(prefix .. 'delayed')
  if first[2] then rcall('ZADD', prefix .. 'marker', string.format('%.0f', math.floor(tonumber(first[2]) / 0x1000)), '1') end
end
