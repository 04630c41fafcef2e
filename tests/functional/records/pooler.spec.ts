import { test } from '@japa/runner'
import pg from 'pg'
import { createDatabase } from '#tests/helpers/databases'
import { pooler } from '#tests/helpers/pooler'
import { findProgram } from '#tests/helpers/servers'
import { makeTables, openRecords } from '../mirror/records.ts'
import { add, countsAndTruth, HandMirror, newKey } from './lab.ts'

const missing = ['postgres', 'initdb', 'pgbouncer'].filter((program) => !findProgram(program))
const reason = `${missing.join(' and ')} not installed`

/** What a connection to the server was told beside its defaults, and what was prepared on it. */
const LEFT = `select name from pg_settings where source = 'session' and name not in ('application_name', 'client_encoding', 'DateStyle', 'TimeZone', 'standard_conforming_strings')
  union all select statement from pg_prepared_statements`

test.group('Records behind a pooler', () => {
  for (const mode of ['transaction', 'session'] as const) {
    test(`are written and read where connections are pooled by ${mode}, and nothing of theirs is left for others`, async ({
      assert,
      cleanup,
    }) => {
      if (missing.length > 0) throw new Error(`In CI every program has to be there: ${reason}`)
      const { connection, drop } = await createDatabase('pg')
      cleanup(drop)
      const schema = `records of "${mode}"`
      const direct = new pg.Client(connection.connection)
      await direct.connect()
      await direct.query(`create schema ${pg.escapeIdentifier(schema)}`)
      await direct.end()
      const inSchema = { ...connection, searchPath: [schema] }
      await makeTables(inSchema)

      const server = await pooler(mode)
      cleanup(() => server.stop())
      const pooled = { ...connection.connection, port: server.port }
      const records = openRecords({ ...inSchema, connection: pooled })
      cleanup(() => records.close())
      const other = new pg.Pool({ ...pooled, max: 2 })
      cleanup(() => other.end())

      await records.ready()
      const mirror = new HandMirror(records)
      const queries = 40
      const found = await Promise.all([
        ...Array.from({ length: queries }, () =>
          records.db.all('select count(*) as n from queuedeck_jobs where seq > ?', [0])
        ),
        ...Array.from({ length: queries }, () => other.query('select pg_sleep(0.002)')),
        (async () => {
          for (let batch = 0; batch < 10; batch++) {
            await mirror.write([newKey(), newKey()], (job) => add(job))
          }
        })(),
      ])
      assert.lengthOf(found, queries * 2 + 1)
      const { kept, truth } = await countsAndTruth(records)
      assert.deepEqual(kept, truth)
      const [{ n }] = await records.db.all('select count(*) as n from queuedeck_jobs')
      assert.equal(n, 20)

      const left = await Promise.all([other.query(LEFT), other.query(LEFT)])
      assert.deepEqual(
        left.flatMap(({ rows }) => rows),
        []
      )
      const refused = records.db.all('select * from queuedeck_jobs where seq = ?', ['no number'])
      await assert.rejects(() => refused)
      await records.ready()
    }).skip(missing.length > 0 && !process.env.CI, reason)
  }
})
