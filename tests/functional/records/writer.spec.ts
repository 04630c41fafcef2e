import { test } from '@japa/runner'
import { eachDatabase, type TestDatabase } from '#tests/helpers/databases'
import { openSession, type Records } from '../../../src/records/records.ts'
import type { Shape } from '../../../src/records/dialect/session.ts'
import { foreignId } from '../../../src/records/ids.ts'
import { storedName } from '../../../src/records/storable.ts'
import { NAME_COLUMNS } from '../../../src/records/tables.ts'
import type { OpenPlace } from '../../../src/records/writer/open_jobs.ts'
import type { EventTuple } from '../../../src/records/writer_types.ts'
import { emptyTables, openRecords } from '../mirror/records.ts'
import { add, countsAndTruth, HandMirror, lucidOn, newKey, NOW, nothing, remake } from './lab.ts'

const NEW_NAMES: Shape = {
  table: { name: 'queuedeck_names', key: ['kind', 'name'] },
  columns: NAME_COLUMNS,
  existing: 'ignore',
}

eachDatabase((database) => {
  test.group(`Writer | ${database.label}`, (group) => {
    let records: Records
    let second: Records
    let mirror: HandMirror
    let connection: TestDatabase['connection']

    group.each.setup(async () => {
      connection = await emptyTables(database)
      records = openRecords(connection)
      second = openRecords(connection)
      mirror = new HandMirror(records)
      return async () => {
        await Promise.all([records.close(), second.close()])
      }
    })

    const row = async (id: string) => {
      const states = await records.writer.states([{ queue: 'default', transportId: id, id }])
      return states.get(id)
    }

    test('writes a job with all that belongs to it and hands it back as it was', async ({
      assert,
    }) => {
      const key = newKey()
      const awaited = newKey()
      await mirror.write([key], (job, out) => {
        add(job, { user: '42', worker: 'fe80::1:77:ab', stage: 'Reading', percent: 33.3 })
        Object.assign(job, { version: (BigInt(NOW) << 20n) | 7n, done: 3, total: 9, unit: 'pages' })
        Object.assign(job, { run: 1, attempts: 1 })
        out.bodies.push({ job, payload: '{"id":1970670598291982291}', options: '{}' })
        const ended = { finishedAt: null, errorCode: null, error: null, stack: null }
        const attempt = { job, run: 1, attempt: 1, worker: job.worker, startedAt: NOW, ...ended }
        out.attempts.push({ ...attempt, outcome: 'running' })
        out.events.push({ job, version: 5n, list: [[NOW, 1, 0, 'added', null]] })
        out.logs.push({ job, version: 6n, run: 1, attempt: 1, lines: [[NOW, 30, 'one']] })
        out.tags.push({ job, tags: ['b', 'a', 'a'] })
        out.edges = [{ job, edges: [{ id: awaited.id, onFailure: 'skip' }] }]
        out.checkpoints = [{ job, run: 1, count: 1, bytes: 9, newest: 'page', at: NOW }]
      })
      await mirror.write([key], (job, out) => {
        assert.equal(job.version, ((BigInt(NOW) << 20n) | 7n) + 1n)
        assert.containsSubset(job, {
          was: 'pending',
          wasRun: 1,
          wasAttempts: 1,
          type: 'demo.sleep',
          user: '42',
          worker: 'fe80::1:77:ab',
          percent: 33.3,
          stage: 'Reading',
          done: 3,
          total: 9,
          unit: 'pages',
          createdAt: NOW,
        })
        Object.assign(job, { status: 'failed', startedAt: NOW, finishedAt: NOW + 250 })
        out.bodies.push({ job, result: null })
        out.edges = [{ job, edges: [{ id: awaited.id, onFailure: 'skip' }] }]
        out.checkpoints = [{ job, run: 1, count: 2, bytes: 2 ** 40, newest: 'é', at: NOW + 1 }]
        const ended = { finishedAt: NOW + 250, errorCode: 'X', error: 'broke', stack: 'at x' }
        const attempt = { job, run: 1, attempt: 1, worker: null, startedAt: null, ...ended }
        out.attempts.push({ ...attempt, outcome: 'failed' })
      })
      const [job] = await records.db.all('select * from queuedeck_jobs')
      assert.containsSubset(job, { duration: 250, progress: 333, tagged: 1 })
      const [body] = await records.db.all('select payload, options, result from queuedeck_bodies')
      assert.deepEqual(
        { ...body },
        { payload: '{"id":1970670598291982291}', options: '{}', result: null }
      )
      const [attempt] = await records.db.all('select * from queuedeck_attempts')
      assert.containsSubset(attempt, {
        outcome: 2,
        started_at: NOW,
        finished_at: NOW + 250,
        error: 'broke',
      })
      const edges = await records.db.all(
        'select jobs.id, edges.policy from queuedeck_edges edges join queuedeck_jobs jobs on jobs.seq = edges.seq'
      )
      assert.deepEqual(
        edges.map(({ policy }) => policy),
        [2]
      )
      const { checkpoints } = (await records.reader.find(key.id))!
      assert.deepEqual(checkpoints, { count: 2, bytes: 2 ** 40, newest: 'é', at: NOW + 1 })
      const host = await records.db.all('select name from queuedeck_names where kind = 4')
      assert.equal(host[0].name, 'fe80::1')
    })

    test('a late `running` does not undo the outcome of an attempt', async ({ assert }) => {
      const key = newKey()
      const attempt = { run: 1, attempt: 1, errorCode: null, stack: null }
      await mirror.write([key], (job, out) => {
        add(job)
        const rest = { worker: null, startedAt: null, finishedAt: NOW, error: 'gone' }
        out.attempts.push({ job, ...attempt, outcome: 'lost', ...rest })
      })
      await mirror.write([key], (job, out) => {
        const rest = { worker: 'h:1:a', startedAt: NOW - 5, finishedAt: null, error: null }
        out.attempts.push({ job, ...attempt, outcome: 'running', ...rest })
      })
      const [stored] = await records.db.all('select * from queuedeck_attempts')
      assert.containsSubset(stored, {
        outcome: 4,
        started_at: NOW - 5,
        finished_at: NOW,
        error: 'gone',
      })
    })

    test('nothing is written where a cursor has moved', async ({ assert }) => {
      const [one, other] = [newKey('a'), newKey('b')]
      await records.writer.cursors(['a', 'b'])
      const stale = mirror.batch([one, other])
      await mirror.write([newKey('b')], (job) => add(job))
      const answer = await second.writer.apply(stale, (jobs) => {
        jobs.forEach((job) => add(job))
        return [{ ...nothing(), jobs }]
      })
      assert.isFalse(answer)
      assert.equal((await second.writer.cursors(['a'])).get('a')!.lastId, '0-0')
      assert.isUndefined(await row(one.id))
    })

    test('a job whose id is that of a foreign record is another job', async ({ assert }) => {
      for (const [queue, isReversed] of [
        ['one', false],
        ['other', true],
      ] as const) {
        const id = foreignId(queue, '5')
        const keys = ['5', id].map((transportId) => ({ queue, transportId, id }))
        if (isReversed) keys.reverse()
        await mirror.write(keys, (job, _out, index) => add(job, { user: `user ${index}` }))
        await mirror.write([keys[1]], (job) => (job.status = 'completed'))
        await mirror.write(keys, (job, _out, index) => (job.percent = index))
        const rows = await records.writer.openJobs(queue, { limit: 5 })
        assert.deepEqual(
          rows.map(({ transportId }) => transportId),
          [keys[0].transportId]
        )
      }
      const { kept, truth } = await countsAndTruth(records)
      assert.deepEqual(kept, truth)
      assert.lengthOf(await records.db.all('select seq from queuedeck_jobs'), 4)
    })

    test('keeps nothing that was sent behind a statement that failed', async ({
      assert,
      cleanup,
    }) => {
      const lucid = lucidOn(connection)
      const session = await openSession(lucid)
      cleanup(async () => {
        await Promise.all([session.close(), lucid.manager.closeAll()])
      })
      const raise = `update queuedeck_meta set value = value + 1 where name = 'jobs'`
      // As a full disk does it, SQLite ends the transaction by itself here.
      const insert = session.dialect === 'sqlite' ? 'insert or rollback' : 'insert'
      const failing = `${insert} into queuedeck_meta (name, value) values ('jobs', 1)`
      const [before] = await session.all(`select value from queuedeck_meta where name = 'jobs'`)
      await session.begin()
      const sent = [raise, failing, raise].map((sql) => session.run(sql))
      const [first, failed, behind] = await Promise.allSettled(sent)
      assert.equal(first.status, 'fulfilled')
      const { reason } = failed as PromiseRejectedResult
      assert.match(reason.message, /unique|duplicate/i)
      assert.notProperty(reason, 'sql', 'statements hold payloads, and errors are logged')
      // What is told of the batch is why it failed, whichever statement is asked.
      assert.equal((behind as PromiseRejectedResult).reason, reason)
      const later = session.put(NEW_NAMES, [[1, 'behind', 'behind']])
      assert.equal(await later.catch((error) => error), reason)
      await session.rollback()
      const [after] = await session.all(`select value from queuedeck_meta where name = 'jobs'`)
      assert.deepEqual(after, before)
      await session.begin()
      assert.equal(await session.run(raise), 1)
      await session.commit()
    })

    test('of mirrors that write at once, one gets each batch in, and none deadlocks', async ({
      assert,
    }) => {
      const queues = ['a', 'b', 'c']
      await records.writer.cursors(queues)
      let written = 0
      const run = async (writer: Records['writer'], order: string[]) => {
        for (let turn = 0; turn < 30; turn++) {
          const cursors = await writer.cursors(order)
          const jobs = order.map((queue) => newKey(queue))
          const moves = order.map((queue) => {
            const { lastId, skew } = cursors.get(queue)!
            const next = `${Number.parseInt(lastId) + 1}-0`
            const rest = { skew, server: null, notes: null }
            return { queue, from: { lastId, skew }, next: { lastId: next, ...rest } }
          })
          const done = await writer.apply({ cursors: moves, jobs }, (stored) => {
            stored.forEach((job) => add(job, { user: `user ${turn % 3}` }))
            return [{ ...nothing(), jobs: stored }]
          })
          if (done) written++
        }
      }
      await Promise.all([run(records.writer, ['a', 'b', 'c']), run(second.writer, ['c', 'b'])])
      const [{ n }] = await records.db.all('select count(*) as n from queuedeck_jobs')
      const cursors = await records.writer.cursors(queues)
      const moves = [...cursors.values()].reduce(
        (sum, { lastId }) => sum + Number.parseInt(lastId),
        0
      )
      assert.isAbove(written, 29)
      assert.equal(n, moves)
      const { kept, truth } = await countsAndTruth(records)
      assert.deepEqual(kept, truth)
    })

    test('counters, cube, timeline and tags always say what the jobs say', async ({ assert }) => {
      const keys = Array.from({ length: 40 }, (_, index) => newKey(index % 3 ? 'a' : 'b'))
      const statuses = ['pending', 'running', 'failed', 'completed', 'scheduled'] as const
      for (let round = 0; round < 5; round++) {
        await mirror.write(keys, (job, out, index) => {
          const status = statuses[(index + round * 2) % statuses.length]
          if (round === 0) {
            add(job, {
              createdAt: NOW - index * 3_600_000,
              user: index % 4 ? `u${index % 4}` : null,
            })
            if (index % 2) out.tags.push({ job, tags: [`t${index % 5}`, 'all'] })
          }
          if (round === 2 && index % 7 === 0) job.type = 'known.later'
          if (round === 3 && index % 6 === 0) out.tags.push({ job, tags: ['other'] })
          job.status = status
          job.worker = status === 'running' ? `host${index % 2}:1:x` : job.worker
        })
        const { kept, truth, staleTags } = await countsAndTruth(records)
        assert.deepEqual(kept, truth)
        assert.equal(staleTags, 0)
      }
    })

    test('NUL, half surrogates and over-long names do not stop it', async ({ assert }) => {
      const long = 'ü😀'.repeat(4_000)
      const [key, like] = [newKey(long), newKey(`${long}!`)]
      await mirror.write([key, like], (job, out) => {
        add(job, { type: `a\0b\ud800`, user: long, worker: long, stage: long, unit: 'x\0' })
        Object.assign(job, { error: `m\0${long}`, errorCode: long, done: 1.5, total: Infinity })
        Object.assign(job, { priority: 2 ** 40, percent: Number.NaN })
        out.bodies.push({ job, payload: '{"a":"x\\u0000y","b":"\\\\u0000"}', options: null })
        out.logs.push({
          job,
          version: 1n,
          run: 1,
          attempt: 1,
          lines: [[NOW, 999, 'l\0\udfff\\\'"\n']],
        })
        out.tags.push({ job, tags: [long, '\0'] })
      })
      const [body] = await records.db.all('select payload from queuedeck_bodies')
      assert.deepEqual(JSON.parse(body.payload), { a: 'x\0y', b: '\\u0000' })
      const [log] = await records.db.all('select line from queuedeck_logs')
      assert.equal(log.line, 'l\ufffd\ufffd\\\'"\n')
      const names = await records.db.all('select kind, name from queuedeck_names')
      assert.equal(names.filter(({ kind }) => kind === 2).length, 2)
      assert.isTrue(names.some(({ name }) => name === 'a\ufffdb\ufffd'))
      await mirror.write([key], (job) => {
        assert.equal(job.user, storedName(long))
        job.status = 'completed'
      })
      const { kept, truth } = await countsAndTruth(records)
      assert.deepEqual(kept, truth)
    })

    test('a timeline of many megabytes from one batch is read back whole', async ({ assert }) => {
      const key = newKey()
      const message = 'é"'.repeat(250)
      const list = Array.from({ length: 9_000 }, (_, index): EventTuple => {
        return [NOW + index, 1, index + 1, 'attempt failed', { code: null, message }]
      })
      await mirror.write([key], (job, out) => {
        add(job, {})
        out.events.push({ job, version: (BigInt(NOW) << 20n) | 1n, list })
      })
      const { events } = (await records.reader.find(key.id))!
      assert.lengthOf(events, 9_000)
      assert.deepEqual(
        events.map(({ at }) => at),
        list.map(([at]) => at)
      )
      assert.deepEqual(events[8_999].detail, { code: null, message })
    })

    test('an error in the fold leaves nothing behind, and the next batch goes in', async ({
      assert,
    }) => {
      const key = newKey()
      await records.writer.cursors(['default'])
      await assert.rejects(
        () =>
          records.writer.apply(mirror.batch([key]), () => {
            throw new Error('no fold')
          }),
        'no fold'
      )
      records.writer.hook = (point) => {
        if (point === 4) throw new Error('no commit')
      }
      await assert.rejects(
        () => mirror.write([key], (job) => add(job, { user: 'rolled back' })),
        'no commit'
      )
      records.writer.hook = undefined
      assert.isUndefined(await row(key.id))
      await mirror.write([key], (job) => add(job, { user: 'rolled back' }))
      assert.equal((await row(key.id))!.status, 'pending')
      const { kept, truth } = await countsAndTruth(records)
      assert.deepEqual(kept, truth)
    })

    test('lists open jobs by age, and marks only ended ones as gone', async ({ assert }) => {
      const keys = Array.from({ length: 12 }, () => newKey())
      await mirror.write(keys, (job, _out, index) => {
        const status = (['pending', 'completed', 'running', 'scheduled'] as const)[index % 4]
        // Several of a moment, and the last ones are the oldest.
        add(job, { status, stopping: false, createdAt: NOW - Math.floor(index / 5) * 1000 })
        if (index >= 9) Object.assign(job, { status: 'cancelled', stopping: index > 9 })
      })
      const ids = [10, 11, 6, 7, 8, 0, 2, 3, 4].map((index) => keys[index].id)
      for (const limit of [1, 2, 3, 8, 9, 20]) {
        const seen: string[] = []
        let after: OpenPlace | undefined
        for (;;) {
          const open = await records.writer.openJobs('default', { after, limit })
          seen.push(...open.map(({ id }) => id))
          after = open.at(-1)?.place
          if (open.length < limit) break
        }
        assert.deepEqual(seen, ids, `pages of ${limit}`)
      }
      const [oldest] = await records.writer.openJobs('default', { limit: 1 })
      assert.equal(oldest.status, 'cancelled')
      assert.equal(oldest.transportId, keys[10].id)
      assert.isEmpty(await records.writer.openJobs('nobody knows it', { limit: 9 }))
      await records.writer.markGone(keys)
      const [{ n }] = await records.db.all(
        'select count(*) as n from queuedeck_jobs where has_transport = 0'
      )
      assert.equal(n, 5)
    })

    test('tables that were dropped and made again get their own names', async ({ assert }) => {
      const key = newKey()
      await mirror.write([key], (job) => add(job, { user: 'somebody' }))
      await remake(connection)
      const again = new HandMirror(records)
      await again.write([key], (job) => add(job, { user: 'somebody' }))
      const rows = await records.db.all(
        'select n.name from queuedeck_jobs j join queuedeck_names n on n.id = j.user_id'
      )
      assert.deepEqual(
        rows.map(({ name }) => name),
        ['somebody']
      )
    })
  })
})
