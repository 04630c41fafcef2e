-- KEYS[1] hash of the limits in force; ARGV queue prefix. Repairs one queue: see gate.sweep.
return gate.done(gate.sweep(ARGV[1]))
