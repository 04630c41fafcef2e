import { createHash } from 'node:crypto'
import type { Session, Shape } from '../../src/records/dialect/session.ts'
import { storedFold } from '../../src/records/storable.ts'
import {
  ATTEMPT_OUTCOMES,
  COMPLETED_PROGRESS,
  JOB_COLUMNS,
  NAME_COLUMNS,
  NAME_KINDS,
  TABLES,
  type StoredNameKind,
} from '../../src/records/tables.ts'
import { statusCode, type JobStatus } from '../../src/statuses.ts'
import { Tally } from '../../src/records/writer/tally.ts'

const MINUTE = 60_000

export type SkewedOptions = {
  /** Jobs to make. */
  jobs: number
  /** The newest one's moment of creation, epoch ms. Default 2026-11-25T00:00Z. */
  now?: number
  /** How far back creation reaches, ms. Default 30 days. */
  span?: number
  /** The same seed gives the same jobs. */
  seed?: number
  /** Bodies, attempts and events too. Default false: lists read jobs and tags alone. */
  details?: boolean
}

const plain = (table: Shape['table'] & { columns: Shape['columns'] }): Shape => ({
  table,
  columns: table.columns,
  existing: 'fail',
})

const JOBS = plain(TABLES.jobs)
const TAGS = plain(TABLES.tags)
const BODIES = plain(TABLES.bodies)
const ATTEMPTS = plain(TABLES.attempts)
const EVENTS = plain(TABLES.events)
const NAMES: Shape = {
  table: { name: 'queuedeck_names', key: ['kind', 'name'] },
  columns: NAME_COLUMNS,
  existing: 'ignore',
}

/** Common and rare in one list: each name is about half as frequent as the one before. */
const TYPES = [
  'document_processing.parse',
  'document_processing.chunk',
  'extraction.selective',
  'mail.send',
  'mail.sync',
  'taxonomy_processing.generate',
  'dataset_generation.create',
  'dataset_generation.convert',
  'a_bc',
  'axbc',
  'demo.sleep',
  'demo.fail',
  'rare.once',
]
const QUEUES = ['default', 'documents', 'mail', 'low', 'reports/a b#1?x=%2F..\\ü', 'seldom']
const TAG_NAMES = ['import', 'nightly', 'customer', 'retry', 'beta', 'once']
const HOSTS = ['web-1', 'web-2', 'worker-1', 'worker-2', 'worker-3']
const USERS = 4_000

/**
 * Fills empty tables with skewed jobs, by the same statements that the writer uses, with counters, cube and timeline that fit.
 * Ties are frequent: many jobs share a moment, a duration, a percentage.
 */
export async function writeSkewedJobs(session: Session, options: SkewedOptions): Promise<void> {
  const { jobs, now = Date.parse('2026-11-25T00:00:00Z'), span = 30 * 86_400_000 } = options
  const random = generator(options.seed ?? 1)
  const ids = await writeNames(session)
  const tally = new Tally()
  const size = 5_000
  for (let first = 1; first <= jobs; first += size) {
    const rows: Record<'jobs' | 'tags' | 'bodies' | 'attempts' | 'events', unknown[][]> = {
      jobs: [],
      tags: [],
      bodies: [],
      attempts: [],
      events: [],
    }
    for (let seq = first; seq < first + size && seq <= jobs; seq++) {
      // Not quite in the order of seq, and in steps of 10 ms, so that moments repeat.
      const age = ((jobs - seq) / jobs) * span + random() * 2 * MINUTE
      const createdAt = Math.floor((now - age) / 10) * 10
      const job = makeJob(session, seq, createdAt, { now, recent: span / 200 }, random, ids)
      rows.jobs.push(job.row)
      for (const tag of job.tags) rows.tags.push([tag, job.row[7], createdAt, seq])
      tally.count(job.row, job.tags, 1)
      if (options.details) addDetails(rows, job.row, seq)
    }
    await session.begin()
    await session.put(JOBS, rows.jobs)
    if (rows.tags.length > 0) await session.put(TAGS, rows.tags)
    if (options.details) {
      await session.put(BODIES, rows.bodies)
      if (rows.attempts.length > 0) await session.put(ATTEMPTS, rows.attempts)
      await session.put(EVENTS, rows.events)
    }
    await session.commit()
  }
  await session.begin()
  await tally.write(session)
  await session.run(`update queuedeck_meta set value = ? where name = 'jobs'`, [jobs])
  await session.commit()
  await session.run(
    session.dialect === 'mysql' ? 'analyze table queuedeck_jobs, queuedeck_tags' : 'analyze'
  )
}

type Ids = Record<StoredNameKind, number[]>

async function writeNames(session: Session): Promise<Ids> {
  const names: Record<StoredNameKind, string[]> = {
    type: TYPES,
    queue: QUEUES,
    user: Array.from({ length: USERS }, (_, index) => String(index + 1)),
    host: HOSTS,
    worker: HOSTS.map((host, index) => `${host}:${100 + index}:abcd`),
    tag: TAG_NAMES,
  }
  const ids = {} as Ids
  for (const [kind, list] of Object.entries(names) as [StoredNameKind, string[]][]) {
    const code = NAME_KINDS[kind]
    await session.put(
      NAMES,
      list.map((name) => [code, name, storedFold(name)])
    )
    const rows = await session.all(`select id, name from queuedeck_names where kind = ${code}`)
    const byName = new Map(rows.map(({ id, name }) => [name, id]))
    ids[kind] = list.map((name) => byName.get(name) as number)
  }
  return ids
}

function makeJob(
  session: Session,
  seq: number,
  createdAt: number,
  { now, recent }: { now: number; recent: number },
  random: () => number,
  ids: Ids
) {
  const type = skewed(TYPES.length, random)
  const status = makeStatus(type, now - createdAt < recent, random)
  const queue = type < 3 && random() < 0.7 ? 1 : skewed(QUEUES.length, random)
  const hasStarted = status !== 'pending' && status !== 'scheduled' && status !== 'blocked'
  const startedAt = hasStarted ? createdAt + Math.floor(random() ** 4 * 60_000) : null
  // Types differ in how long they take, and short ones tie.
  const duration = Math.floor(random() ** 3 * 400 * 2 ** type)
  const hasEnded = hasStarted && status !== 'running'
  const host = hasStarted ? skewed(HOSTS.length, random) : null
  const tags = TAG_NAMES.map((_, index) => ids.tag[index]).filter(
    (_tag, index) => random() < 0.06 / 4 ** index
  )
  const running = Math.floor(random() * 1_001)
  const progress =
    status === 'completed' ? COMPLETED_PROGRESS : hasStarted && random() < 0.8 ? running : 0
  const row = [
    seq,
    session.idValue(uuidOf(seq, createdAt)),
    ids.queue[queue],
    ids.type[type],
    random() < 0.6 ? ids.user[Math.floor(random() ** 4 * USERS)] : null,
    host === null ? null : ids.host[host],
    host === null ? null : ids.worker[host],
    statusCode(status),
    progress,
    hasEnded ? duration : -1,
    createdAt,
    status === 'scheduled' ? now + Math.floor(random() * 3_600_000) : null,
    startedAt,
    hasEnded ? startedAt! + duration : null,
    status === 'cancelled' ? createdAt : null,
    1,
    hasStarted ? 1 : 0,
    3,
    0,
    0,
    0,
    tags.length > 0 ? 1 : 0,
    hasEnded ? 0 : 1,
    1,
    hasStarted ? running : null,
    hasStarted ? 1_000 : null,
    hasStarted ? 'pages' : null,
    hasStarted ? 'Extracting text' : null,
    status === 'failed' ? 'E_SAMPLE' : null,
    status === 'failed' ? `The part ${seq % 97} of the document cannot be read` : null,
    null,
    BigInt(createdAt) << 20n,
  ]
  if (row.length !== JOB_COLUMNS.length) throw new Error('The columns of jobs have changed')
  return { row, tags }
}

function makeStatus(type: number, isRecent: boolean, random: () => number): JobStatus {
  const dice = random()
  if (isRecent) {
    if (dice < 0.3) return 'pending'
    if (dice < 0.4) return 'running'
    if (dice < 0.45) return 'scheduled'
    if (dice < 0.46) return 'blocked'
  } else if (dice < 0.0002) return 'pending'
  const ending = random()
  if (ending < (type === 11 ? 0.9 : 0.04)) return 'failed'
  return ending > 0.99 ? 'cancelled' : 'completed'
}

function addDetails(rows: Record<string, unknown[][]>, row: unknown[], seq: number): void {
  const [createdAt, , startedAt, finishedAt] = row.slice(10, 14) as (number | null)[]
  rows.bodies.push([
    seq,
    `{"document":${seq}}`,
    '{"attempts":3}',
    finishedAt ? '{"pages":4}' : null,
  ])
  rows.events.push([seq, row.at(-1), JSON.stringify([[createdAt, 1, 0, 'added', null]])])
  if (startedAt === null) return
  const status = row[7] as number
  const word = (['running', 'failed', 'cancelled', 'completed'] as const)[status - 3]
  const outcome = ATTEMPT_OUTCOMES.indexOf(word)
  const errors = [row[28], row[29], row[29] && 'Error: unreadable\n    at parse (parser.ts:1:1)']
  rows.attempts.push([seq, 1, 1, outcome, row[6], startedAt, finishedAt, ...errors])
}

/** Version 7 by moment and number. */
function uuidOf(seq: number, createdAt: number): string {
  const moment = createdAt.toString(16).padStart(12, '0')
  const noise = createHash('md5').update(String(seq)).digest('hex')
  return `${moment.slice(0, 8)}-${moment.slice(8)}-7${noise.slice(0, 3)}-8${noise.slice(3, 6)}-${noise.slice(6, 18)}`
}

/** 0 for about half, 1 for a quarter, and so on. */
function skewed(length: number, random: () => number): number {
  return Math.min(length - 1, Math.floor(-Math.log2(1 - random())))
}

/** Numbers from 0 to 1 that repeat (mulberry32). */
function generator(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
