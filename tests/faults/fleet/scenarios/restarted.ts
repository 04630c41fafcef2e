import { setTimeout as pause } from 'node:timers/promises'
import type { Scenario } from './scenario.ts'

export const restarted: Scenario = {
  name: 'Redis is killed and started again on its append-only file',
  async run({ fleet, redis, size }) {
    await fleet.dispatch(size.jobs, 80)
    await pause(300)
    await redis.kill()
    await pause(size.away / 2)
    await redis.start()
  },
}
