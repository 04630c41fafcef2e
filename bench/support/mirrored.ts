import { setTimeout as pause } from 'node:timers/promises'
import { Queue, Worker } from 'bullmq'
import { uuidV7 } from '../../src/jobs/uuid.ts'
import { openSession, type Records } from '../../src/records/records.ts'
import { WorkerPool } from '../../src/worker/worker_pool.ts'
import { MirrorProcess } from '../../tests/faults/mirror/victims.ts'
import { migrate, openRecords } from '../../tests/functional/mirror/records.ts'
import { lucidOn } from '../../tests/functional/records/lab.ts'
import { createDatabase, type DatabaseKind } from '../../tests/helpers/databases.ts'
import { container, silent, type BenchLab } from './lab.ts'
import { writeSkewedJobs } from './skewed_jobs.ts'

export const QUEUES = ['bench1', 'bench2', 'bench3', 'bench4']

/** Which queues hold the jobs, and how many of all of them run at once. */
export type Load = { queues: string[]; concurrency: number }

/** Jobs that do nothing, over all queues: as much as the machine can do. */
export const FULL: Load = { queues: QUEUES, concurrency: 100 }

/** Jobs that wait for 5 ms: the load of the bench `worker-5ms`. */
export const SHORT: Load = { queues: QUEUES.slice(0, 1), concurrency: 50 }

/** The same, so few at once that any machine has time left: what bounds these is the waiting alone. */
export const EASY: Load = { queues: SHORT.queues, concurrency: 15 }

/** Entries of one transaction of `queue:mirror`. */
const BATCH = 4_000

const DATA = JSON.stringify({ u: 1, s: 'x'.repeat(60) })

/**
 * A fresh database with records in it, and a mirror in a process of its own.
 */
export class MirroredLab {
  records!: Records
  #connection: Awaited<ReturnType<typeof createDatabase>>['connection'] | undefined
  #drop: (() => Promise<void>) | undefined
  #mirror: MirrorProcess | undefined

  constructor(
    private lab: BenchLab,
    readonly kind: DatabaseKind
  ) {}

  /** Empties Redis and makes a new database. */
  async renew(): Promise<void> {
    await this.end()
    await this.lab.plain.flushdb()
    const { connection, drop } = await createDatabase(this.kind)
    await migrate(connection)
    this.#connection = connection
    this.#drop = drop
    this.records = openRecords(connection)
    await this.records.ready()
  }

  /** Puts so many records of other jobs into the database. */
  async fill(jobs: number): Promise<void> {
    const database = lucidOn(this.#connection!)
    const session = await openSession(database)
    await writeSkewedJobs(session, { jobs, now: Date.now() })
    await session.close()
    await database.manager.closeAll()
  }

  async startMirror(): Promise<MirrorProcess> {
    this.#mirror = new MirrorProcess({
      redis: this.lab.url,
      prefix: this.lab.transport.keys.prefix,
      connection: this.#connection!,
      unled: true,
      batch: BATCH,
    })
    await this.#mirror.ready()
    return this.#mirror
  }

  async stopMirror(): Promise<void> {
    await this.#mirror?.ask('stop')
    await this.#mirror?.ended()
    this.#mirror = undefined
  }

  async end(): Promise<void> {
    if (this.#mirror) await this.stopMirror()
    await this.records?.close()
    await this.#drop?.()
    this.#drop = undefined
  }

  /**
   * Waits until the cursors stand on the last entries of the streams.
   *
   * @param isAudited  Until the comparison with Redis that follows each start of a server is over, too
   */
  async caughtUp({ isAudited = false } = {}): Promise<void> {
    for (;;) {
      const rows = await this.records.db.all('select queue, last_id, notes from queuedeck_cursors')
      const cursors = new Map(rows.map((row) => [row.queue as string, row]))
      const ends = await Promise.all(
        QUEUES.map((queue) =>
          this.lab.plain.xrevrange(this.lab.transport.keys.events(queue), '+', '-', 'COUNT', 1)
        )
      )
      const isThere = QUEUES.every((queue, index) => {
        const last = ends[index][0]?.[0]
        const cursor = cursors.get(queue)
        if (isAudited && cursor && cursor.notes !== null) return false
        return last === undefined || cursor?.last_id === last
      })
      if (isThere) return
      await pause(20)
    }
  }
}

export async function addJobs(
  lab: BenchLab,
  name: string,
  jobs: number,
  { queues }: Load = FULL
): Promise<void> {
  for (let from = 0; from < jobs; from += 1_000) {
    const timestamp = Date.now()
    await lab.transport.add(
      Array.from({ length: Math.min(1_000, jobs - from) }, (_, index) => ({
        queue: queues[index % queues.length],
        id: uuidV7(),
        name,
        data: DATA,
        opts: { timestamp },
      }))
    )
  }
}

/** Works off what the queues hold with our worker; answers jobs per second. */
export async function ourRate(
  lab: BenchLab,
  jobs: number,
  { queues, concurrency }: Load = FULL
): Promise<number> {
  const prefix = lab.transport.keys.prefix
  const before = await completed(lab, prefix)
  const pool = new WorkerPool(
    { ...lab, container, logger: silent as never, version: 'bench' },
    { queues, concurrency, maxJobs: jobs }
  )
  const start = performance.now()
  await pool.start()
  while ((await completed(lab, prefix)) - before < jobs) await pause(5)
  const seconds = (performance.now() - start) / 1_000
  await pool.ended
  return jobs / seconds
}

/** The same with plain BullMQ and no mirror. */
export async function plainRate(
  lab: BenchLab,
  name: string,
  code: () => Promise<void>,
  jobs: number,
  { queues: names, concurrency }: Load = FULL
): Promise<number> {
  await lab.plain.flushdb()
  const options = { connection: lab.plain as never, prefix: '{plain}' }
  const queues = names.map((queue) => new Queue(queue, options))
  const data = JSON.parse(DATA) as object
  const share = 1_000 / names.length
  for (let from = 0; from < jobs; from += 1_000) {
    await Promise.all(
      queues.map((queue) => queue.addBulk(Array.from({ length: share }, () => ({ name, data }))))
    )
  }
  const workers = names.map(
    (queue) =>
      new Worker(queue, code, {
        ...options,
        concurrency: concurrency / names.length,
        autorun: false,
      })
  )
  await Promise.all(workers.map((worker) => worker.waitUntilReady()))
  const start = performance.now()
  for (const worker of workers) void worker.run()
  while ((await completed(lab, '{plain}')) < jobs) await pause(5)
  const seconds = (performance.now() - start) / 1_000
  await Promise.all([...workers, ...queues].map((one) => one.close()))
  return jobs / seconds
}

async function completed(lab: BenchLab, prefix: string): Promise<number> {
  const pipeline = lab.plain.pipeline()
  for (const queue of QUEUES) pipeline.zcard(`${prefix}:${queue}:completed`)
  const answers = (await pipeline.exec()) ?? []
  return answers.reduce((sum, [, count]) => sum + Number(count), 0)
}
