import { waitFor } from '#tests/helpers/wait'
import type { Scenario } from './scenario.ts'

export const killed: Scenario = {
  name: 'workers are killed one after the other',
  async run({ fleet, size }) {
    const ms = size.stormJobs > 10_000 ? 12 : 100
    for (let kill = 0; kill < size.kills; kill++) {
      await fleet.dispatch(Math.ceil(size.stormJobs / size.kills), ms)
      const at = kill % fleet.workers.length
      const victim = fleet.workers[at]
      await waitFor('it to run something', async () => (await fleet.runs(victim)) > 0)
      await fleet.kill(victim)
      fleet.workers[at] = await fleet.again(at)
    }
  },
}
