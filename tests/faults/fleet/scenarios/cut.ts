import { setTimeout as pause } from 'node:timers/promises'
import { waitFor } from '#tests/helpers/wait'
import type { Scenario } from './scenario.ts'

export const cut: Scenario = {
  name: 'the network keeps one worker from Redis',
  async run({ fleet, proxy, size }) {
    /** Some of these outlast the lease, if nobody stops them. */
    await fleet.dispatch(6, size.away, { failures: 0 })
    await fleet.dispatch(size.jobs, 150)
    await waitFor('it to run something', async () => {
      return (await fleet.runs(fleet.workers[1])) > 0
    })
    proxy.cut()
    await pause(size.away)
    proxy.heal()
  },
}
