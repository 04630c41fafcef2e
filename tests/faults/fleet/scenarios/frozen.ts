import { waitFor } from '#tests/helpers/wait'
import type { Scenario } from './scenario.ts'

export const frozen: Scenario = {
  name: 'a worker is stopped by SIGSTOP for longer than its leases',
  async run({ fleet, size }) {
    await fleet.dispatch(size.jobs, 150)
    const [worker] = fleet.workers
    await waitFor('it to run something', async () => (await fleet.runs(worker)) > 1)
    await fleet.freeze(worker)
    const from = performance.now()
    await waitFor('its leases to be over', () => performance.now() - from > size.away, {
      within: size.away + 1_000,
    })
    worker.child.kill('SIGCONT')
  },
}
