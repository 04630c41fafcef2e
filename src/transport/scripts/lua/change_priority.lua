-- KEYS[1] job, KEYS[2] event stream; ARGV queue prefix, job id, priority, by
-- Answers done, same (it has that priority), running, blocked (it waits for other jobs), too_late (it has ended, or was told to stop) or missing.
local jobKey, events, prefix, id, priority, by = KEYS[1], KEYS[2], ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
local job = rcall('HMGET', jobKey, 'name', 'priority', 'opts', 'cr')
if not job[1] then return 'missing' end
local state = qd.state(prefix, id)
if state == 'completed' or state == 'failed' or job[4] then return 'too_late' end
if state == 'active' then return 'running' end
if state == 'waiting-children' then return 'blocked' end
if (tonumber(job[2]) or 0) == priority then return 'same' end
-- One that a limit holds back goes in front of the limit again, so that its new place counts among the others' too.
if state ~= 'delayed' and (rcall('ZREM', prefix .. 'prioritized', id) == 1 or gate.unparked(prefix, id, job[3], job[1])
  or rcall('LREM', prefix .. 'wait', -1, id) == 1) then
  qd.enqueue(prefix, id, priority)
  qd.wake(prefix)
end
rcall('HSET', jobKey, 'priority', priority)
rcall('HDEL', jobKey, 'ps')
qd.note(events, id, 'priority-changed', 'priority', priority, 'by', by)
return 'done'
