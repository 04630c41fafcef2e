import { setTimeout as pause } from 'node:timers/promises'
import Sqlite from 'better-sqlite3'
import { test } from '@japa/runner'
import mysql from 'mysql2/promise'
import pg from 'pg'
import { createDatabase, eachDatabase } from '#tests/helpers/databases'
import { mariadbServer } from '#tests/helpers/servers'
import { stopwatch } from '#tests/helpers/stopwatch'
import { TcpProxy } from '#tests/helpers/tcp_proxy'
import { waitFor } from '#tests/helpers/wait'
import { connectionSettings } from '../../../src/records/connections.ts'
import { type Records } from '../../../src/records/records.ts'
import { makeTables, openRecords } from '../mirror/records.ts'
import { add, countsAndTruth, HandMirror, lucidOn, newKey, nothing } from './lab.ts'

/** What a host may want for statements of its own. */
const SETTING = { pg: 'set array_nulls = off', mysql: 'set names latin1' }

eachDatabase(({ label, kind, create }) => {
  test.group(`Records' connections | ${label}`, () => {
    test('says that the migration has not run, and is ready once it has', async ({
      assert,
      cleanup,
    }) => {
      const { connection, drop } = await create()
      const records = openRecords(connection)
      cleanup(() => records.close().then(drop))
      const error = await records.ready().catch((thrown) => thrown)
      assert.equal(error.code, 'E_MIGRATIONS_MISSING')
      assert.include(error.message, 'node ace migration:run')
      await makeTables(connection)
      await makeTables(connection)
      await records.ready()
      assert.equal((await records.writer.cursors(['a'])).get('a')!.lastId, '0-0')
    })

    test('gives every new connection to the hook of the host', async ({ assert, cleanup }) => {
      const { connection, drop } = await create()
      await makeTables(connection)
      const seen: unknown[] = []
      const pool = {
        afterCreate: (raw: unknown, done: () => void) => {
          seen.push(raw)
          done()
        },
      }
      const records = openRecords({ ...connection, pool } as never)
      cleanup(() => records.close().then(drop))
      await records.ready()
      await records.writer.cursors(['a'])
      assert.lengthOf(seen, 2)
    })

    test('writes and reads as everywhere, whatever the hook of the host sets', async ({
      assert,
      cleanup,
    }) => {
      const { connection, drop } = await create()
      await makeTables(connection)
      const pool = {
        afterCreate: (raw: any, done: (error?: unknown) => void) => {
          if (kind !== 'sqlite') return raw.query(SETTING[kind], done)
          raw.defaultSafeIntegers(true)
          done()
        },
      }
      const records = openRecords({ ...connection, pool } as never)
      cleanup(() => records.close().then(drop))
      const keys = [newKey(), newKey()]
      const mirror = new HandMirror(records)
      await mirror.write(keys, (job, out) => {
        add(job, { user: 'Ω 😀', error: 'NULL' })
        out.tags.push({ job, tags: ['Ω 😀'] })
      })
      await mirror.write(keys, (job) => Object.assign(job, { status: 'failed' }))
      assert.containSubset(await records.reader.find(keys[1].id), { user: 'Ω 😀', run: 1 })
      const { kept, truth } = await countsAndTruth(records)
      assert.deepEqual(kept, truth)
    })

    if (kind === 'sqlite') return

    test('leaves a server that only reads since a failover for the one that takes records', async ({
      assert,
      cleanup,
    }) => {
      const { connection, drop } = await create()
      await makeTables(connection)
      let opened = 0
      const pool = {
        afterCreate: (raw: any, done: (error?: unknown) => void) => {
          if (opened++ > 0) return done()
          const sql = 'set session characteristics as transaction read only'
          raw.query(kind === 'pg' ? sql : 'set session transaction read only', done)
        },
      }
      const records = openRecords({ ...connection, pool } as never)
      cleanup(() => records.close().then(drop))
      const write = () => records.writer.cursors(['a'])
      assert.match((await write().catch((error) => error)).message, /read.only/i)
      assert.equal((await write()).get('a')!.lastId, '0-0')
    })

    test('deletes again once the server answers', async ({ assert, cleanup }) => {
      const { connection, drop } = await create()
      await makeTables(connection)
      const records = openRecords(connection)
      cleanup(() => records.close().then(drop))
      const keys = [newKey(), newKey(), newKey()]
      await new HandMirror(records).write(keys, (job) => add(job, { status: 'failed' }))
      const erase = (index: number) => records.deletion.erase(keys[index].id, 'failed', 0)
      assert.isTrue(await erase(0))
      await cutOthers(records)
      await erase(1).catch(() => {})
      assert.isTrue(await erase(2))
    })

    test('says that the server is away, and goes on when it answers', async ({
      assert,
      cleanup,
    }) => {
      const { connection, drop } = await create()
      await makeTables(connection)
      const away = { ...connection, connection: { ...connection.connection, port: 1 } }
      const lost = openRecords(away)
      const error = await lost.ready().catch((thrown) => thrown)
      assert.equal(error.code, 'E_DATABASE_UNAVAILABLE')
      const writing = await lost.writer.cursors(['a']).catch((thrown) => thrown)
      assert.equal(writing.code, 'E_DATABASE_UNAVAILABLE')
      await lost.close()

      const records = openRecords(connection)
      cleanup(() => records.close().then(drop))
      const mirror = new HandMirror(records)
      await mirror.write([newKey()], (job) => add(job))
      await cutOthers(records)
      const cut = await mirror.write([newKey()], (job) => add(job)).catch((thrown) => thrown)
      assert.instanceOf(cut, Error)
      await mirror.write([newKey()], (job) => add(job))
      const { kept, truth } = await countsAndTruth(records)
      assert.deepEqual(kept, truth)
    })

    test('a page whose connection breaks fails alone, and not its process', async ({
      assert,
      cleanup,
    }) => {
      const { connection, drop } = await create()
      await makeTables(connection)
      const { host, port } = connection.connection as { host: string; port: number }
      const proxy = await TcpProxy.to({ host, port })
      const through = { ...connection.connection, port: proxy.port }
      const records = openRecords({ ...connection, connection: through })
      const others = openRecords(connection)
      cleanup(() => Promise.all([records.close(), others.close()]).then(drop))
      const [sleep, list] =
        kind === 'pg'
          ? ['pg_sleep', `pg_stat_activity where query like 'select pg_sleep(%'`]
          : ['sleep', `information_schema.processlist where info like 'select sleep(%'`]
      const page = records.db.all(`select ${sleep}(5)`).catch((thrown) => thrown)
      await waitFor('the page to ask', async () => {
        const [{ n }] = await others.db.all(`select count(*) as n from ${list}`)
        return n > 0
      })
      await proxy.close()
      assert.equal((await page).code, 'E_DATABASE_UNAVAILABLE')
    })
  })
})

eachDatabase(() => {
  test.group("Records' connections | a MariaDB that is set otherwise for all", () => {
    test('commits and selects as everywhere', async ({ assert, cleanup }) => {
      const server = await mariadbServer({ own: true })
      const { host, port } = server
      const database = 'otherwise'
      const sqlOf = await mysql.createConnection({ host, port, user: 'root' })
      await sqlOf.query(`create database ${database}`)
      await sqlOf.query('set global innodb_default_row_format = compact')
      const connection = {
        client: 'mysql2',
        connection: { host, port, user: 'root', password: '', database },
      }
      await makeTables(connection)
      for (const setting of ['autocommit = 0', 'sql_safe_updates = 1', 'sql_select_limit = 1'])
        await sqlOf.query(`set global ${setting}`)
      const records = openRecords(connection)
      cleanup(async () => {
        await records.close()
        await sqlOf.end()
        await server.stop()
      })
      await records.writer.cursors(['a', 'b'])
      const [written] = await sqlOf.query(`select * from ${database}.queuedeck_cursors`)
      assert.lengthOf(written as unknown[], 2)
    })

    test('writes texts as they are, whatever mode the hook of the host sets', async ({
      assert,
      cleanup,
    }) => {
      const { connection, drop } = await createDatabase('mysql')
      await makeTables(connection)
      const mode = `set session sql_mode = 'NO_BACKSLASH_ESCAPES,ANSI_QUOTES', autocommit = 0`
      const pool = {
        afterCreate: (raw: any, done: (error?: unknown) => void) => raw.query(mode, done),
      }
      const records = openRecords({ ...connection, pool } as never)
      cleanup(() => records.close().then(drop))
      const key = newKey()
      const payload = JSON.stringify({ text: `C:\\new\\'folder'\n` })
      await new HandMirror(records).write([key], (job, out) => {
        add(job)
        out.bodies.push({ job, payload, options: '{}' })
      })
      assert.equal((await records.reader.find(key.id))!.payload, payload)
    })

    test('ends by itself what a page no longer waits for', async ({ assert, cleanup }) => {
      const { connection, drop } = await createDatabase('mysql')
      const records = openRecords(connection)
      cleanup(() => records.close().then(drop))
      const [{ seconds }] = await records.db.all('select @@max_statement_time as seconds')
      assert.equal(seconds, 15)
      const slow = 'set statement max_statement_time = 0.05 for select sleep(5)'
      const error = await records.db.all(slow).catch((thrown) => thrown)
      assert.equal(error.code, 'E_DATABASE_UNAVAILABLE')
    })
  })
}, ['mysql'])

eachDatabase(
  ({ create }) => {
    test.group("Records' connections | a PostgreSQL of another encoding", () => {
      test('is refused where tables are made, not at the first letter that it lacks', async ({
        assert,
        cleanup,
      }) => {
        const { connection, drop } = await create()
        const sqlOf = new pg.Client(connection.connection)
        await sqlOf.connect()
        cleanup(() => sqlOf.end().then(drop))
        const database = 'latin_letters'
        await sqlOf.query(
          `create database ${database} encoding latin1 locale 'C' template template0`
        )
        const latin = { ...connection, connection: { ...connection.connection, database } }
        await assert.rejects(() => makeTables(latin), /encoding LATIN1/)
      })
    })
  },
  ['pg']
)

test.group("Records' connections | settings", () => {
  test('refuses {0}')
    .with([
      ['a database in memory', 'better-sqlite3', { filename: ':memory:' }, /in memory/],
      ['a client that cannot keep records', 'mssql', {}, /"mssql": use a connection of/],
    ] as const)
    .run(({ assert }, [, client, connection, message]) => {
      const database = lucidOn({ client, connection })
      assert.throws(() => connectionSettings(database), message)
    })

  test('refuses a connection that is not configured', ({ assert }) => {
    const database = lucidOn({ client: 'pg', connection: {} })
    assert.throws(() => connectionSettings(database, 'other'), /no connection "other"/)
  })

  test('takes the writing node, the pool and the search path of the host', ({ assert }) => {
    const database = lucidOn({
      client: 'pg',
      connection: { user: 'u', ssl: true },
      searchPath: ['jobs', 'public'],
      replicas: {
        read: { connection: [{ host: 'reads' }] },
        write: { connection: { host: 'writes' }, pool: { max: 2 } },
      },
    })
    assert.containsSubset(connectionSettings(database), {
      connection: { host: 'writes', user: 'u', ssl: true },
      poolMax: 2,
      searchPath: ['jobs', 'public'],
    })
  })
})

test.group('Several writers of one SQLite file', () => {
  test('two mirrors wait for a third that holds the file for 3 s, and this process goes on', async ({
    assert,
    cleanup,
  }) => {
    const { connection, drop } = await createDatabase('sqlite')
    await makeTables(connection)
    const [one, two] = [openRecords(connection), openRecords(connection)] as [Records, Records]
    const third = new Sqlite(connection.connection.filename as string)
    cleanup(async () => {
      third.close()
      await Promise.all([one.close(), two.close()])
      await drop()
    })
    await one.writer.cursors(['a', 'b'])
    const move = (queue: string, step: number) => ({
      queue,
      from: { lastId: `${step}-0`, skew: 0 },
      next: { lastId: `${step + 1}-0`, skew: 0, server: null, notes: null },
    })
    const write = async (records: Records, queue: string) => {
      for (let step = 0; step < 25; step++) {
        const jobs = Array.from({ length: 100 }, () => newKey(queue))
        const done = await records.writer.apply(
          { cursors: [move(queue, step)], jobs },
          (stored) => {
            stored.forEach((job) => add(job, { status: 'completed' }))
            return [{ ...nothing(), jobs: stored }]
          }
        )
        assert.isTrue(done)
      }
    }
    third.exec('begin immediate')
    let longest = 0
    let sinceLast = stopwatch()
    const beat = setInterval(() => {
      longest = Math.max(longest, sinceLast())
      sinceLast = stopwatch()
    }, 10)
    const writing = Promise.all([write(one, 'a'), write(two, 'b')])
    await pause(3_000)
    assert.equal((await one.db.all('select count(*) as n from queuedeck_jobs'))[0].n, 0)
    third.exec('commit')
    await writing
    clearInterval(beat)
    assert.isBelow(longest, 1_000, 'the event loop stood still')
    assert.equal((await two.db.all('select count(*) as n from queuedeck_jobs'))[0].n, 5_000)
    const { kept, truth } = await countsAndTruth(one)
    assert.deepEqual(kept, truth)
  })
})

/** Ends every connection to this database but the one that asks. */
async function cutOthers({ db }: Records): Promise<void> {
  if (db.dialect === 'postgres') {
    await db.all(
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`
    )
    return
  }
  const rows = await db.all(
    `select id from information_schema.processlist where db = database() and id <> connection_id()`
  )
  for (const { id } of rows) await db.all(`kill ${id}`)
}
