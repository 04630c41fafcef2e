import { setTimeout as pause } from 'node:timers/promises'
import type { Scenario } from './scenario.ts'

export const silent: Scenario = {
  name: 'Redis accepts connections and says nothing',
  async run({ fleet, redis, size }) {
    await fleet.dispatch(size.jobs, 80)
    await pause(300)
    redis.freeze()
    await pause(size.away)
    redis.thaw()
  },
}
