import { test } from '@japa/runner'
import { eachDatabase } from '#tests/helpers/databases'
import type { Records } from '../../../src/records/records.ts'
import { emptyTables, openRecords } from '../mirror/records.ts'
import { add, HandMirror, newKey, NOW } from './lab.ts'

eachDatabase((database) => {
  test.group(`Writer, long texts | ${database.label}`, (group) => {
    let records: Records
    let mirror: HandMirror

    group.each.setup(async () => {
      records = openRecords(await emptyTables(database))
      mirror = new HandMirror(records)
      return () => records.close()
    })

    test('messages and stacks of millions of wide letters do not stop it', async ({ assert }) => {
      const long = '漢'.repeat(5_000_000)
      const keys = [newKey(), newKey(), newKey()]
      await mirror.write(keys, (job, out) => {
        add(job)
        const texts = { errorCode: 'X', error: long.slice(-2_000_000 * job.seq), stack: long }
        const attempt = { job, run: 1, attempt: 1, worker: null, startedAt: NOW, finishedAt: NOW }
        out.attempts.push({ ...attempt, ...texts, outcome: 'failed' })
        out.bodies.push({ job, payload: long, options: '{}', result: long })
      })
      const whole = newKey()
      await mirror.write([whole], (job, out) => {
        add(job)
        out.bodies.push({ job, payload: long, options: '{}' })
      })
      assert.isTrue((await records.reader.find(whole.id))!.payload === long)
      for (const [column, table] of [
        ['error', 'attempts'],
        ['stack', 'attempts'],
        ['payload', 'bodies'],
        ['result', 'bodies'],
      ]) {
        const rows = await records.db.all(
          `select substr(${column}, 1, 1000000) as text from queuedeck_${table} where ${column} is not null`
        )
        assert.isAtLeast(rows.length, 3)
        assert.isTrue(rows.every(({ text }) => text === long.slice(-1_000_000)))
      }
    })
  })
})
