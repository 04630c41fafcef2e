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
  put: `{0, 0, 0, nextTimestamp + qd.ahead}`,
}

/**
 * One clock for everything that is compared: Redis'. BullMQ takes the time of whichever process calls, so a worker whose clock is
 * an hour ahead would start delayed jobs an hour early, and one that is behind would make what just ended look an hour old. Applied
 * after the other sets.
 */
export const ONE_CLOCK: Omit<EditSet, 'prelude'> = {
  name: 'one clock',
  scripts: {
    moveToActive: [redisTime, nextDue],
    moveToFinished: [redisTime, nextDue],
    moveToDelayed: [redisTime, nextDue],
    retryJob: [redisTime],
    changeDelay: [redisTime],
    addDelayedJob: [
      {
        find: `addDelayedJob(jobId, delayedKey, eventsKey, timestamp, maxEvents, KEYS[1], delay)`,
        put: `addDelayedJob(jobId, delayedKey, eventsKey, qd.from(opts, delay), maxEvents, KEYS[1], delay)`,
      },
    ],
  },
}
