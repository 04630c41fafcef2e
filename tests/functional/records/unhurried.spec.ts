import { setImmediate } from 'node:timers/promises'
import { test } from '@japa/runner'
import { eachDatabase, type TestDatabase } from '#tests/helpers/databases'
import type { Session } from '../../../src/records/dialect/session.ts'
import { openSession } from '../../../src/records/records.ts'
import { Writer } from '../../../src/records/writer.ts'
import type { StoredJob } from '../../../src/records/writer_types.ts'
import { emptyTables, openRecords } from '../mirror/records.ts'
import { add, HandMirror, lucidOn, newKey, nothing } from './lab.ts'

const WRITES: (keyof Session)[] = ['insertJobs', 'updateJobs', 'put']

/**
 * A session that tells how many of its writes have not settled.
 */
function counted(session: Session) {
  let open = 0
  const proxy = new Proxy(session, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target)
      if (typeof value !== 'function') return value
      if (!WRITES.includes(name as keyof Session)) return value.bind(target)
      return async (...args: unknown[]) => {
        open++
        try {
          const answer: unknown = await value.apply(target, args)
          await setImmediate()
          return answer
        } finally {
          open--
        }
      }
    },
  })
  return { proxy, open: () => open }
}

eachDatabase((database) => {
  test.group(`Unhurried writer | ${database.label}`, (group) => {
    let connection: TestDatabase['connection']
    group.each.setup(async () => void (connection = await emptyTables(database)))

    test('folds a part when the one before is written, a hurried one meanwhile', async ({
      assert,
      cleanup,
    }) => {
      const records = openRecords(connection)
      const lucid = lucidOn(connection)
      const session = counted(await openSession(lucid))
      const writer = new Writer(async () => session.proxy)
      cleanup(async () => {
        await Promise.all([writer.close(), records.close()])
        await lucid.manager.closeAll()
      })
      const openAt: number[] = []
      function* parts(stored: StoredJob[]) {
        for (const job of stored) {
          openAt.push(session.open())
          const out = nothing()
          add(job)
          job.version++
          out.jobs.push(job)
          yield out
        }
      }
      for (const [queue, isUnhurried] of [
        ['calm', true],
        ['busy', false],
      ] as const) {
        const keys = [newKey(queue), newKey(queue)]
        await writer.cursors([queue])
        const batch = new HandMirror(records).batch(keys)
        assert.isTrue(await writer.apply({ ...batch, isUnhurried }, parts))
      }
      assert.deepEqual(openAt, [0, 0, 0, 1])
      assert.lengthOf(await records.db.all('select seq from queuedeck_jobs'), 4)
    })
  })
})
