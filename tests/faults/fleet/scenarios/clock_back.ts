import { waitFor } from '#tests/helpers/wait'
import type { Scenario } from './scenario.ts'

export const clockBack: Scenario = {
  name: 'the clock of one host is set back by an hour',
  async run({ fleet, size }) {
    await fleet.dispatch(size.jobs, 100)
    await waitFor('some to run', async () => (await fleet.witness.running()) > 3)
    fleet.workers[2].child.kill('SIGUSR2')
  },
}
