import type { Check } from '../check.ts'
import { jobsText } from '../words.ts'

/** What cleanups should have removed: ids of running jobs without a job, and locks without an end. */
export const orphans: Check = {
  name: 'orphans',
  title: 'Nothing is left behind by processes that died',
  needs: ['redis'],
  async look(facts) {
    const { transport, config } = facts
    const found = await Promise.all(
      (await facts.queues())
        .filter(({ depths }) => depths.running > 0)
        .map(async ({ name }) => {
          const orphaned = await transport.connections.produce(
            'running jobs cannot be examined',
            (client) => transport.audit.sweepOrphans(name, config.kept.claims, true, client)
          )
          return { name, orphaned }
        })
    )
    return found
      .filter(({ orphaned }) => orphaned > 0)
      .map(({ name, orphaned }) => ({
        severity: 'warning',
        title: `The queue "${name}" counts jobs as running that nobody runs`,
        detail: `${jobsText(orphaned)} without data, or with a lock that never ends: another tool removed or locked them`,
        remedy: 'node ace queue:cleanup',
        measured: { queue: name, orphaned },
      }))
  },
}
