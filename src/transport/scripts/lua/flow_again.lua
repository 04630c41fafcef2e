-- KEYS[1] a job that waits; ARGV queue prefix, job id, '1' when more follows, how ('' for the first piece, else what that answered), then edges as
-- flow.register takes them. One of those that it waits for runs again: it waits for that one too, and what came of it before counts no more.
-- Answers 'gone' when the job does not wait any more, 'anew' when it is judged once more what came of all others, 'as before' when not.
local w, how = KEYS[1], ARGV[4]
flow.open(ARGV[1])
if not rcall('ZSCORE', ARGV[1] .. 'waiting-children', ARGV[2]) then return 'gone' end
if how == '' then how = flow.forget(w) and 'anew' or 'as before' end
flow.register(w, ARGV, 5, ARGV[3], how ~= 'anew')
return how
