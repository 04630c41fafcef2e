import { compareWorkers, Wait5, wait5 } from './support/working.ts'
import type { Bench } from './support/types.ts'

/**
 * Jobs that wait for 5 ms, 50 at once: short real work.
 */
const bench: Bench = (options) =>
  compareWorkers(options, {
    name: '5 ms jobs',
    Class: Wait5,
    code: wait5,
    jobs: 10_000,
    floor: 0.98,
  })

export default bench
