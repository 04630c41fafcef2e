import { test } from '@japa/runner'
import { DatabaseWatch } from '../../../src/alerts/database_watch.ts'

test.group('Alerts | the database is away', () => {
  test('an outage whose end cannot be recorded stays open', async ({ assert }) => {
    const outage = JSON.stringify({ since: 1_000, openedAt: 31_000, text: 'refused' })
    const keys = new Map([['{p}~database-away', outage]])
    const client = {
      get: async (key: string) => keys.get(key) ?? null,
      del: async (key: string) => Number(keys.delete(key)),
      set: async (key: string, value: string) => void keys.set(key, value),
    }
    const book = {
      writePast: async (_alert: unknown, _at: number, claim: () => Promise<boolean>) => {
        await claim()
        throw new Error('The connection was lost')
      },
    }
    const dependencies = {
      transport: { keys: { prefix: '{p}' } },
      config: { alerts: { rules: {} } },
    }
    const watch = new DatabaseWatch(dependencies as never, book as never)
    await assert.rejects(() => watch.answered(client as never, 90_000), 'The connection was lost')
    assert.equal(keys.get('{p}~database-away'), outage)
  })
})
