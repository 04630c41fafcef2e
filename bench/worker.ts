import { compareWorkers, Noop } from './support/working.ts'
import type { Bench } from './support/types.ts'

/**
 * Jobs that do nothing, 50 at once: what the machinery itself costs.
 */
const bench: Bench = (options) =>
  compareWorkers(options, {
    name: 'no-op jobs',
    Class: Noop,
    code: async () => {},
    jobs: 10_000,
    floor: 1,
  })

export default bench
