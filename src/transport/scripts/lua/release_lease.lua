-- KEYS[1] lease; ARGV owner. Answers 1 when it was the owner's.
if rcall('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return rcall('DEL', KEYS[1])
