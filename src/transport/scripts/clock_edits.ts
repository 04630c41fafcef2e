import type { Edit, EditSet } from './edits.ts'

/**
 * The process' own time gives way to Redis'. What is answered about later moments is turned into the process' time again, so
 * that it can wait for them.
 */
const redisTime: Edit = {
  find: `local rcall = redis.call\n`,
  put: `local rcall = redis.call\nqd.clock(ARGV)\n`,
}

const nextDue: Edit = {
  find: `{0, 0, 0, nextTimestamp}`,
  put: `{0, 0, 0, nextTimestamp + qd.ahead()}`,
}

/** Of a queue that is full or paused too: whoever looks has taken the marker that told it. */
const nextDueOfFull: Edit = {
  find: `if isPausedOrMaxed then return {0, 0, 0, 0} end`,
  put: `if isPausedOrMaxed then
  local due = getNextDelayedTimestamp(delayedKey)
  return {0, 0, 0, due and due + qd.ahead() or 0}
end`,
}

/**
 * The same look for due jobs, of whose numbers Redis has to write one instead of four, and from the very first on: another producer's may
 * be due before 1970.
 */
const lookForDue: Edit = {
  find: `rcall("ZRANGEBYSCORE", delayedKey, 0, (timestamp + 1) * 0x1000 - 1, "LIMIT", 0, 1000)`,
  put: `rcall("ZRANGEBYSCORE", delayedKey, "-inf", (timestamp + 1) * 0x1000 - 1, "LIMIT", "0", "1000")`,
}

/**
 * One clock for everything that is compared: Redis'. BullMQ takes the time of whichever process calls, so a worker whose clock is
 * an hour ahead would start delayed jobs an hour early, and one that is behind would make what just ended look an hour old. Applied
 * after the other sets.
 */
export const ONE_CLOCK: Omit<EditSet, 'prelude'> = {
  name: 'one clock',
  scripts: {
    moveToActive: [redisTime, nextDue, nextDueOfFull, lookForDue],
    moveToFinished: [redisTime, nextDue, lookForDue],
    moveToDelayed: [redisTime, nextDue, lookForDue],
    retryJob: [redisTime, lookForDue],
    changeDelay: [redisTime],
    addDelayedJob: [
      {
        find: `addDelayedJob(jobId, delayedKey, eventsKey, timestamp, maxEvents, KEYS[1], delay)`,
        put: `addDelayedJob(jobId, delayedKey, eventsKey, qd.from(opts, delay), maxEvents, KEYS[1], delay)`,
      },
    ],
  },
}
