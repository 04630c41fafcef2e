import { test } from '@japa/runner'
import { eachDatabase } from '#tests/helpers/databases'
import { oldestPending } from '../../../src/alerts/record_readings.ts'
import type { Records } from '../../../src/records/records.ts'
import { emptyTables, openRecords } from '../mirror/records.ts'
import { add, HandMirror, newKey } from '../records/lab.ts'

const HOUR = 3_600_000
const NOW = Date.parse('2026-11-25T08:00:00.000Z')

type Made = { queue?: string; createdAt: number; pendingAt: number; changedAt?: number }

eachDatabase((database) => {
  test.group(`The job that has been pending longest | ${database.label}`, (group) => {
    let records: Records
    let mirror: HandMirror

    group.each.setup(async () => {
      records = openRecords(await emptyTables(database))
      mirror = new HandMirror(records)
      return () => records.close()
    })

    const make = (list: Made[]) =>
      mirror.write(
        list.map(({ queue = 'mails' }) => newKey(queue)),
        (job, out, index) => {
          const { createdAt, pendingAt, changedAt = pendingAt } = list[index]
          add(job, { createdAt, version: BigInt(changedAt) << 20n })
          const events: [number, number, number, string, null][] = [
            [createdAt, 1, 0, 'added', null],
            [createdAt, 1, 0, 'scheduled', null],
            [pendingAt, 1, 0, 'pending', null],
          ]
          out.events.push({ job, version: BigInt(pendingAt) << 20n, list: events })
        }
      )
    const delayed = (count: number) =>
      Array.from({ length: count }, (_, at) => ({
        ...{ createdAt: NOW - 90 * HOUR + at, pendingAt: NOW - 60_000 },
      }))
    const longest = async () => {
      const view = { depths: { mails: { pending: 1 } }, now: NOW }
      const [{ value }] = await oldestPending(records, view as never, HOUR / 2)
      return value
    }

    test('stands behind others that became due just now', async ({ assert }) => {
      await make(delayed(60))
      await make([{ createdAt: NOW - 2 * HOUR, pendingAt: NOW - 2 * HOUR + 5 }])
      await make([{ queue: 'Mails', createdAt: NOW - 9 * HOUR, pendingAt: NOW - 9 * HOUR }])
      assert.equal(await longest(), 2 * HOUR - 5)
    })

    test('has waited on while its priority was changed', async ({ assert }) => {
      const createdAt = NOW - 3 * HOUR
      await make([{ createdAt, pendingAt: createdAt, changedAt: NOW - 1_000 }, ...delayed(5)])
      assert.equal(await longest(), 3 * HOUR)
    })
  })
})
