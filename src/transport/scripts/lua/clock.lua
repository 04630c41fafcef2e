-- In front of every script: the one clock. ARGV[2] of the scripts that take a time is the process' own; it becomes Redis', and `ahead` is by
-- how much the process' clock is ahead, ms.
qd.ahead = 0

function qd.clock(ARGV)
  local own = tonumber(ARGV[2])
  ARGV[2] = qd.now()
  qd.ahead = own and own - ARGV[2] or 0
end

-- From when on a new job's delay counts, so that it is due `delay` later, or at the moment that its producer named.
function qd.from(opts, delay)
  local at = opts.qd and tonumber(opts.qd.at)
  return at and at - tonumber(delay) or qd.now()
end
