-- KEYS[1] job, KEYS[2] hash of its schedule, KEYS[3] list of its runs that wait, KEYS[4] set of schedules with such runs, KEYS[5] when schedules
-- were last looked after, KEYS[6] list of the times when nobody did
-- ARGV schedule, due (ms), run of the job that the policies decide about, overlap, missed, '1' when somebody asked for this job, how late is late
-- (ms), reasons of a run that is left out: for an overlap, for a missed one
-- Asked before a job of a schedule runs. Answers {verdict, run that it overlaps}: run, wait, overlap, missed. A run that is left out carries the
-- request to end it as cancelled. The job keeps what was said (`sv`): another attempt is told the same.
local job, due, overlap = KEYS[1], tonumber(ARGV[2]), ARGV[4]
local known = rcall('HMGET', job, 'run', 'sv')
-- One that somebody asked for starts beside others: all that have not ended count.
local current = qd.runsOf(KEYS[2], job)
local function leaveOut(verdict)
  local reason = verdict == 'missed' and ARGV[9] or ARGV[8]
  rcall('HSET', job, 'sv', verdict, 'cr', cjson.encode({at = qd.now(), by = 'schedule', reason = reason}))
  return {verdict, current[1] or ''}
end
local function start()
  rcall('HSET', KEYS[2], 'current', job .. '\n' .. table.concat(current, '\n'))
  return {'run', current[1] or ''}
end
if ARGV[6] == '1' or (tonumber(known[1] or '') or 1) > tonumber(ARGV[3]) or known[2] == 'run' then return start() end
if known[2] then return leaveOut(known[2]) end
if ARGV[5] == 'skip' and qd.now() - due > tonumber(ARGV[7]) then
  local last = tonumber(rcall('GET', KEYS[5]) or '')
  local wasAway = not last or last < due
  for _, away in ipairs(rcall('LRANGE', KEYS[6], 0, -1)) do
    local from, to = string.match(away, '^(%d+)-(%d+)$')
    if tonumber(from) <= due and due <= tonumber(to) then wasAway = true end
  end
  if wasAway then return leaveOut('missed') end
end
local first = overlap == 'queue' and rcall('LINDEX', KEYS[3], 0)
if current[1] or (first and first ~= job) then
  if overlap ~= 'queue' then return leaveOut('overlap') end
  if not rcall('LPOS', KEYS[3], job) then rcall('RPUSH', KEYS[3], job) end
  rcall('SADD', KEYS[4], ARGV[1])
  return {'wait', current[1] or ''}
end
if first == job then rcall('LPOP', KEYS[3]) end
rcall('HSET', job, 'sv', 'run')
return start()
