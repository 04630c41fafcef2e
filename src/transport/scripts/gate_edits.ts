import type { Edit, EditSet } from './edits.ts'

/**
 * Where a script takes the next job: `pops` looks at the wait list, below the queue's prefix `prefix`. `limited`: whether it may
 * take none while Redis knows no limits.
 */
const claims = (pops: number, prefix: string, limited = 'nil'): Edit[] => [
  {
    find: `rcall("RPOPLPUSH", waitKey, activeKey)`,
    put: `gate.take(${prefix}, ${limited})`,
    times: pops,
  },
  // The gate has looked there already.
  { find: `rcall("ZPOPMIN", priorityKey)`, put: `{}` },
  // Parked jobs keep their priority score, so the counter behind it never starts again.
  { find: `rcall("DEL", priorityCounterKey)`, put: '' },
  { find: `rcall("ZRANGE", delayedKey, 0, 0, "WITHSCORES")`, put: `gate.due(delayedKey)` },
  {
    find: `  local ats = rcall("HINCRBY", jobKey, "ats", 1)
  rcall("HMSET", jobKey, "processedOn"`,
    put: `  local job, ats = gate.fetch(jobKey, processedOn, opts, optionalValues)
  rcall("HMSET", jobKey, "ats", ats, "processedOn"`,
  },
  {
    find: `return {rcall("HGETALL", jobKey), jobId, 0, 0}`,
    put: `return {job, jobId, 0, 0}`,
  },
  // Waking another worker is pointless after the last slot went: a release wakes the starved queue.
  {
    find: `  addBaseMarkerIfNeeded(markerKey, false)`,
    put: `  if gate.more then addBaseMarkerIfNeeded(markerKey, false) end`,
  },
]

/**
 * The claim gate: limits over all processes, decided inside the claim (lua/gate*.lua). Applied after the rich entries, whose
 * texts its anchors state.
 */
export const CLAIM_GATE: Omit<EditSet, 'prelude'> = {
  name: 'claim gate',
  scripts: {
    /** Our workers say more than BullMQ's. A claim at the end of a job needs no word: that job was there, so Redis was not emptied. */
    moveToActive: claims(2, 'ARGV[1]', 'ARGV[4]'),
    moveToFinished: [
      ...claims(1, 'prefix'),
      {
        find: `rcall("LREM", KEYS[2], -1, jobId)`,
        put: `gate.leave(KEYS[2], '-1', jobId, jobAttributes[7] or '', jobAttributes[6], ARGV[6] == "1")`,
      },
      {
        find: `jobAttributes[4], ARGV[9], jobAttributes[5]))`,
        put: `jobAttributes[4], ARGV[9], jobAttributes[5]), gate.ended(jobAttributes[7]))`,
      },
    ],
    moveToDelayed: [
      ...claims(1, 'prefix'),
      {
        find: `rcall("LREM", KEYS[2], -1, jobId)`,
        put: `gate.leave(KEYS[2], '-1', jobId, nil, nil, ARGV[8] == "1")`,
      },
    ],
    retryJob: [{ find: `rcall("LREM", KEYS[1],`, put: `gate.leave(KEYS[1],` }],
    moveToWaitingChildren: [{ find: `rcall("LREM", activeKey,`, put: `gate.leave(activeKey,` }],
    moveJobFromActiveToWait: [
      { find: `rcall("LREM", KEYS[1],`, put: `gate.leave(KEYS[1],` },
      {
        find: `    addJobInTargetList(KEYS[2], KEYS[8], "RPUSH", isPausedOrMaxed, jobId)`,
        put: `    gate.first(jobId)
    addJobInTargetList(KEYS[2], KEYS[8], "RPUSH", isPausedOrMaxed, jobId)`,
      },
      // BullMQ tells nobody of one with a priority.
      {
        find: `    pushBackJobWithPriority(KEYS[7], priority, jobId)`,
        put: `    pushBackJobWithPriority(KEYS[7], priority, jobId)
    addBaseMarkerIfNeeded(KEYS[8], isPausedOrMaxed)`,
      },
    ],
    moveStalledJobsToWait: [
      { find: `rcall("LREM", activeKey,`, put: `gate.leave(activeKey,`, times: 2 },
    ],
  },
}
