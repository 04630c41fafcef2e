-- KEYS[1] stream of actions; ARGV one of them, as JSON. A script, so that people can still act while Redis is full.
return rcall('XADD', KEYS[1], '*', 'entry', ARGV[1])
