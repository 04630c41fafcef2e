import type { Check } from '../check.ts'
import { durationText, momentText } from '../words.ts'

/** Runs that may be missed before it is said. */
const MISSED = 3

/** Whether what has been kept long enough is removed. */
export const cleanup: Check = {
  name: 'cleanup',
  title: 'Cleanups run',
  needs: ['redis', 'database'],
  async look(facts) {
    const { every, automatic } = facts.config.cleanup
    const { last } = await facts.dependencies.cleanup.recorded()
    if (last?.error) {
      return [
        {
          severity: 'warning',
          title: 'The last cleanup could not remove everything',
          detail: `${momentText(last.startedAt)}: ${last.error}`,
          remedy: 'mend what it names; the next cleanup goes on by itself',
          measured: { startedAt: last.startedAt, error: last.error },
        },
      ]
    }
    const { redis } = await facts.clocks()
    if (!automatic || last === null || redis - last.startedAt < MISSED * every) return []
    return [
      {
        severity: 'warning',
        title: `No cleanup has run for ${durationText(redis - last.startedAt)}`,
        detail: `the last began ${momentText(last.startedAt)}; they are due every ${durationText(every)}`,
        remedy:
          'node ace queue:cleanup; a running worker, web or mirror process does it by itself from then on',
        measured: { last: last.startedAt, every },
      },
    ]
  },
}
