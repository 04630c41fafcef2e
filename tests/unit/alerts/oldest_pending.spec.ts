import { test } from '@japa/runner'
import { oldestPending } from '../../../src/alerts/record_readings.ts'
import type { JobQuery } from '../../../src/records/job_query.ts'

const HOUR = 3_600_000
const NOW = 100 * HOUR

test.group('The job that has been pending longest', () => {
  test('stands behind others that were restarted just now', async ({ assert }) => {
    const restarted = Array.from({ length: 60 }, (_, at) => ({
      ...{ id: `r${at}`, queue: 'mails', run: 2, createdAt: NOW - 90 * HOUR + at },
      attempts: { started: 0 },
    }))
    const waiting = {
      ...{ id: 'w', queue: 'mails', run: 1, createdAt: NOW - 2 * HOUR, attempts: { started: 0 } },
    }
    const rows = [...restarted, waiting]
    let found = 0
    const reader = {
      page: async ({ limit }: JobQuery) => ({ rows: rows.slice(0, limit), next: null }),
      find: async (id: string) => {
        found++
        const job = rows.find((row) => row.id === id)!
        const added = { kind: 'added', at: job.createdAt }
        return {
          events: job.run === 2 ? [added, { kind: 'restarted', at: NOW - 60_000 }] : [added],
        }
      },
    }
    const view = { depths: { mails: { pending: rows.length } }, now: NOW }
    const [{ value }] = await oldestPending({ reader } as never, view as never, HOUR / 2)
    assert.equal(value, 2 * HOUR)
    assert.isAtMost(found, 40)
  })
})
