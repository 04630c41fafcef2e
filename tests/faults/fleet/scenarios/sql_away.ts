import { waitFor } from '#tests/helpers/wait'
import type { Scenario } from './scenario.ts'

export const sqlAway: Scenario = {
  name: 'the database is away for a whole run',
  /** Its server is killed as a power cut would, and started again on its data. */
  async run({ fleet, database, size }) {
    await database.away()
    try {
      await fleet.dispatch(size.jobs, 30)
      await waitFor('all to end without it', async () => (await fleet.open()) === 0, {
        within: 60_000 + size.jobs * 50,
      })
    } finally {
      await database.back()
    }
  },
}
