import { test } from '@japa/runner'
import { eachDatabase, type DatabaseCase } from '#tests/helpers/databases'
import { writeSkewedJobs } from '../../../bench/support/skewed_jobs.ts'
import type { Db } from '../../../src/records/dialect/db.ts'
import { SORTS, DIRECTIONS, JobQuery } from '../../../src/records/job_query.ts'
import { Reader } from '../../../src/records/reader.ts'
import type { Limits } from '../../../src/records/reader/limits.ts'
import { openSession } from '../../../src/records/records.ts'
import { STATUSES } from '../../../src/statuses.ts'
import { migrate, openRecords } from '../mirror/records.ts'
import { add, HandMirror, lucidOn, newKey } from './lab.ts'

const JOBS = 5_000
/** Lists for each database and way. */
const LISTS = Number(process.env.QUEUEDECK_PAGES_LISTS ?? 80)
const NOW = Date.parse('2026-11-25T00:00:00Z')
const DAY = 86_400_000
/** How ids begin in the middle of the history. */
const MIDDLE = (NOW - 15 * DAY).toString(16).padStart(12, '0').slice(0, 8)

/** So small that thousands of jobs meet what otherwise takes millions: pieces of an index, searches that stop. */
const SMALL: Limits = {
  exact: 150,
  few: 150,
  piece: 150,
  passed: 300,
  time: 0,
  counted: 400,
  sampled: 150,
}

const VALUES = {
  status: [...STATUSES],
  type: [
    'document_processing.parse',
    'document_processing.chunk',
    'mail.*',
    'a_b*',
    'demo.fail',
    'rare.once',
  ],
  queue: ['default', 'documents', 'mail', 'reports/a b#1?x=%2F..\\ü', 'seldom'],
  user: ['1', '2', '17', '900', '12*', '3999'],
  host: ['web-1', 'WORKER-1', 'worker-3'],
  tag: ['import', 'nightly', 'customer', 'once'],
}

/** Each database meets lists of its own; with those of the small limits many searches stop. */
const SEEDS = { sqlite: [11, 27], pg: [12, 32], mysql: [13, 38] }

type Field = keyof typeof VALUES
const FIELDS = Object.keys(VALUES) as Field[]

/** The same choices for the same seed (mulberry32). */
function generator(seed: number) {
  let state = seed
  const random = () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
  return { random, pick: <T>(list: readonly T[]) => list[Math.floor(random() * list.length)] }
}

/** A filter of none to four parts, with one or several values each. */
function makeFilter({
  random,
  pick,
}: ReturnType<typeof generator>): Record<string, string | string[]> {
  const params: Record<string, string | string[]> = {}
  const parts = pick([0, 1, 1, 2, 2, 3, 4])
  for (let part = 0; part < parts; part++) {
    const field = pick(FIELDS)
    params[field] =
      random() < 0.7 ? pick(VALUES[field]) : [pick(VALUES[field]), pick(VALUES[field])]
  }
  if (random() < 0.1) params.q = pick(['17', '900', '01a', MIDDLE.slice(0, 6), MIDDLE])
  if (random() < 0.25) params.from = new Date(NOW - pick([1, 5, 20]) * DAY).toISOString()
  if (random() < 0.15) params.to = new Date(NOW - pick([0.01, 0.5]) * DAY).toISOString()
  return params
}

/** The list as one plain statement, without regard for speed: numbers of jobs in order. */
async function plainList(db: Db, query: JobQuery): Promise<{ seq: number; id: string }[]> {
  const where: string[] = ['1 = 1']
  const values: unknown[] = []
  const named = (column: string, kind: number, given: readonly string[]) => {
    const any = given.map((value) => {
      const lower = value.toLowerCase()
      if (value.includes('*')) {
        values.push(kind, lower.replace(/[!%_]/g, '!$&').replaceAll('*', '%'))
        return `(kind = ? and fold like ? escape '!')`
      }
      values.push(kind, value, lower)
      return '(kind = ? and (name = ? or fold = ?))'
    })
    return `${column} in (select id from queuedeck_names where ${any.join(' or ')})`
  }
  if (query.types.length) where.push(named('type_id', 1, query.types))
  if (query.queues.length) where.push(named('queue_id', 2, query.queues))
  if (query.users.length) where.push(named('user_id', 3, query.users))
  if (query.hosts.length) where.push(named('host_id', 4, query.hosts))
  if (query.tags.length) {
    where.push(`seq in (select seq from queuedeck_tags where ${named('tag_id', 6, query.tags)})`)
  }
  if (query.statuses.length) {
    where.push(`status in (${query.statuses.map((status) => STATUSES.indexOf(status)).join(', ')})`)
  }
  if (query.from !== null) where.push(`created_at >= ${query.from}`)
  if (query.to !== null) where.push(`created_at < ${query.to}`)
  const by = query.direction
  const orders = {
    created: `created_at ${by}, seq ${by}`,
    status: `status ${by}, created_at ${by}, seq ${by}`,
    progress: `progress ${by}, created_at ${by}, seq ${by}`,
    duration: `case when duration < 0 then 1 else 0 end, duration ${by}, seq ${by}`,
  }
  const rows = await db.all(
    `select seq, id, (select name from queuedeck_names n where n.id = user_id) as who from queuedeck_jobs where ${where.join(' and ')} order by ${orders[query.sort]}`,
    values
  )
  const text = (id: string | Buffer) =>
    typeof id === 'string' ? id.replaceAll('-', '') : id.toString('hex')
  return rows
    .map((row) => ({ seq: Number(row.seq), id: text(row.id), who: row.who }))
    .filter(({ id, who }) => query.q === '' || id.startsWith(query.q) || who === query.q)
}

const hex = (id: string) => id.replaceAll('-', '')

async function filled({ create }: DatabaseCase) {
  const { connection, drop } = await create()
  await migrate(connection)
  const database = lucidOn(connection)
  const session = await openSession(database)
  await writeSkewedJobs(session, { jobs: JOBS, now: NOW })
  // Jobs that ended without ever having started
  await session.run(
    `update queuedeck_jobs set duration = -1 where status in (4, 5) and seq % 3 = 0`
  )
  await session.close()
  const records = openRecords(connection)
  const close = async () => {
    await Promise.all([records.close(), database.manager.closeAll()])
    await drop()
  }
  return { records, close }
}

eachDatabase((database) => {
  test.group(`Pages of records | ${database.label}`, (group) => {
    let db: Db
    let close: () => Promise<void>
    group.setup(async () => {
      const made = await filled(database)
      db = made.records.db
      close = made.close
      return () => close()
    })

    for (const [name, limits, seed] of [
      ['by sorting few candidates', undefined, SEEDS[database.kind][0]],
      ['by pieces of an index, and stopping', SMALL, SEEDS[database.kind][1]],
    ] as const) {
      test(`equal the plain query's rows, forwards and back: ${name}`, async ({ assert }) => {
        const reader = limits ? new Reader(db, limits) : new Reader(db)
        const choices = generator(seed)
        let pages = 0
        let stops = 0
        for (let list = 0; list < LISTS; list++) {
          const filter = makeFilter(choices)
          const sort = choices.pick(SORTS)
          const direction = choices.pick(DIRECTIONS)
          const limit = choices.pick([1, 7, 50, 200])
          const first = JobQuery.from({ ...filter, sort, direction, limit: String(limit) })
          const about = JSON.stringify(first.toParams())
          const expected = (await plainList(db, first)).map(({ id }) => id)

          // Forwards, up to some pages; then far into the list; then back to its beginning.
          const seen: string[] = []
          let query: JobQuery | null = first
          for (let page = 0; query && page < 6; page++) {
            const { rows, next, count, bounded } = await reader.page(query)
            pages++
            if (bounded) stops++
            assert.isAtMost(rows.length, limit, about)
            if (next && !bounded) assert.lengthOf(rows, limit, about)
            seen.push(...rows.map(({ id }) => hex(id)))
            assert.deepEqual(seen, expected.slice(0, seen.length), about)
            if (!count.capped) assert.equal(count.value, expected.length, about)
            else assert.isAtMost(count.value, expected.length, about)
            if (!next) assert.equal(seen.length, expected.length, about)
            const previous: JobQuery = query
            query = next ? first.with({ cursor: next }) : null
            if (query === null || page === 5) query = page > 0 ? previous : null
            if (next === null || page === 5) break
          }
          if (!query) continue
          const here = await reader.page(query)
          let start = seen.length - here.rows.length
          let cursor = here.previous
          for (let page = 0; cursor && page < 40; page++) {
            const before = await reader.page(first.with({ cursor }))
            pages++
            const ids = before.rows.map(({ id }) => hex(id))
            assert.deepEqual(ids, expected.slice(start - ids.length, start), `back ${about}`)
            start -= ids.length
            cursor = before.previous
            if (!cursor) assert.equal(start, 0, `back ${about}`)
          }
        }
        assert.isAbove(pages, 3 * LISTS)
        if (limits) assert.isAbove(stops, LISTS / 10)
      })
    }

    test('count a job with several of the tags once, and none of them less', async ({ assert }) => {
      const { connection, drop } = await database.create()
      await migrate(connection)
      const records = openRecords(connection)
      const done = () => records.close().then(drop)
      const mirror = new HandMirror(records)
      /** More entries of the first two tags than are counted, of fewer jobs. */
      const keys = Array.from({ length: 140 }, () => newKey())
      await mirror.write(keys, (job, out, index) => {
        add(job, { createdAt: NOW + index })
        const tags = [index < 100 ? 'a' : 'b', ...(index >= 50 && index < 100 ? ['b', 'c'] : [])]
        out.tags.push({ job, tags })
      })
      const reader = new Reader(records.db, SMALL)
      const counted = async (tag: string[]) => (await reader.page(JobQuery.from({ tag }))).count
      assert.deepEqual(await counted(['a', 'b']), { value: 140, capped: false })
      assert.deepEqual(await counted(['a', 'b', 'c']), { value: 140, capped: false })
      assert.deepEqual(await counted(['c', 'b']), { value: 90, capped: false })
      await done()
    })
  })
})
