import { randomUUID } from 'node:crypto'
import { AppFactory } from '@adonisjs/core/factories/app'
import { LoggerFactory } from '@adonisjs/core/factories/logger'
import { Emitter } from '@adonisjs/core/events'
import { Database } from '@adonisjs/lucid/database'
import type { TestDatabase } from '#tests/helpers/databases'
import { createQueuedeckTables, dropQueuedeckTables } from '../../../src/records/schema.ts'
import type { Records } from '../../../src/records/records.ts'
import type { Batch, FoldResult, JobKey, StoredJob } from '../../../src/records/writer_types.ts'

export const NOW = Date.parse('2026-11-25T08:00:00.123Z')

export function newKey(queue = 'default', transportId: string = randomUUID()): JobKey {
  return { queue, transportId, id: transportId }
}

export function nothing(): FoldResult {
  return { jobs: [], bodies: [], attempts: [], events: [], logs: [], tags: [], runs: [] }
}

/**
 * A mirror of one's own hand: keeps the cursors, so that a test says only what changes.
 */
export class HandMirror {
  #records: Records
  #steps = new Map<string, number>()

  constructor(records: Records) {
    this.#records = records
  }

  batch(keys: JobKey[]): Batch {
    const queues = [...new Set(keys.map(({ queue }) => queue))]
    const cursors = queues.map((queue) => {
      const step = this.#steps.get(queue) ?? 0
      const lastId = (number: number) => `${number}-0`
      return {
        queue,
        from: { lastId: lastId(step), skew: 0 },
        next: { lastId: lastId(step + 1), skew: 0, server: 'server', notes: null },
      }
    })
    return { cursors, jobs: keys }
  }

  /** Changes jobs; each of `keys` is handed to `change` with the batch's result, and is written. */
  async write(
    keys: JobKey[],
    change: (job: StoredJob, out: FoldResult, index: number) => void
  ): Promise<void> {
    const batch = this.batch(keys)
    const queues = batch.cursors.map(({ queue }) => queue)
    if (queues.some((queue) => !this.#steps.has(queue))) await this.#records.writer.cursors(queues)
    const isWritten = await this.#records.writer.apply(batch, (stored) => {
      const out = nothing()
      stored.forEach((job, index) => {
        change(job, out, index)
        job.version++
        out.jobs.push(job)
      })
      return [out]
    })
    if (!isWritten) throw new Error('The cursor had moved')
    for (const queue of queues) this.#steps.set(queue, (this.#steps.get(queue) ?? 0) + 1)
  }
}

/** Gives a new job what every job has. */
export function add(job: StoredJob, what: Partial<StoredJob> = {}): void {
  Object.assign(job, { type: 'demo.sleep', status: 'pending', createdAt: NOW, ...what })
}

/**
 * What counters, cube, timeline and tags say beside what the jobs themselves say: two lists that must be the same.
 */
export async function countsAndTruth(records: Records) {
  const { db } = records
  const kinds = [
    [0, null],
    [1, 'type_id'],
    [2, 'queue_id'],
    [3, 'user_id'],
    [4, 'host_id'],
  ] as const
  const truth: string[] = []
  const note = (list: string[], rows: Record<string, any>[], ...names: string[]) => {
    for (const row of rows) {
      if (row.n !== 0) list.push(names.map((name) => row[name] ?? name).join(' ') + ` = ${row.n}`)
    }
  }
  for (const [kind, column] of kinds) {
    const select = column ?? '0'
    const group = column ? `${column}, status` : 'status'
    const where = column ? ` where ${column} is not null` : ''
    const rows = await db.all(
      `select ${select} as name_id, status, count(*) as n from queuedeck_jobs${where} group by ${group}`
    )
    note(truth, rows, `kind ${kind}`, 'name_id', 'status')
  }
  const tags = await db.all(
    `select t.tag_id as name_id, j.status as status, count(*) as n from queuedeck_tags t join queuedeck_jobs j on j.seq = t.seq group by t.tag_id, j.status`
  )
  note(truth, tags, 'kind 6', 'name_id', 'status')
  for (const [name, length] of [
    ['day', 86_400_000],
    ['slot', 600_000],
  ] as const) {
    const jobs = await db.all('select created_at, status from queuedeck_jobs')
    const counts = new Map<string, number>()
    for (const { created_at: at, status } of jobs) {
      const key = `${name} ${Math.floor(at / length)} ${status}`
      counts.set(key, (counts.get(key) ?? 0) + 1)
    }
    for (const [key, n] of counts) truth.push(`${key} = ${n}`)
  }

  const kept: string[] = []
  for (const row of await db.all('select kind, name_id, status, n from queuedeck_counters')) {
    note(kept, [row], `kind ${row.kind}`, 'name_id', 'status')
  }
  const days = 'select day, status, sum(n) as n from queuedeck_cube group by day, status'
  for (const row of await db.all(days)) note(kept, [row], `day ${row.day}`, 'status')
  for (const row of await db.all('select slot, status, n from queuedeck_timeline')) {
    note(kept, [row], `slot ${row.slot}`, 'status')
  }
  const stale = await db.all(
    `select count(*) as n from queuedeck_tags t join queuedeck_jobs j on j.seq = t.seq where j.status <> t.status or j.created_at <> t.created_at`
  )
  return { kept: kept.sort(), truth: truth.sort(), staleTags: stale[0].n as number }
}

/**
 * Lucid on a database, as a host has it.
 */
export function lucidOn(connection: Record<string, unknown>): Database {
  const app = new AppFactory().create(new URL('./', import.meta.url), () => {})
  const config = { connection: 'records', connections: { records: connection } }
  return new Database(config as never, new LoggerFactory().create(), new Emitter(app as never))
}

/**
 * Drops the tables and makes them again, as `migration:fresh` does.
 */
export async function remake(connection: TestDatabase['connection']): Promise<void> {
  const database = lucidOn(connection)
  await dropQueuedeckTables(database.connection() as never)
  await createQueuedeckTables(database.connection() as never)
  await database.manager.closeAll()
}
