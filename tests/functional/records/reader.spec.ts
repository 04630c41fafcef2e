import { randomUUID } from 'node:crypto'
import { test } from '@japa/runner'
import { eachDatabase } from '#tests/helpers/databases'
import { foreignId } from '../../../src/records/ids.ts'
import { DIRECTIONS, JobQuery, SORTS } from '../../../src/records/job_query.ts'
import { encodeCursor } from '../../../src/records/query/cursor.ts'
import type { Records } from '../../../src/records/records.ts'
import type { StoredJob } from '../../../src/records/writer_types.ts'
import { migrate, openRecords } from '../mirror/records.ts'
import { add, HandMirror, newKey, NOW } from './lab.ts'

const MINUTE = 60_000
const NAMES = [
  '/ . : % ? # ü 😀',
  '100%_done',
  '100XXdone',
  '100%Xdone',
  'a_bc',
  'axbc',
  'A_BCD',
  '*',
]

eachDatabase(({ label, create }) => {
  test.group(`Reader | ${label}`, (group) => {
    let records: Records
    let mirror: HandMirror

    group.setup(async () => {
      const { connection, drop } = await create()
      await migrate(connection)
      records = openRecords(connection)
      mirror = new HandMirror(records)
      return async () => {
        await records.close()
        await drop()
      }
    })

    /** One job of a queue of its own, so that tests do not see each other's. */
    const write = async (queue: string, list: Partial<StoredJob>[], tags: string[] = []) => {
      const keys = list.map(() => newKey(queue))
      await mirror.write(keys, (job, out, index) => {
        add(job, list[index])
        if (tags.length > 0) out.tags.push({ job, tags })
      })
      return keys.map(({ id }) => id)
    }

    const page = async (params: Record<string, unknown>) => {
      const { rows, count } = await records.reader.page(JobQuery.from(params))
      return { ids: rows.map(({ id }) => id), rows, count }
    }

    test('shows one job with all that belongs to it', async ({ assert }) => {
      const key = newKey('one')
      const ended = { startedAt: NOW, finishedAt: NOW + 9, errorCode: 'E_X', stack: 'at x' }
      await mirror.write([key], (job, out) => {
        add(job, { user: '42', worker: 'fe80::1:77:ab', status: 'running', startedAt: NOW, run: 2 })
        Object.assign(job, { attempts: 1, maxAttempts: 3, percent: 12.3, done: 1, total: 8 })
        Object.assign(job, { stage: 'Reading', unit: 'pages', priority: 4, sensitive: true })
        const attempt = { job, run: 1, attempt: 1, worker: 'h:1:a', ...ended }
        out.attempts.push({ ...attempt, outcome: 'failed', error: 'broke' })
        const rest = { finishedAt: null, errorCode: null, error: null, stack: null }
        const open = { job, run: 2, attempt: 1, worker: job.worker, startedAt: NOW, ...rest }
        out.attempts.push({ ...open, outcome: 'running' })
        out.events.push({ job, version: 5n, list: [[NOW, 1, 0, 'added', { by: 'a' }]] })
        out.runs!.push({ job, run: 1, status: 'failed', ...ended, error: 'broke' })
        out.tags.push({ job, tags: ['b', 'a'] })
      })
      const job = await records.reader.find(key.id)
      assert.containsSubset(job, {
        id: key.id,
        transportId: key.id,
        queue: 'one',
        type: 'demo.sleep',
        status: 'running',
        run: 2,
        attempts: { started: 1, max: 3 },
        priority: 4,
        user: '42',
        host: 'fe80::1',
        worker: 'fe80::1:77:ab',
        progress: { percent: 12.3, stage: 'Reading', done: 1, total: 8, unit: 'pages' },
        error: null,
        createdAt: NOW,
        duration: null,
        sensitive: true,
        hasTransport: true,
      })
      assert.sameMembers(job!.tags, ['a', 'b'])
      assert.deepEqual(job!.events, [
        { at: NOW, run: 1, attempt: 0, kind: 'added', detail: { by: 'a' } },
      ])
      assert.deepEqual(
        job!.attemptList.map(({ run, outcome, host }) => [run, outcome, host]),
        [
          [1, 'failed', 'h'],
          [2, 'running', 'fe80::1'],
        ]
      )
      assert.deepEqual(job!.attemptList[0].error, { code: 'E_X', message: 'broke', stack: 'at x' })
      assert.containsSubset(job!.runs, [{ run: 1, status: 'failed', finishedAt: NOW + 9 }])
      for (const id of [randomUUID(), key.id.toUpperCase(), 'x', '', "' or 1=1", 'é'.repeat(9_000)])
        assert.isNull(await records.reader.find(id))
    })

    test('hands out bodies letter by letter, digits above 2^53 included', async ({ assert }) => {
      const key = newKey('bodies')
      const payload = '{"rowId":1970670598291982291,"text":"\\u0000 😀"}'
      await mirror.write([key], (job, out) => {
        add(job)
        out.bodies.push({ job, payload, options: '{}' })
      })
      assert.deepEqual(await records.reader.body(key.id), { payload, options: '{}', result: null })
      assert.isNull(await records.reader.body(randomUUID()))
      assert.equal((await records.reader.find(key.id))!.payload, payload)
    })

    test('gives numbers for counts and durations, and 9 before 10 before 100', async ({
      assert,
    }) => {
      const ended = [100, 9, 10].map((duration) => ({
        status: 'completed' as const,
        startedAt: NOW,
        finishedAt: NOW + duration,
      }))
      await write('numbers', ended)
      await write('percents', [{ percent: 100 }, { percent: 9 }, { percent: 10 }])
      const { rows, count } = await page({ queue: 'numbers', sort: 'duration', direction: 'asc' })
      assert.deepEqual(
        rows.map(({ duration }) => duration),
        [9, 10, 100]
      )
      assert.deepEqual(count, { value: 3, capped: false })
      const byProgress = await page({ queue: 'percents', sort: 'progress', direction: 'asc' })
      assert.deepEqual(
        byProgress.rows.map(({ progress }) => progress.percent),
        [9, 10, 100]
      )
      const counts = await records.reader.counts()
      const [{ n }] = await records.db.all('select count(*) as n from queuedeck_jobs')
      assert.isTrue(Object.values(counts).every((value) => typeof value === 'number'))
      assert.equal(
        Object.values(counts).reduce((sum, value) => sum + value, 0),
        n
      )
      const { status } = await records.reader.facets(JobQuery.from({ queue: 'numbers' }))
      assert.deepEqual(status, { values: [{ name: 'completed', count: 3 }], sampled: false })
    })

    test('reads rows by id in the order asked for', async ({ assert }) => {
      const ids = await write('rows', [{}, {}, {}])
      const asked = [ids[2], randomUUID(), ids[0], 'no id', ids[2]]
      const rows = await records.reader.rowsById(asked)
      assert.deepEqual(
        rows.map(({ id }) => id),
        [ids[2], ids[0], ids[2]]
      )
      assert.deepEqual(await records.reader.rowsById([]), [])
    })

    test('turns the pages of a log in both directions, by run', async ({ assert }) => {
      const key = newKey('logs')
      const base = BigInt(NOW) << 20n
      await mirror.write([key], (job, out) => {
        add(job)
        for (let entry = 0; entry < 5; entry++) {
          const lines = [0, 1, 2].map((line): [number, number, string] => [
            NOW + entry,
            [10, 30, 50][line],
            `${entry}.${line}`,
          ])
          const run = entry < 3 ? 1 : 2
          out.logs.push({ job, version: base + BigInt(entry), run, attempt: 1, lines })
        }
      })
      const all = (entries: number[]) => entries.flatMap((e) => [0, 1, 2].map((l) => `${e}.${l}`))
      const read = async (options: { run?: number; newest?: boolean }) => {
        const pages: string[][] = []
        let cursor: string | null = null
        do {
          const part = await records.reader.logs(key.id, { ...options, limit: 4, cursor })
          pages.push(part.lines.map(({ line }) => line))
          cursor = part.next
        } while (cursor && pages.length < 10)
        return pages
      }
      assert.deepEqual((await read({})).flat(), all([0, 1, 2, 3, 4]))
      assert.deepEqual((await read({ newest: true })).reverse().flat(), all([0, 1, 2, 3, 4]))
      assert.deepEqual((await read({ run: 2 })).flat(), all([3, 4]))
      const [first] = (await records.reader.logs(key.id)).lines
      assert.deepEqual(first, { at: NOW, run: 1, attempt: 1, level: 'trace', line: '0.0' })
      for (const cursor of ['x', '1', '1.2.3', '9'.repeat(19) + '.1', '1 or 1=1.0', '-1.0']) {
        await assert.rejects(() => records.reader.logs(key.id, { cursor }), /cursor/)
      }
      assert.deepEqual(await records.reader.logs(randomUUID()), { lines: [], next: null })
    })

    test('takes 95 of 100 of the newest durations of a type', async ({ assert }) => {
      const list = Array.from({ length: 100 }, (_, index) => ({
        type: 'timed.often',
        status: 'completed' as const,
        startedAt: NOW,
        finishedAt: NOW + index + 1,
      }))
      await write('timed', [...list, { type: 'timed.never', status: 'running', startedAt: NOW }])
      const p95 = await records.reader.p95(['timed.often', 'timed.never', 'timed.unknown'])
      assert.deepEqual(p95, { 'timed.often': 95 })
    })

    test('lists what runs now, newest first', async ({ assert }) => {
      const later = NOW + 10 * MINUTE
      const ids = await write('runs', [
        { status: 'running', startedAt: later, createdAt: later + 1 },
        { status: 'completed', startedAt: later, finishedAt: later, createdAt: later + 3 },
        { status: 'running', startedAt: later, createdAt: later + 2 },
      ])
      const rows = await records.reader.runningNow(2)
      assert.deepEqual(
        rows.map(({ id }) => id),
        [ids[2], ids[0]]
      )
    })

    test('names the jobs beside one, also of one millisecond', async ({ assert }) => {
      await write(
        'beside',
        Array.from({ length: 5 }, () => ({ createdAt: NOW + MINUTE }))
      )
      const { ids } = await page({ queue: 'beside' })
      for (const [at, id] of ids.entries()) {
        const { newer, older } = await records.reader.neighbours(id)
        if (at > 0) assert.equal(newer, ids[at - 1])
        if (at < 4) assert.equal(older, ids[at + 1])
      }
      for (const id of [randomUUID(), 'x', '']) {
        assert.deepEqual(await records.reader.neighbours(id), { newer: null, older: null })
      }
    })

    test('`*` is the only wildcard, and names hold any letters', async ({ assert }) => {
      for (const type of NAMES) await write('wild', [{ type, user: type }], [type])
      const found = async (params: Record<string, unknown>) => {
        const { rows } = await page({ queue: 'wild', ...params })
        return rows.map(({ type }) => type).sort()
      }
      for (const name of NAMES.slice(0, -1)) {
        assert.deepEqual(await found({ type: name }), [name])
        assert.deepEqual(await found({ user: name, tag: name }), [name])
      }
      assert.deepEqual(await found({ type: 'a_b*' }), ['A_BCD', 'a_bc'])
      assert.deepEqual(await found({ type: '100%_*' }), ['100%_done'])
      assert.deepEqual(await found({ type: '100%*' }), ['100%Xdone', '100%_done'])
      assert.deepEqual(
        await found({ type: '*%*' }),
        ['/ . : % ? # ü 😀', '100%Xdone', '100%_done'].sort()
      )
      assert.deepEqual(await found({ type: '*😀' }), ['/ . : % ? # ü 😀'])
      assert.deepEqual(await found({ type: 'A_BC' }), ['a_bc'])
      assert.deepEqual(await found({ type: ['axbc', 'nobody', 'a_b*'] }), ['A_BCD', 'a_bc', 'axbc'])
      assert.deepEqual(await found({ type: '!*' }), [])
      assert.deepEqual(await found({ type: '\\%' }), [])
      assert.deepEqual(await found({ type: '%' }), [])
    })

    test('completes names without case, and takes every letter as it is', async ({ assert }) => {
      await write('Names/One', [{ type: 'Zeta.one' }, { type: 'zeta.two' }, { type: 'zeta_three' }])
      const { reader } = records
      assert.deepEqual(await reader.names('type', 'ZETA', 10), [
        'Zeta.one',
        'zeta.two',
        'zeta_three',
      ])
      assert.deepEqual(await reader.names('type', 'zeta_', 10), ['zeta_three'])
      assert.deepEqual(await reader.names('type', 'zeta', 1), ['Zeta.one'])
      assert.deepEqual(await reader.names('queue', 'names/', 10), ['Names/One'])
      for (const prefix of ['zet%', '*', '\0', '\ud800', 'x'.repeat(10_000)])
        assert.notInclude(await reader.names('type', prefix, 10), 'zeta.two')
    })

    test('searches by the beginning of an id, by BullMQ id and by user', async ({ assert }) => {
      const queue = 'sought'
      const id = '0199aaaa-bbbb-7ccc-8ddd-eeeeffff0001'
      const other = '0199aaaa-bbbb-7ccc-8ddd-eeeeffff0002'
      const last = '02aaaaaa-bbbb-7ccc-8ddd-eeeeffff0003'
      const foreign = { queue, transportId: '77', id: foreignId(queue, '77') }
      const keys = [
        { queue, transportId: id, id },
        { queue, transportId: other, id: other },
        foreign,
        { queue, transportId: last, id: last },
      ]
      await mirror.write(keys, (job, _out, index) => {
        add(job, { user: ['Ann', null, '77', '0199'][index], createdAt: NOW - index })
      })
      const found = async (q: string, rest = {}) => (await page({ q, ...rest })).ids
      assert.deepEqual(await found(id), [id])
      assert.deepEqual(await found(id.toUpperCase()), [id])
      assert.deepEqual(await found('0199aaaa-bbbb-7'), [id, other])
      assert.deepEqual(await found('0199AAAAbbbb'), [id, other])
      assert.deepEqual(await found('0199aaa-abbbb'), [])
      assert.deepEqual(await found('77', { queue }), [foreign.id])
      assert.deepEqual(await found('ann'), [id])
      assert.deepEqual(await found('0199', { queue }), [id, other, last])
      assert.deepEqual(await found('0199', { queue, user: 'ANN' }), [id])
      assert.deepEqual(await found('0199', { queue, sort: 'status', limit: 2 }), [id, other])
      for (const q of ['nobody', '%', '_', "' or 1=1 --", 'x'.repeat(255), '😀'])
        assert.deepEqual(await found(q), [], q)
    })

    test('answers cursors made by hand, however large their numbers', async ({ assert }) => {
      const most = Number.MAX_SAFE_INTEGER
      const keys = {
        created: [
          [most, most],
          [0, 0],
        ],
        status: [
          [6, most, most],
          [0, 0, 0],
        ],
        progress: [
          [1001, most, most],
          [0, 0, 0],
        ],
        duration: [
          [most, most],
          [-1, most],
        ],
      }
      for (const sort of SORTS) {
        for (const direction of DIRECTIONS) {
          for (const key of keys[sort]) {
            for (const back of [true, false]) {
              const cursor = encodeCursor(sort, direction, { back, key })
              for (const filter of [{}, { type: 'demo.sleep', user: '42' }, { q: '0199' }]) {
                const { rows } = await page({ ...filter, sort, direction, cursor })
                assert.isArray(rows)
              }
            }
          }
        }
      }
    })

    test('compares moments in whatever zone they are written', async ({ assert }) => {
      const hours = [18, 19, 20, 21, 22, 23]
      await write(
        'moments',
        hours.map((hour) => ({ createdAt: Date.UTC(2026, 10, 1, hour) }))
      )
      const length = async (params: object) =>
        (await page({ queue: 'moments', ...params })).ids.length
      assert.equal(await length({ to: '2026-11-01T21:00:00Z' }), 3)
      assert.equal(await length({ to: '2026-11-01T22:00:00+01:00' }), 3)
      const day = { from: '2026-11-01', to: '2026-11-01' }
      assert.equal(await length({ ...day, tz: 'Asia/Kolkata' }), 1)
      assert.equal(await length(day), 6)
    })
  })
})
