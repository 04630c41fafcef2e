-- KEYS[1] hash of the limits in force, KEYS[2] hash of the configured ones, KEYS[3] hash of those set at run time, KEYS[4] set of known queues
-- ARGV prefix of every key, then one of
--   'configure', JSON {field: limit}      what the configuration says; replaces what an earlier one said
--   'set', JSON {field: {value, by, at}}  set at run time; value false lifts the limit
--   'reset', JSON [field]                 back to what the configuration says
--   'assert', JSON {field: limit}         repairs what is in force from the other two; the configuration counts where Redis lost them
-- Fields: global, user, u:<user>, t:<type>, q:<queue>. A queue's own limit is BullMQ's concurrency of that queue. Answers whether anything that is
-- in force has changed. In one call with everything that follows from a change, so that no claim meets half of it.
local base, mode = ARGV[1], ARGV[2]
local function all(key)
  local found, out = rcall('HGETALL', key), {}
  for i = 1, #found, 2 do out[found[i]] = found[i + 1] end
  return out
end
local configured, changes = all(KEYS[2]), ARGV[3] and cjson.decode(ARGV[3])
local managed = {}
for field in pairs(configured) do managed[field] = true end
if mode == 'assert' and next(configured) == nil then mode = 'configure' end
if mode == 'configure' then
  rcall('DEL', KEYS[2])
  configured = {}
  for field, value in pairs(changes) do
    configured[field] = tostring(value)
    managed[field] = true
    rcall('HSET', KEYS[2], field, value)
  end
elseif mode == 'set' then
  for field, change in pairs(changes) do rcall('HSET', KEYS[3], field, cjson.encode(change)) end
elseif mode == 'reset' then
  for _, field in ipairs(changes) do
    managed[field] = true
    rcall('HDEL', KEYS[3], field)
  end
end
local wanted, overrides = configured, all(KEYS[3])
for field, json in pairs(overrides) do
  local value = cjson.decode(json).value
  managed[field] = true
  wanted[field] = value and string.format('%d', value) or nil
  -- Without a field of his own a user has the limit of every user.
  if not value and string.sub(field, 1, 2) == 'u:' then wanted[field] = '0' end
end
local force, changed = all(KEYS[1]), false
-- One limit that is set after Redis was emptied does not tell what the others are.
if not force.known and (mode == 'configure' or mode == 'assert') then
  rcall('HSET', KEYS[1], 'known', 1)
  changed = true
end
for field in pairs(force) do
  if not (wanted[field] or field == 'busy' or field == 'known' or field == 'users' or field == 'types' or field == 'n' or field == 'counted') then
    rcall('HDEL', KEYS[1], field)
    changed = true
  end
end
local users, types = 0, 0
for field, value in pairs(wanted) do
  local kind = string.sub(field, 1, 2)
  if kind == 'u:' then users = users + 1 elseif kind == 't:' then types = types + 1 end
  if kind ~= 'q:' and force[field] ~= value then
    rcall('HSET', KEYS[1], field, value)
    changed = true
  end
end
if users > 0 then rcall('HSET', KEYS[1], 'users', users) else rcall('HDEL', KEYS[1], 'users') end
if types > 0 then rcall('HSET', KEYS[1], 'types', types) else rcall('HDEL', KEYS[1], 'types') end
for field in pairs(managed) do
  if string.sub(field, 1, 2) == 'q:' then
    local meta = base .. ':' .. string.sub(field, 3) .. ':meta'
    if rcall('HGET', meta, 'concurrency') ~= (wanted[field] or false) then
      if wanted[field] then rcall('HSET', meta, 'concurrency', wanted[field]) else rcall('HDEL', meta, 'concurrency') end
      changed = true
    end
  end
end
if not changed then return 0 end
local gated = rcall('HEXISTS', KEYS[1], 'global') + rcall('HEXISTS', KEYS[1], 'user') + users + types > 0
gate.recount(base .. ':~:', gated)
-- One with another program's data at a key of its own (foreign_keys.ts) keeps no other queue from its repair.
for _, queue in ipairs(rcall('SMEMBERS', KEYS[4])) do pcall(gate.sweep, base .. ':' .. queue .. ':') end
return gate.done(1)
