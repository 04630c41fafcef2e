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
  test('an outage is told of once its mute has ended', async ({ assert }) => {
    const told: string[] = []
    const dependencies = {
      transport: { keys: { prefix: '{p}' }, changes: { publish: async () => {} } },
      config: { alerts: { rules: { databaseAway: { threshold: 30_000 } } } },
      emit: (name: string) => told.push(name),
      logger: { warn: () => {} },
      deliverer: { sendNow: async () => {} },
    }
    const keys = new Map<string, string>()
    const client = {
      set: async (key: string, value: string) =>
        keys.has(key) ? null : (keys.set(key, value), 'OK'),
    }
    const watch = new DatabaseWatch(dependencies as never, {} as never)
    const mute = { rule: 'databaseAway', subject: null, until: 60_000, at: 0, by: 'x' } as const
    const look = (now: number) => watch.away(client as never, now, new Error('refused'), [mute])
    for (const now of [0, 30_000, 59_000]) await look(now)
    assert.deepEqual(told, [])
    await look(60_000)
    assert.deepEqual(told, ['queuedeck:alert:opened'])
  })
})
