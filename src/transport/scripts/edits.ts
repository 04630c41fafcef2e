/**
 * One counted replacement in the text of one of BullMQ's scripts. It must occur exactly `times` times (default once): a
 * text that moved is never edited by guess.
 */
export type Edit = { find: string; put: string; times?: number }

/**
 * Edits that belong together: what they are for, Lua that goes in front of each script they touch, and the replacements
 * per script. Sets are applied one after the other, so a later set (a claim gate, say) meets the texts as earlier sets
 * left them and states its own counts for them.
 */
export type EditSet = { name: string; prelude: string; scripts: Record<string, Edit[]> }

/** Answered by a script instead of one of BullMQ's codes: the job was told to stop, only its failure is accepted. */
export const CANCEL_REQUESTED = -101

/** Answered by the add scripts when they were asked to refuse an id that exists. */
export const DUPLICATE_JOB = -102

/** The stream is cut by our cap, in the entry `added`, and by the mirror: never by the length another tool left in `meta`. */
const ownCap: Edit = {
  find: `  local maxEvents = rcall("HGET", metaKey, "opts.maxLenEvents")
  if not maxEvents then
    maxEvents = 10000
    rcall("HSET", metaKey, "opts.maxLenEvents", maxEvents)
  end
  return maxEvents`,
  put: `  return CAP`,
}

/** `added` goes before the hash is written, so that its id is stored with the other fields and costs no command. */
const added: Edit[] = [
  {
    find: `rcall("HMSET", jobIdKey, "name", name,`,
    put: `rcall("HMSET", jobIdKey, "eid", qd.added(eventsKey, jobId, name, data, jsonOpts, opts, timestamp), "name", name,`,
  },
  {
    find: `    rcall("XADD", eventsKey, "*", "event", "added", "jobId", jobId, "name", name)\n`,
    put: '',
  },
]

/** Says nothing that `added` has not said: one entry in four less. */
const twinOfAdded = (indent: string): Edit => ({
  find: `rcall("XADD", eventsKey, "MAXLEN", "~", maxEvents, "*", "event", "waiting",\n${indent}"jobId", jobId)`,
  put: '',
})

const addedDelayed: Edit = {
  find: `rcall("XADD", eventsKey, "MAXLEN", "~", maxEvents, "*", "event", "delayed",\n    "jobId", jobId, "delay", delayedTimestamp)`,
  put: `qd.note(eventsKey, jobId, "delayed", "delay", delayedTimestamp)`,
}

const registered: Edit = {
  find: `local parentDependenciesKey = args[6]`,
  put: `local parentDependenciesKey = args[6] qd.register(args[1], jobCounter)`,
}

const refusedWhenKnown: Edit = {
  find: `    if rcall("EXISTS", jobIdKey) == 1 then\n`,
  put: `    if rcall("EXISTS", jobIdKey) == 1 then\n        if ARGV[4] == "1" then return ${DUPLICATE_JOB} end\n`,
}

/** Before anything of the job is written; only for dispatches of ours. */
const uniqueTaken: Edit = {
  find: `local deduplicationJobId = deduplicateJob(opts['de'],`,
  put: `if ARGV[4] == "1" and opts.qd and opts.qd.unique then
  local holder = qd.takeUnique(args[1], jobId, args[3], opts.qd.unique, opts.qd.again)
  if holder then return {holder} end
end
local deduplicationJobId = deduplicateJob(opts['de'],`,
}

const parentDelayed: Edit = {
  find: `rcall("XADD", parentQueueKey .. ":events", "*", "event", "delayed", "jobId", parentId, "delay",\n            delayedTimestamp)`,
  put: `qd.note(parentQueueKey .. ":events", parentId, "delayed", "delay", delayedTimestamp)`,
}

const parentWaiting: Edit = {
  find: `rcall("XADD", parentQueueKey .. ":events", "*", "event", "waiting", "jobId", parentId, "prev",\n            "waiting-children")`,
  put: `qd.note(parentQueueKey .. ":events", parentId, "waiting", "prev", "waiting-children")`,
}

const orphanedParentWaiting: Edit = {
  find: `rcall("XADD", parentEventStream, "*", "event", "waiting", "jobId", parentId, "prev", "waiting-children")`,
  put: `qd.note(parentEventStream, parentId, "waiting", "prev", "waiting-children")`,
}

const promoted: Edit = {
  find: `            rcall("XADD", eventStreamKey, "*", "event", "waiting", "jobId",
                  jobId, "prev", "delayed")
            rcall("HSET", jobKey, "delay", 0)`,
  put: `            rcall("HSET", jobKey, "delay", 0, "eid", rcall("XADD", eventStreamKey, "*", "event", "waiting", "jobId",
                  jobId, "prev", "delayed"))`,
}

const claimed: Edit = {
  find: `  rcall("XADD", eventStreamKey, "*", "event", "active", "jobId", jobId, "prev", "waiting")
  rcall("HMSET", jobKey, "processedOn", processedOn, unpack(optionalValues))
  rcall("HINCRBY", jobKey, "ats", 1)`,
  put: `  local ats = rcall("HINCRBY", jobKey, "ats", 1)
  rcall("HMSET", jobKey, "processedOn", processedOn, "eid", rcall("XADD", eventStreamKey, "*", "event", "active",
    "jobId", jobId, "ats", ats, "pb", opts['name'] or ''), unpack(optionalValues))`,
}

/** Our workers say in few bytes what they are, see lua/entries.lua. */
const ownOptions = (place: number): Edit => ({
  find: `cmsgpack.unpack(ARGV[${place}])`,
  put: `qd.options(ARGV[${place}])`,
})

const bulkRemoved: Edit = {
  find: `    removeDeduplicationKeyIfNeededOnRemoval(baseKey, jobId, deduplicationId)\n  end\n  removeJobKeys(jobKey)`,
  put: `    removeDeduplicationKeyIfNeededOnRemoval(baseKey, jobId, deduplicationId)\n  end\n  if removeJobKeys(jobKey) > 0 then qd.removed(baseKey, jobId) end`,
}

const adding = [ownCap, ...added, registered, refusedWhenKnown, parentDelayed, parentWaiting]

/**
 * Rich entries: every change of a job carries what its record needs, atomically with the change. While a cancellation is
 * requested (`cr` in the hash) a job can only fail.
 */
export const RICH_ENTRIES: Omit<EditSet, 'prelude'> = {
  name: 'rich entries',
  scripts: {
    addStandardJob: [...adding, uniqueTaken, addedDelayed, twinOfAdded('      ')],
    addPrioritizedJob: [...adding, uniqueTaken, addedDelayed, twinOfAdded('      ')],
    addDelayedJob: [...adding, uniqueTaken, addedDelayed],
    addParentJob: [
      ...adding,
      {
        find: `rcall("XADD", eventsKey, "MAXLEN", "~", maxEvents, "*", "event",\n      "waiting-children", "jobId", jobId)`,
        put: `qd.note(eventsKey, jobId, "waiting-children")`,
      },
    ],
    moveToActive: [claimed, promoted, ownOptions(3)],
    moveToFinished: [
      ownOptions(8),
      ownCap,
      ...added,
      twinOfAdded('        '),
      addedDelayed,
      claimed,
      promoted,
      parentDelayed,
      parentWaiting,
      orphanedParentWaiting,
      bulkRemoved,
      { find: `    trimEvents(metaKey, eventStreamKey)\n`, put: '' },
      // One read instead of EXISTS and HMGET; a hash without a name is no job (the ghost of a late write by another tool).
      {
        find: `if rcall("EXISTS", jobIdKey) == 1 then -- Make sure job exists`,
        put: `local jobAttributes = rcall("HMGET", jobIdKey, "parentKey", "parent", "deid", "ats", "cr", "name", "sl", "atm")
if jobAttributes[6] then
    if ARGV[5] == "completed" and jobAttributes[5] then return ${CANCEL_REQUESTED} end`,
      },
      {
        find: `    local jobAttributes = rcall("HMGET", jobIdKey, "parentKey", "parent", "deid")\n`,
        put: '',
      },
      // An ended job that is left in `stalled` changes nothing: who looks through it passes over what is not active.
      {
        find: `      rcall("DEL", lockKey)
      rcall("SREM", stalledKey, jobId)\n`,
        put: `      rcall("DEL", lockKey)\n`,
      },
      // One look for the usual job, which never had children.
      {
        find: `        if rcall("SCARD", jobIdKey .. ":dependencies") ~= 0 then
            return -4
        end
        if rcall("ZCARD", jobIdKey .. ":unsuccessful") ~= 0 then
            return -9
        end`,
        put: `        if rcall("EXISTS", jobIdKey .. ":dependencies", jobIdKey .. ":unsuccessful") ~= 0 then
            return rcall("EXISTS", jobIdKey .. ":dependencies") == 1 and -4 or -9
        end`,
      },
      {
        find: `local attemptsMade = rcall("HINCRBY", jobIdKey, "atm", 1)`,
        put: `local attemptsMade = string.format('%d', (jobAttributes[8] or 0) + 1)`,
      },
      {
        find: `rcall("HSET", jobIdKey, ARGV[3], ARGV[4], "finishedOn", timestamp)`,
        put: `rcall("HSET", jobIdKey, "atm", attemptsMade, ARGV[3], ARGV[4], "finishedOn", timestamp, "eid", qd.finished(eventStreamKey, jobId, ARGV[5],
            ARGV[3], ARGV[4], jobAttributes[4], ARGV[9], jobAttributes[5]))
            if ARGV[10] ~= '0' then qd.freeUnique(jobIdKey, jobAttributes[6], rcall("HGET", jobIdKey, "opts")) end`,
      },
      {
        find: `    rcall("XADD", eventStreamKey, "*", "event", ARGV[5], "jobId", jobId, ARGV[3], ARGV[4], "prev", "active")
    if ARGV[5] == "failed" then
        if tonumber(attemptsMade) >= tonumber(attempts) then
            rcall("XADD", eventStreamKey, "*", "event", "retries-exhausted", "jobId", jobId, "attemptsMade",
                attemptsMade)
        end
    end\n`,
        put: `    if maxCount == 0 then
        qd.finished(eventStreamKey, jobId, ARGV[5], ARGV[3], ARGV[4], jobAttributes[4], ARGV[9], jobAttributes[5])
    end\n`,
      },
      // Tells about no job, and an idle queue would write it after every single one.
      {
        find: `    local waitLen = rcall("LLEN", KEYS[1])
    if waitLen == 0 then
        local activeLen = rcall("LLEN", KEYS[2])
        if activeLen == 0 then
            local prioritizedLen = rcall("ZCARD", KEYS[3])
            if prioritizedLen == 0 then
                rcall("XADD", eventStreamKey, "*", "event", "drained")
            end
        end
    end\n`,
        put: '',
      },
    ],
    moveToDelayed: [
      ownCap,
      claimed,
      promoted,
      {
        find: `if rcall("EXISTS", jobKey) == 1 then`,
        put: `local known = rcall("HMGET", jobKey, "name", "ats", "cr")
if known[1] then
    if known[3] then return ${CANCEL_REQUESTED} end`,
      },
      { find: `    rcall("HSET", jobKey, "delay", ARGV[5])\n`, put: '' },
      {
        find: `    rcall("XADD", KEYS[6], "MAXLEN", "~", maxEvents, "*", "event", "delayed",
          "jobId", jobId, "delay", delayedTimestamp)`,
        put: `    rcall("HSET", jobKey, "delay", ARGV[5])
    qd.left(KEYS[6], jobId, known[2], ARGV[7], "delayed", "delay", delayedTimestamp)`,
      },
    ],
    retryJob: [
      ownCap,
      promoted,
      {
        find: `if rcall("EXISTS", jobKey) == 1 then`,
        put: `local known = rcall("HMGET", jobKey, "name", "ats", "cr")
if known[1] then
  if known[3] then return ${CANCEL_REQUESTED} end`,
      },
      {
        find: `  rcall("XADD", KEYS[6], "MAXLEN", "~", maxEvents, "*", "event", "waiting",
    "jobId", ARGV[4], "prev", "active")`,
        put: `  qd.left(KEYS[6], ARGV[4], known[2], ARGV[6], "waiting", "prev", "active")`,
      },
    ],
    moveJobFromActiveToWait: [
      ownCap,
      // Ours say which attempt gives the job back: a lock's token may be that of its next one too.
      {
        find: `if rcall("EXISTS", jobKey) == 0 then
  return -1
end`,
        put: `local known = rcall("HMGET", jobKey, "name", "ats", "cr")
if not known[1] then return -1 end
if ARGV[4] and ARGV[4] ~= known[2] then return -6 end
if known[3] then return ${CANCEL_REQUESTED} end`,
      },
      {
        find: `  rcall("XADD", KEYS[9], "MAXLEN", "~", maxEvents, "*", "event", "waiting",
    "jobId", jobId, "prev", "active")`,
        put: `  qd.left(KEYS[9], jobId, known[2], nil, "waiting", "prev", "active")`,
      },
    ],
    moveStalledJobsToWait: [
      ownCap,
      { find: `\ntrimEvents(metaKey, eventStreamKey)\n`, put: '\n' },
      {
        find: `rcall("XADD", eventStreamKey, "*", "event", "waiting", "jobId", jobId, 'prev', 'active')`,
        put: `local jobKey = string.sub(eventStreamKey, 1, -7) .. jobId
  qd.note(eventStreamKey, jobId, "waiting", "prev", "active", "ats", rcall("HGET", jobKey, "ats") or 0, "lost", 1)`,
      },
      {
        find: `                    moveJobToWait(metaKey, activeKey, waitKey, pausedKey, markerKey, eventStreamKey, jobId,
                        "RPUSH")
                    -- Emit the stalled event
                    rcall("XADD", eventStreamKey, "*", "event", "stalled", "jobId", jobId)`,
        put: `                    if not qd.stoppedWithWorker(queueKeyPrefix, eventStreamKey, jobId, jobKey) then
                        moveJobToWait(metaKey, activeKey, waitKey, pausedKey, markerKey, eventStreamKey, jobId,
                            "RPUSH")
                        qd.note(eventStreamKey, jobId, "stalled")
                    end`,
      },
    ],
    moveToWaitingChildren: [
      {
        find: `if rcall("EXISTS", jobKey) == 1 then`,
        put: `local known = rcall("HMGET", jobKey, "name", "cr")
if known[1] then
  if known[2] then return ${CANCEL_REQUESTED} end`,
      },
      {
        find: `rcall("XADD", eventStreamKey, "*", "event", "waiting-children", "jobId", jobId, 'prev', 'active')`,
        put: `qd.note(eventStreamKey, jobId, "waiting-children", "prev", "active")`,
      },
    ],
    promote: [
      {
        find: `    rcall("XADD", KEYS[8], "*", "event", "waiting", "jobId", jobId, "prev",
          "delayed");`,
        put: `    qd.note(KEYS[8], jobId, "waiting", "prev", "delayed")`,
      },
    ],
    changeDelay: [
      ownCap,
      {
        find: `  rcall("XADD", KEYS[4], "MAXLEN", "~", maxEvents, "*", "event", "delayed",
    "jobId", jobId, "delay", delayedTimestamp)`,
        put: `  qd.note(KEYS[4], jobId, "delayed", "delay", delayedTimestamp)`,
      },
    ],
    reprocessJob: [
      ownCap,
      {
        find: `    rcall("XADD", KEYS[2], "MAXLEN", "~", maxEvents, "*", "event", "waiting",
      "jobId", jobId, "prev", ARGV[4]);`,
        put: `    qd.rerun(KEYS[2], jobId, ARGV[4])`,
      },
    ],
    moveJobsToWait: [
      ownCap,
      {
        find: `        rcall("XADD", KEYS[2], "MAXLEN", "~", maxEvents, "*", "event",
              "waiting", "jobId", key, "prev", ARGV[3]);`,
        put: `        if ARGV[3] == "delayed" then qd.note(KEYS[2], key, "waiting", "prev", ARGV[3])
        else qd.rerun(KEYS[2], key, ARGV[3]) end`,
      },
    ],
    updateProgress: [ownCap],
    removeJob: [ownCap, orphanedParentWaiting],
    removeUnprocessedChildren: [ownCap, orphanedParentWaiting],
    removeChildDependency: [orphanedParentWaiting],
    releaseParentIfNoPendingDependencies: [parentDelayed, parentWaiting],
    addJobScheduler: [
      ownCap,
      ...added,
      twinOfAdded('        '),
      addedDelayed,
      orphanedParentWaiting,
      bulkRemoved,
    ],
    updateJobScheduler: [ownCap, ...added, twinOfAdded('        '), addedDelayed],
    drain: [orphanedParentWaiting, bulkRemoved],
    cleanJobsInSet: [orphanedParentWaiting, bulkRemoved],
    obliterate: [
      orphanedParentWaiting,
      bulkRemoved,
      // What was removed is told by the stream: it stays until the mirror has read it.
      { find: `    baseKey .. 'events',\n`, put: '' },
    ],
    // Unchanged: as functions they may run while Redis is full, so a running job keeps its lease.
    extendLock: [],
    extendLocks: [],
  },
}
