import { compareWorkers, Noop, Wait5, wait5 } from './support/working.ts'
import type { Bench } from './support/types.ts'

/** On and never hit: fewer run in all than one user may have, so that it is enough to count all. */
const LIMITS = { global: 1_000, user: 1_000 }

/** Never hit either, but more run in all than one user may have: each user is counted. */
const SMALL = { global: 1_000, user: 5 }

/**
 * What limits cost that hold nobody back: jobs of a hundred users, against BullMQ without any.
 */
const bench: Bench = async (options) => {
  const noop = await compareWorkers(options, {
    name: 'no-op jobs within limits',
    Class: Noop,
    code: async () => {},
    jobs: 10_000,
    floor: 0.93,
    limits: LIMITS,
    users: 100,
  })
  const counted = await compareWorkers(options, {
    name: 'no-op jobs of counted users',
    Class: Noop,
    code: async () => {},
    jobs: 10_000,
    limits: SMALL,
    users: 100,
  })
  const five = await compareWorkers(options, {
    name: '5 ms jobs within limits',
    Class: Wait5,
    code: wait5,
    jobs: 10_000,
    floor: 0.97,
    limits: LIMITS,
    users: 100,
  })
  return { measures: [...noop.measures, ...counted.measures, ...five.measures] }
}

export default bench
