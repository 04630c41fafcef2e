import { setTimeout as pause } from 'node:timers/promises'
import { Queue, Worker } from 'bullmq'
import { uuidV7 } from '../../src/jobs/uuid.ts'
import type { Records } from '../../src/records/records.ts'
import { WorkerPool } from '../../src/worker/worker_pool.ts'
import { MirrorProcess } from '../../tests/faults/mirror/victims.ts'
import { migrate, openRecords } from '../../tests/functional/mirror/records.ts'
import { createDatabase, type DatabaseKind } from '../../tests/helpers/databases.ts'
import { container, silent, type BenchLab } from './lab.ts'

export const QUEUES = ['bench1', 'bench2', 'bench3', 'bench4']

/** Over all four queues. */
const CONCURRENCY = 100

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

  async startMirror(): Promise<MirrorProcess> {
    this.#mirror = new MirrorProcess({
      redis: this.lab.url,
      prefix: this.lab.transport.keys.prefix,
      connection: this.#connection!,
      unled: true,
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

  /** Waits until the cursors stand on the last entries of the streams. */
  async caughtUp(): Promise<void> {
    for (;;) {
      const cursors = await this.records.writer.cursors(QUEUES)
      const ends = await Promise.all(
        QUEUES.map((queue) =>
          this.lab.plain.xrevrange(this.lab.transport.keys.events(queue), '+', '-', 'COUNT', 1)
        )
      )
      const isThere = QUEUES.every((queue, index) => {
        const last = ends[index][0]?.[0]
        return last === undefined || cursors.get(queue)?.lastId === last
      })
      if (isThere) return
      await pause(20)
    }
  }
}

export async function addJobs(lab: BenchLab, name: string, jobs: number): Promise<void> {
  for (let from = 0; from < jobs; from += 1_000) {
    const timestamp = Date.now()
    await lab.transport.add(
      Array.from({ length: Math.min(1_000, jobs - from) }, (_, index) => ({
        queue: QUEUES[index % QUEUES.length],
        id: uuidV7(),
        name,
        data: DATA,
        opts: { timestamp },
      }))
    )
  }
}

/** Works off what the queues hold with our worker; answers jobs per second. */
export async function ourRate(lab: BenchLab, jobs: number): Promise<number> {
  const prefix = lab.transport.keys.prefix
  const before = await completed(lab, prefix)
  const pool = new WorkerPool(
    { ...lab, container, logger: silent as never, version: 'bench' },
    { queues: QUEUES, concurrency: CONCURRENCY, maxJobs: jobs }
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
  jobs: number
): Promise<number> {
  await lab.plain.flushdb()
  const options = { connection: lab.plain as never, prefix: '{plain}' }
  const queues = QUEUES.map((queue) => new Queue(queue, options))
  const data = JSON.parse(DATA) as object
  for (let from = 0; from < jobs; from += 1_000) {
    await Promise.all(
      queues.map((queue) => queue.addBulk(Array.from({ length: 250 }, () => ({ name, data }))))
    )
  }
  const workers = QUEUES.map(
    (queue) =>
      new Worker(queue, code, {
        ...options,
        concurrency: CONCURRENCY / QUEUES.length,
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
