-- KEYS[1] job, KEYS[2] hash of its schedule, KEYS[3] list of its runs that wait, KEYS[4] set of schedules with such runs, KEYS[5] when schedules
-- were last looked after, KEYS[6] list of the times when nobody did
-- ARGV schedule, due (ms), overlap, missed, '1' when somebody asked for this run, how late is late (ms), reasons of a run that is left out: for
-- an overlap, for a missed one
-- Asked before a job of a schedule runs. Answers {verdict, run that it overlaps}: run, wait, overlap, missed. A run that is left out carries the
-- request to end it as cancelled. What was said of a moment is said again.
local job, due = KEYS[1], tonumber(ARGV[2])
local known = rcall('HMGET', KEYS[2], 'decided', 'verdict', 'current')
local current = known[3] or ''
local function isAlive(key)
  if key == '' or key == job or rcall('HEXISTS', key, 'name') == 0 then return false end
  local prefix, id = string.match(key, '^(.*:)([^:]*)$')
  return not rcall('ZSCORE', prefix .. 'completed', id) and not rcall('ZSCORE', prefix .. 'failed', id)
end
local function leaveOut(verdict, reason)
  rcall('HSET', KEYS[2], 'decided', ARGV[2], 'verdict', verdict)
  rcall('HSET', job, 'cr', cjson.encode({at = qd.now(), by = 'schedule', reason = reason}))
  return {verdict, current}
end
local function start()
  rcall('HSET', KEYS[2], 'current', job)
  return {'run', current}
end
if ARGV[5] == '1' then return start() end
local decided = tonumber(known[1] or '')
if decided and due < decided then return start() end
if decided and due == decided and known[2] ~= 'run' then
  return leaveOut(known[2], known[2] == 'missed' and ARGV[8] or ARGV[7])
end
if decided == due then return start() end
if ARGV[4] == 'skip' and qd.now() - due > tonumber(ARGV[6]) then
  local last = tonumber(rcall('GET', KEYS[5]) or '')
  local wasAway = not last or last < due
  for _, away in ipairs(rcall('LRANGE', KEYS[6], 0, -1)) do
    local from, to = string.match(away, '^(%d+)-(%d+)$')
    if tonumber(from) <= due and due <= tonumber(to) then wasAway = true end
  end
  if wasAway then return leaveOut('missed', ARGV[8]) end
end
local first = ARGV[3] == 'queue' and rcall('LINDEX', KEYS[3], 0)
if isAlive(current) or (first and first ~= job) then
  if ARGV[3] ~= 'queue' then return leaveOut('overlap', ARGV[7]) end
  if not rcall('LPOS', KEYS[3], job) then rcall('RPUSH', KEYS[3], job) end
  rcall('SADD', KEYS[4], ARGV[1])
  return {'wait', current}
end
if first == job then rcall('LPOP', KEYS[3]) end
rcall('HSET', KEYS[2], 'decided', ARGV[2], 'verdict', 'run')
return start()
