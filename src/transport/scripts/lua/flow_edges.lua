-- KEYS[1] job; ARGV queue prefix, '1' when more follows, then edges as flow.register takes them: a further piece of a long list.
-- Answers 1, {'', keys...} of awaited jobs that nobody knows, or 0 when the job does not wait for its list any more.
flow.open(ARGV[1])
if not flow.isOpen(KEYS[1]) then return 0 end
local unknown = flow.unknown(ARGV, 3)
if unknown then return unknown end
flow.keep(KEYS[1], ARGV, 3)
flow.register(KEYS[1], ARGV, 3, ARGV[2])
return 1
