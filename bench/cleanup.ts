import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Cleanup } from '../src/cleanup/cleanup.ts'
import { defineConfig } from '../src/config.ts'
import { openSession, type Records } from '../src/records/records.ts'
import { DAY } from '../src/records/tables.ts'
import { createDatabase, type DatabaseKind, type TestDatabase } from '../tests/helpers/databases.ts'
import { redisServer } from '../tests/helpers/servers.ts'
import { Lab, silent } from '../tests/functional/mirror/lab.ts'
import { migrate, openRecords } from '../tests/functional/mirror/records.ts'
import { countsAndTruth, lucidOn } from '../tests/functional/records/lab.ts'
import { median, quantile } from './support/rounds.ts'
import { writeSkewedJobs } from './support/skewed_jobs.ts'
import type { Bench, Measure } from './support/types.ts'

const WRITER = fileURLToPath(new URL('./support/steady_writer.ts', import.meta.url))

/** Jobs that the writer makes before it is ready. */
const WARM_UP = 1

const LABELS: Record<DatabaseKind, string> = {
  sqlite: 'SQLite',
  pg: 'PostgreSQL',
  mysql: 'MariaDB',
}

/** Longest time for which another process may have to wait, ms. */
const CEILING = 200

/**
 * Deletes all ended ones of a million records (`--jobs=N`, `--databases=sqlite,pg,mysql`), with what belongs to them, while another
 * process writes a job every 20 ms: how long the transactions took, and how long the writer waited, who meets every lock that is held
 * for longer. With SQLite a transaction takes longer than it holds its lock: the one that fills the log moves it into the file behind
 * its commit, and others write meanwhile.
 */
const bench: Bench = async ({ others, tell }) => {
  const jobs = Number(others.jobs ?? 1_000_000)
  const kinds = String(others.databases ?? 'sqlite,pg,mysql').split(',') as DatabaseKind[]
  const measures: Measure[] = []
  for (const kind of kinds) {
    const database = await createDatabase(kind)
    tell(`${LABELS[kind]}: writes ${jobs} records`)
    await fill(database, jobs)
    await untilAsked(tell)
    tell(`${LABELS[kind]}: deletes`)
    measures.push(...(await measure(LABELS[kind], database)))
    await database.drop()
  }
  return { measures }
}

/** Lets a script around this bench say when the machine is quiet: `QUEUEDECK_BENCH_WAIT=1`, and a line on the standard input. */
async function untilAsked(tell: (text: string) => void): Promise<void> {
  if (process.env.QUEUEDECK_BENCH_WAIT !== '1') return
  tell('waits for a line')
  await once(process.stdin, 'data')
}

export async function fill(database: TestDatabase, jobs: number): Promise<void> {
  await migrate(database.connection)
  const session = await openSession(lucidOn(database.connection))
  await writeSkewedJobs(session, { jobs, details: true })
  for (let from = 0; from < jobs; from += 50_000) {
    await session.run(
      `insert into queuedeck_logs select seq, version, 0, 1, 1, created_at, 30, 'read a page of the document' from queuedeck_jobs where seq > ? and seq <= ? and started_at is not null`,
      [from, from + 50_000]
    )
  }
  await session.close()
}

export async function measure(label: string, database: TestDatabase): Promise<Measure[]> {
  const { url } = await redisServer()
  const lab = new Lab(url)
  const records = openRecords(database.connection)
  // Before the writer begins, or what it writes meanwhile would count twice.
  const alive = await open(records)
  const writer = fork(WRITER, [JSON.stringify(database.connection)], {
    execArgv: ['--import=./bin/typescript.js'],
  })
  try {
    await once(writer, 'message')
    const cleanup = new Cleanup({
      transport: lab.transport,
      records,
      config: defineConfig({}),
      logger: silent,
      now: () => Date.now() + 1_000 * DAY,
    })
    const took: number[] = []
    const begun = performance.now()
    const { counts, error } = await cleanup.run({
      trigger: 'command',
      actor: 'bench',
      onHeld: (milliseconds) => took.push(milliseconds),
    })
    const seconds = (performance.now() - begun) / 1_000
    writer.send('stop')
    const [waits] = (await once(writer, 'message')) as [number[]]
    if (error !== null) throw new Error(error)
    const { kept, truth } = await countsAndTruth(records)
    if (JSON.stringify(kept) !== JSON.stringify(truth)) throw new Error('The counts are wrong')
    const expected = alive + WARM_UP + waits.length
    const left = await open(records)
    if (left !== expected) throw new Error(`${left} jobs are open that should be ${expected}`)
    const deleted = counts.completedRecords + counts.failedRecords + counts.cancelledRecords
    return [
      { name: `${label}, records deleted`, value: deleted },
      { name: `${label}, records a second`, value: deleted / seconds },
      { name: `${label}, a transaction, median`, value: median(took), unit: 'ms' },
      { name: `${label}, a transaction, p99`, value: quantile(took, 0.99), unit: 'ms' },
      { name: `${label}, a transaction, longest`, value: Math.max(...took), unit: 'ms' },
      { name: `${label}, writer waits, median`, value: median(waits), unit: 'ms' },
      { name: `${label}, writer waits, p99`, value: quantile(waits, 0.99), unit: 'ms' },
      {
        name: `${label}, writer waits, longest`,
        value: Math.max(...waits),
        unit: 'ms',
        ceiling: CEILING,
      },
    ]
  } finally {
    writer.kill()
    await records.close()
    await lab.close()
  }
}

/** Records that have not ended. */
async function open(records: Records): Promise<number> {
  const { completed, failed, cancelled, ...rest } = await records.reader.counts()
  return Object.values(rest).reduce((sum, n) => sum + n, 0)
}

export default bench
