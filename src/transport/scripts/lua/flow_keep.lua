-- KEYS[1] jobs that have ended and whose waiting jobs are not all told; ARGV prefix of any queue, edges to settle, awaited jobs to look at, age at
-- which a list that is not whole is given up (ms), then outcome letter + key of jobs that are known to have ended.
-- Answers {1 while there is more to settle, keys of awaited jobs that Redis does not hold}.
flow.open(ARGV[1])
flow.giveUp(tonumber(ARGV[4]))
flow.said(ARGV, 5)
local gone = tonumber(ARGV[3]) > 0 and flow.look(tonumber(ARGV[3])) or {}
return {flow.settle(tonumber(ARGV[2])), gone}
