import { waitFor } from '#tests/helpers/wait'
import type { Scenario } from './scenario.ts'

export const blocked: Scenario = {
  name: 'a job keeps the event loop of its worker busy for longer than the leases',
  async run({ fleet, size }) {
    const [id] = await fleet.dispatch(1, 10, { blocks: size.away * 1.5, failures: 0 })
    await waitFor('it to run', async () =>
      (await fleet.witness.stretches()).some((stretch) => stretch.id === id)
    )
    const [{ pid }] = (await fleet.witness.stretches()).filter((stretch) => stretch.id === id)
    /** Its own slot goes on to others while it blocks: the code of a lease that ran out cannot be stopped, only refused. */
    await fleet.witness.died(Number(pid))
    await fleet.dispatch(size.jobs, 80)
    await waitFor(
      'a second attempt, and an end of the first',
      async () => {
        const attempts = (await fleet.witness.stretches()).filter((stretch) => stretch.id === id)
        return attempts.some(({ attempt }) => attempt > 1) && attempts[0].to !== null
      },
      { within: size.away * 1.5 + 20_000 }
    )
  },
}
