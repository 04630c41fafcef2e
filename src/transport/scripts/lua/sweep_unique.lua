-- KEYS[1] hash of the keys that unique jobs hold until they start or end; ARGV cursor, count, '1' to only count.
-- Gives back keys of a piece of it whose jobs are gone, have ended, or, where that is enough, have started. Answers {next cursor, how many}.
local found, stale = rcall('HSCAN', KEYS[1], ARGV[1], 'COUNT', ARGV[2]), {}
for i = 1, #found[2], 2 do
  if not qd.holds(found[2][i + 1]) then stale[#stale + 1] = found[2][i] end
end
if ARGV[3] ~= '1' then for _, field in ipairs(stale) do rcall('HDEL', KEYS[1], field) end end
return {found[1], #stale}
