import type { EditSet } from './edits.ts'
import { DUPLICATE_JOB } from './edits.ts'

/** Answered by `addParentJob` when waiting for the jobs that it names would close a circle. */
export const CLOSES_CIRCLE = -103

/**
 * Flows: a blocked job is added together with what it waits for, and the end of a job that others wait for releases them, each in the
 * same atomic call (lua/flows.lua). Jobs that nobody waits for pay a field more in a read that is there anyway.
 */
export const FLOWS: Omit<EditSet, 'prelude'> = {
  name: 'flows',
  scripts: {
    addParentJob: [
      {
        find: `local jobCounter = rcall("INCR", idKey)`,
        put: `if ARGV[5] then
    flow.open(args[1])
    if rcall("EXISTS", args[1] .. args[2]) == 1 then return ${DUPLICATE_JOB} end
    local unknown = flow.unknown(ARGV, 6)
    if unknown then return unknown end
    if flow.circles(args[1] .. args[2], ARGV, 6) then return ${CLOSES_CIRCLE} end
end
local jobCounter = rcall("INCR", idKey)`,
      },
      {
        find: `-- Store the job.
storeJob(`,
        put: `if ARGV[5] and opts.qd and opts.qd.unique then
    local holder = qd.takeUnique(args[1], jobId, args[3], opts.qd.unique, opts.qd.again)
    if holder then return {holder} end
end
storeJob(`,
      },
      {
        find: `if parentDependenciesKey ~= nil then
    rcall("SADD", parentDependenciesKey, jobIdKey)
end
return jobId`,
        put: `if parentDependenciesKey ~= nil then
    rcall("SADD", parentDependenciesKey, jobIdKey)
end
if ARGV[5] then
    if ARGV[5] == "1" then flow.keep(jobIdKey, ARGV, 6) end
    flow.register(jobIdKey, ARGV, 6, ARGV[5])
end
return jobId`,
      },
    ],
    moveToFinished: [
      { find: `"cr", "name", "sl", "atm")`, put: `"cr", "name", "sl", "atm", "fw")` },
      {
        find: `    -- Collect metrics`,
        put: `    if jobAttributes[9] then
        qd.flowEnded(prefix, jobIdKey, ARGV[5] == "completed" and "c" or jobAttributes[5] and "x" or "f", ARGV[6] == "1")
    end
    -- Collect metrics`,
      },
    ],
  },
}
