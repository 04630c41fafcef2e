import { setTimeout as pause } from 'node:timers/promises'
import { WorkerPool } from '../src/worker/worker_pool.ts'
import type { DatabaseKind } from '../tests/helpers/databases.ts'
import { benchLab, container, silent, type BenchLab } from './support/lab.ts'
import {
  addJobs,
  EASY,
  FULL,
  MirroredLab,
  ourRate,
  plainRate,
  QUEUES,
  SHORT,
  type Load,
} from './support/mirrored.ts'
import { interleaved, median, ratio } from './support/rounds.ts'
import type { Bench, Measure } from './support/types.ts'
import { Noop, Wait5, wait5 } from './support/working.ts'

/** What each database has to reach; shares are of plain BullMQ's rate without a mirror. */
const FLOORS: Record<
  DatabaseKind,
  { share?: number; short: number; catchUp: number; lag: number }
> = {
  sqlite: { share: 0.6, short: 0.95, catchUp: 60_000, lag: 50 },
  pg: { share: 0.55, short: 0.95, catchUp: 35_000, lag: 100 },
  mysql: { short: 0.95, catchUp: 25_000, lag: 250 },
}

const LABELS: Record<DatabaseKind, string> = {
  sqlite: 'SQLite',
  pg: 'PostgreSQL',
  mysql: 'MariaDB',
}

/**
 * The mirror in a process of its own beside a worker, Redis and the database, all on this machine.
 *
 * Options: `--databases=sqlite,pg,mysql`, `--jobs=20000`, and `--into=1000000`: catch up only, beside so many records that are
 * there already.
 */
const bench: Bench = async ({ rounds = 3, others, tell }) => {
  const kinds = String(others.databases ?? 'sqlite,pg,mysql').split(',') as DatabaseKind[]
  const jobs = Number(others.jobs ?? 20_000)
  const into = Number(others.into ?? 0)
  const lab = await benchLab([Noop, Wait5])
  const measures: Measure[] = []
  try {
    for (const kind of kinds) {
      tell(`${LABELS[kind]} ...`)
      measures.push(...(await measure(lab, kind, { rounds, jobs, into, tell })))
    }
  } finally {
    await lab.close()
  }
  return {
    measures,
    notes: [
      'a job that does nothing is three entries: added, active, completed; BullMQ itself writes four, waiting too',
    ],
  }
}

/** Rounds of jobs that wait, at least: whether they happen to end together or one after the other is a matter of luck, BullMQ's too. */
const WAITS = 9

/** Jobs that go through before a rate counts. */
const WARM_UP = 5_000

type Settings = { rounds: number; jobs: number; into: number; tell: (text: string) => void }

async function measure(lab: BenchLab, kind: DatabaseKind, settings: Settings): Promise<Measure[]> {
  const { rounds, jobs, into, tell } = settings
  const label = LABELS[kind]
  const floors = FLOORS[kind]
  const mirrored = new MirroredLab(lab, kind)
  const beside = async (name: string, count: number, load: Load) => {
    await mirrored.renew()
    await mirrored.startMirror()
    // A mirror runs for days: neither its first entries nor the comparison at its start are what it costs.
    await addJobs(lab, name, WARM_UP, load)
    await ourRate(lab, WARM_UP, load)
    await addJobs(lab, name, count, load)
    await mirrored.caughtUp({ isAudited: true })
    const rate = await ourRate(lab, count, load)
    await mirrored.caughtUp()
    return rate
  }
  const catchUps = async (records: number) => {
    const rates: number[] = []
    for (let round = 0; round < rounds; round++) {
      if (round === 0 || records === 0) await mirrored.renew()
      if (round === 0 && records > 0) await mirrored.fill(records)
      rates.push(await catchUp(lab, mirrored, jobs * 3))
      tell(`catch-up ${Math.round(rates.at(-1)!)} events/s`)
    }
    return Math.round(median(rates))
  }
  try {
    if (into > 0) {
      const name = `${label}: catch-up into ${into} records`
      return [{ name, value: await catchUps(into), unit: 'events/s' }]
    }
    const noop = await interleaved(
      {
        ours: () => beside('bench.noop', jobs, FULL),
        plain: async () => {
          await mirrored.end()
          return plainRate(lab, 'bench.noop', async () => {}, jobs)
        },
      },
      rounds,
      tell
    )
    const waits = (count: number, load: Load) =>
      interleaved(
        {
          ours: () => beside('bench.wait', count, load),
          plain: async () => {
            await mirrored.end()
            return plainRate(lab, 'bench.wait', wait5, count, load)
          },
        },
        Math.max(rounds, WAITS),
        tell
      )
    const short = await waits(jobs / 2, SHORT)
    const easy = await waits(jobs / 4, EASY)
    const caughtUp = await catchUps(0)
    const lag = await pacedLag(lab, mirrored)
    return [
      {
        name: `${label}: no-op jobs / plain BullMQ`,
        value: ratio(noop.ours, noop.plain),
        floor: floors.share,
      },
      {
        name: `${label}: 5 ms jobs / plain BullMQ`,
        value: ratio(short.ours, short.plain),
        floor: floors.short,
      },
      {
        name: `${label}: 5 ms jobs, ${EASY.concurrency} at once / plain BullMQ`,
        value: ratio(easy.ours, easy.plain),
        floor: floors.short,
      },
      {
        name: `${label}: catch-up`,
        value: caughtUp,
        unit: 'events/s',
        floor: floors.catchUp,
      },
      { name: `${label}: lag at 1,000 jobs/s, p50`, value: lag.p50, unit: 'ms' },
      {
        name: `${label}: lag at 1,000 jobs/s, p95`,
        value: lag.p95,
        unit: 'ms',
        ceiling: floors.lag,
      },
    ]
  } finally {
    await mirrored.end()
  }
}

/**
 * Entries that gathered while no mirror ran; answers entries per second, start of the process not counted.
 */
async function catchUp(lab: BenchLab, mirrored: MirroredLab, jobs: number): Promise<number> {
  await lab.plain.flushdb()
  await addJobs(lab, 'bench.noop', jobs)
  await ourRate(lab, jobs)
  let entries = 0
  for (const queue of QUEUES) entries += await lab.plain.xlen(lab.transport.keys.events(queue))
  await mirrored.startMirror()
  const start = performance.now()
  await mirrored.caughtUp()
  const seconds = (performance.now() - start) / 1_000
  await mirrored.stopMirror()
  return entries / seconds
}

/** A steady load below saturation: what is left is the mirror's own delay. */
async function pacedLag(
  lab: BenchLab,
  mirrored: MirroredLab
): Promise<{ p50: number; p95: number }> {
  await mirrored.renew()
  await lab.transport.registerQueues(QUEUES)
  const mirror = await mirrored.startMirror()
  const pool = new WorkerPool(
    { ...lab, container, logger: silent as never, version: 'bench' },
    { queues: QUEUES, concurrency: 100 }
  )
  await pool.start()
  const load = async (count: number) => {
    const start = performance.now()
    for (let made = 0; made < count; made += 4) {
      await addJobs(lab, 'bench.noop', 4)
      const ahead = start + made - performance.now()
      if (ahead > 0) await pause(ahead)
    }
  }
  await load(1_000)
  await mirror.ask('lag')
  await load(5_000)
  await pause(300)
  const { lag } = await mirror.ask<{ lag: { p50: number; p95: number } }>('lag')
  pool.drain()
  await pool.ended
  return lag
}

export default bench
