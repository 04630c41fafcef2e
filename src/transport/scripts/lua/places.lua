-- Where jobs wait: how one is put there, and how workers hear of it.

-- Tells workers of a queue that something is there to be done, unless it is paused or runs as many jobs as it may: what leaves it then tells them.
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

-- Where a parent in another producer's flow is: what its queue's keys begin with, and its id. Nil where it is gone, or below another prefix.
function qd.parentAt(prefix, parent)
  local base = qd.split(prefix)
  local colon = string.sub(parent, 1, #base + 1) == base .. ':' and string.find(parent, ':', #base + 2, true)
  if colon and rcall('EXISTS', parent) == 1 then return string.sub(parent, 1, colon), string.sub(parent, colon + 1) end
end

-- A child in another producer's flow is removed for good: its parent waits for it no more, as when BullMQ removes one.
function qd.leaveParent(prefix, jobKey, parent)
  local queue, id = qd.parentAt(prefix, parent)
  if not queue or rcall('SREM', parent .. ':dependencies', jobKey) == 0 or rcall('EXISTS', parent .. ':dependencies') == 1
    or rcall('ZREM', queue .. 'waiting-children', id) == 0 then return end
  local job = rcall('HMGET', parent, 'delay', 'priority')
  local delay = tonumber(job[1]) or 0
  if delay > 0 then
    local due = qd.now() + delay
    qd.delay(queue, id, due)
    qd.note(queue .. 'events', id, 'delayed', 'delay', string.format('%.0f', due), 'ats', 0)
    return
  end
  qd.enqueue(queue, id, tonumber(job[2]) or 0)
  qd.wake(queue)
  qd.note(queue .. 'events', id, 'waiting', 'prev', 'waiting-children')
end
