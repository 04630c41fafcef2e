-- KEYS[1] a job that waits; ARGV queue prefix, job id, '1' when more follows, how, then edges as flow.register takes them: to jobs that run again.
-- It waits for those too, and what came of them before counts no more. Where they were what it met (how = '' finds out), nothing is done, and
-- 'anew' is answered: the whole list is wanted, its first piece as 'first', others as 'anew'. Else 'done'; 'gone' when it does not wait any more.
local w, how = KEYS[1], ARGV[4]
flow.open(ARGV[1])
if not rcall('ZSCORE', ARGV[1] .. 'waiting-children', ARGV[2]) then return 'gone' end
if how == '' and flow.isStale(w) then return 'anew' end
if how == 'first' then rcall('HDEL', w, 'fv') end
flow.register(w, ARGV, 5, ARGV[3], how == '')
return 'done'
