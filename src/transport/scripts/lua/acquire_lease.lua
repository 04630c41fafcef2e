-- KEYS[1] lease; ARGV owner, milliseconds. Takes a free lease or prolongs one's own; answers 1 when the owner has it.
local owner = rcall('GET', KEYS[1])
if owner and owner ~= ARGV[1] then return 0 end
rcall('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
