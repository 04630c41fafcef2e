import { JobQuery, DIRECTIONS, SORTS, type Direction, type Sort } from '../src/records/job_query.ts'
import { encodeCursor } from '../src/records/query/cursor.ts'
import { openSession, type Records } from '../src/records/records.ts'
import { COMPLETED_PROGRESS, DAY } from '../src/records/tables.ts'
import { statusCode } from '../src/statuses.ts'
import { createDatabase, type DatabaseKind } from '../tests/helpers/databases.ts'
import { migrate, openRecords } from '../tests/functional/mirror/records.ts'
import { lucidOn } from '../tests/functional/records/lab.ts'
import { median, quantile } from './support/rounds.ts'
import { writeSkewedJobs } from './support/skewed_jobs.ts'
import type { Bench, Measure } from './support/types.ts'

/** Milliseconds that 95 of 100 readings of a list must stay under. */
const CEILINGS: Record<DatabaseKind, number> = { sqlite: 50, pg: 50, mysql: 100 }

const LABELS: Record<DatabaseKind, string> = {
  sqlite: 'SQLite',
  pg: 'PostgreSQL',
  mysql: 'MariaDB',
}

const NOW = Date.parse('2026-11-25T00:00:00Z')
const SPAN = 30 * DAY
const MIDDLE = NOW - SPAN / 2

const moment = (at: number) => new Date(at).toISOString()

/** How ids of jobs of that moment begin. */
const idAt = (at: number, letters: number) => at.toString(16).padStart(12, '0').slice(0, letters)

/** What people filter by, common and rare, and the corners where indexes help least. */
const FILTERS: Record<string, Record<string, string | string[]>> = {
  'everything': {},
  'status completed': { status: 'completed' },
  'status failed': { status: 'failed' },
  'status running': { status: 'running' },
  'status pending, scheduled, blocked': { status: ['pending', 'scheduled', 'blocked'] },
  'all but completed': { status: 'pending,scheduled,blocked,running,failed,cancelled' },
  'common type': { type: 'document_processing.parse' },
  'rare type': { type: 'rare.once' },
  'types by wildcard': { type: 'd*' },
  'common type, failed': { type: 'document_processing.parse', status: 'failed' },
  'common type, running': { type: 'document_processing.parse', status: 'running' },
  'common queue': { queue: 'default' },
  'rare queue': { queue: 'seldom' },
  'common user': { user: '1' },
  'rare user': { user: '3999' },
  'users by wildcard': { user: '12*' },
  'common host': { host: 'web-1' },
  'common tag': { tag: 'import' },
  'rare tag': { tag: 'once' },
  'two tags': { tag: ['import', 'nightly'] },
  'last hour': { from: moment(NOW - 3_600_000) },
  'last week': { from: moment(NOW - 7 * DAY) },
  'a day in the middle': { from: moment(MIDDLE), to: moment(MIDDLE + DAY) },
  'common type and queue': { type: 'document_processing.parse', queue: 'documents' },
  'common type, rare queue': { type: 'document_processing.parse', queue: 'seldom' },
  'rare type, common queue': { type: 'rare.once', queue: 'default' },
  'common type, common tag': { type: 'document_processing.parse', tag: 'import' },
  'common type, rare tag': { type: 'document_processing.parse', tag: 'once' },
  'common type, last week, failed': {
    type: 'document_processing.parse',
    status: 'failed',
    from: moment(NOW - 7 * DAY),
  },
  'type that fails, completed': { type: 'demo.fail', status: 'completed' },
  'queue, host, user': { queue: 'default', host: 'web-1', user: '1' },
  'queue, host, user, failed': { queue: 'mail', host: 'web-2', user: '1', status: 'failed' },
  'queue, host, old': { queue: 'low', host: 'worker-3', to: moment(NOW - 29 * DAY) },
  'nothing: name nobody has': { type: 'no.such_type' },
  'nothing: running long ago': { status: 'running', to: moment(NOW - 20 * DAY) },
  'nothing: two commons never together': {
    type: 'demo.sleep',
    queue: 'default',
    host: 'worker-3',
    status: 'cancelled',
    tag: 'beta',
  },
  'nothing: blocked tag': { tag: 'customer', status: 'blocked', host: 'web-1' },
  'search by the first letters of all ids': { q: idAt(MIDDLE, 3) },
  'search by the first letters of many ids': { q: idAt(MIDDLE, 5) },
  'search by the first letters of few ids': { q: idAt(MIDDLE, 8) },
  'search by user': { q: '17' },
  'search in vain': { q: 'nobody' },
}

/** Keys in the midst of each sort, and at its end. */
const COMPLETED = statusCode('completed')
const PLACES: Record<Sort, { middle: number[]; ends: Record<Direction, number[]> }> = {
  created: {
    middle: [MIDDLE, 500_000],
    ends: { asc: [NOW * 2, 0], desc: [0, 0] },
  },
  status: {
    middle: [COMPLETED, MIDDLE, 500_000],
    ends: { asc: [COMPLETED, NOW * 2, 0], desc: [0, 0, 0] },
  },
  progress: {
    middle: [COMPLETED_PROGRESS, MIDDLE, 500_000],
    ends: { asc: [COMPLETED_PROGRESS, NOW * 2, 0], desc: [0, 0, 0] },
  },
  duration: {
    middle: [100, 500_000],
    ends: { asc: [-1, 2_000_000], desc: [-1, 0] },
  },
}

/**
 * Pages of the Jobs list with its count: each filter in each sort and direction, at the beginning, one page on, in the midst and
 * at the end. The ceiling is for the slowest list, not for all of them together.
 *
 * Options: `--databases=sqlite,pg,mysql`, `--jobs=1000000`, `--slowest=10` lists that are named.
 */
const bench: Bench = async ({ rounds = 5, others, tell }) => {
  const kinds = String(others.databases ?? 'sqlite,pg,mysql').split(',') as DatabaseKind[]
  const jobs = Number(others.jobs ?? 1_000_000)
  const slowest = Number(others.slowest ?? 10)
  const measures: Measure[] = []
  const notes: string[] = []
  for (const kind of kinds) {
    tell(`${LABELS[kind]}: writing ${jobs.toLocaleString('en')} jobs ...`)
    const { records, close } = await filled(kind, jobs)
    try {
      const lists = await measureLists(records, rounds)
      measures.push(...summary(kind, lists))
      for (const { name, p95, times, undisturbed } of lists.slice(0, slowest))
        notes.push(
          `${LABELS[kind]}: ${p95.toFixed(1)} ms p95, ${median(times).toFixed(1)} ms median, ${undisturbed.toFixed(1)} ms undisturbed: ${name}`
        )
      measures.push(...(await measureOthers(LABELS[kind], records, rounds)))
    } finally {
      await close()
    }
  }
  return { measures, notes: [`${jobs.toLocaleString('en')} jobs`, ...notes] }
}

async function filled(kind: DatabaseKind, jobs: number) {
  const { connection, drop } = await createDatabase(kind)
  await migrate(connection)
  const database = lucidOn(connection)
  const session = await openSession(database)
  await writeSkewedJobs(session, { jobs, now: NOW, span: SPAN })
  await session.close()
  const records = openRecords(connection)
  const close = async () => {
    await Promise.all([records.close(), database.manager.closeAll()])
    await drop()
  }
  return { records, close }
}

type List = {
  name: string
  times: number[]
  p95: number
  /** The slowest of its pages in its fastest round: what is left of a figure when the machine is busy with other things. */
  undisturbed: number
  /** Pages whose search stopped before they were full. */
  stopped: number
}

/** Slowest first. The first round warms up and does not count. */
async function measureLists(records: Records, rounds: number): Promise<List[]> {
  const lists: List[] = []
  for (const [filter, params] of Object.entries(FILTERS)) {
    for (const sort of SORTS) {
      for (const direction of DIRECTIONS) {
        const first = JobQuery.from({ ...params, sort, direction })
        const queries = await pagesOf(records, first)
        const times: number[] = []
        const fastest = queries.map(() => Infinity)
        let stopped = 0
        for (let round = 0; round <= rounds; round++) {
          for (const [index, query] of queries.entries()) {
            const began = performance.now()
            const { bounded } = await records.reader.page(query)
            const time = performance.now() - began
            fastest[index] = Math.min(fastest[index], time)
            if (round === 0) continue
            times.push(time)
            if (bounded) stopped++
          }
        }
        const name = `${filter}, by ${sort} ${direction}`
        const undisturbed = Math.max(...fastest)
        lists.push({ name, times, p95: quantile(times, 0.95), undisturbed, stopped })
      }
    }
  }
  return lists.sort((one, other) => other.p95 - one.p95)
}

async function pagesOf(records: Records, first: JobQuery): Promise<JobQuery[]> {
  const { sort, direction } = first
  const { next } = await records.reader.page(first)
  const { middle, ends } = PLACES[sort]
  const at = (key: number[], back: boolean) =>
    first.with({ cursor: encodeCursor(sort, direction, { key, back }) })
  return [
    first,
    ...(next ? [first.with({ cursor: next })] : []),
    at(middle, false),
    at(middle, true),
    at(ends[direction], true),
  ]
}

function summary(kind: DatabaseKind, lists: List[]): Measure[] {
  const label = LABELS[kind]
  const all = lists.flatMap(({ times }) => times)
  const [slowest] = lists.toSorted((one, other) => other.undisturbed - one.undisturbed)
  const stopped = lists.reduce((sum, list) => sum + list.stopped, 0)
  const ms = (name: string, value: number) => ({ name: `${label}, ${name}`, value, unit: 'ms' })
  return [
    ms('median of all pages', median(all)),
    ms('p95 of all pages', quantile(all, 0.95)),
    { ...ms('slowest page, fastest round', slowest.undisturbed), note: slowest.name },
    { name: `${label}, searches that stopped`, value: (stopped / all.length) * 100, unit: '%' },
    {
      ...ms('p95 of the slowest list', lists[0].p95),
      ceiling: CEILINGS[kind],
      note: lists[0].name,
    },
  ]
}

/**
 * What else stands on the pages: facets and bars for each filter, where the slowest filter counts, and what has no filter.
 */
async function measureOthers(label: string, records: Records, rounds: number): Promise<Measure[]> {
  const { reader } = records
  const days = { from: NOW - SPAN, to: NOW }
  const hours = { from: MIDDLE, to: MIDDLE + DAY / 4 }
  const whole: Record<string, () => Promise<unknown>> = {
    'tiles': () => reader.counts(),
    'running now': () => reader.runningNow(20),
  }
  const filtered: Record<string, (query: JobQuery) => Promise<unknown>> = {
    'count': (query) => reader.count(query),
    'facets': (query) => reader.facets(query),
    'bars of a month': (query) => reader.histogram(query, days),
    'bars of six hours': (query) => reader.histogram(query, hours),
  }
  const timesOf = async (ask: () => Promise<unknown>) => {
    const times: number[] = []
    for (let round = 0; round <= rounds; round++) {
      const began = performance.now()
      await ask()
      if (round > 0) times.push(performance.now() - began)
    }
    return times
  }
  const measures: Measure[] = []
  for (const [name, ask] of Object.entries(whole))
    measures.push({
      name: `${label}, ${name}, median`,
      value: median(await timesOf(ask)),
      unit: 'ms',
    })
  for (const [name, ask] of Object.entries(filtered)) {
    const all: { filter: string; times: number[] }[] = []
    for (const [filter, params] of Object.entries(FILTERS)) {
      const query = JobQuery.from(params)
      all.push({ filter, times: await timesOf(() => ask(query)) })
    }
    const [slowest] = all.toSorted((one, other) => median(other.times) - median(one.times))
    const times = all.flatMap((one) => one.times)
    measures.push(
      { name: `${label}, ${name}, median`, value: median(times), unit: 'ms' },
      { name: `${label}, ${name}, p95`, value: quantile(times, 0.95), unit: 'ms' },
      {
        name: `${label}, ${name}, slowest filter's median`,
        value: median(slowest.times),
        unit: 'ms',
        note: slowest.filter,
      }
    )
  }
  return measures
}

export default bench
