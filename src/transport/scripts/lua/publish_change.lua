-- KEYS[1] revision counter, KEYS[2] channel; ARGV the notice as a JSON object without its revision. Answers the revision.
local revision = rcall('INCR', KEYS[1])
rcall('PUBLISH', KEYS[2], '{"revision":' .. revision .. ',' .. string.sub(ARGV[1], 2))
return revision
