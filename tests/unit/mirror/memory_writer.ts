import { isTerminal } from '../../../src/statuses.ts'
import { blankJob } from '../../../src/records/writer/job_row.ts'
import type { MirrorWriter, RecordState } from '../../../src/mirror/ports.ts'
import type { OpenPlace } from '../../../src/records/writer/open_jobs.ts'
import type {
  AttemptWrite,
  Batch,
  Cursor,
  EventTuple,
  Fold,
  FoldResult,
  JobKey,
  LogsWrite,
  RunWrite,
  StoredJob,
} from '../../../src/records/writer_types.ts'

/**
 * A record that nothing is known of yet, without what the real writer keeps beside it.
 */
export function blank(key: JobKey): StoredJob {
  const { before, ...job } = blankJob(key)
  return job
}

/**
 * Records in memory, with the promises of the real writer: for tests of what the mirror decides, not of how it is stored.
 */
export class MemoryWriter implements MirrorWriter {
  readonly jobs = new Map<string, StoredJob>()
  readonly bodies = new Map<
    string,
    { payload?: string | null; options?: string | null; result?: string | null }
  >()
  readonly attempts = new Map<string, AttemptWrite>()
  readonly events = new Map<string, EventTuple[]>()
  readonly logs: LogsWrite[] = []
  readonly runs = new Map<string, RunWrite>()
  readonly positions = new Map<string, Cursor>()
  hook?: (point: 1 | 2 | 3 | 4 | 5) => void

  /** Set while "the database is away". */
  failure: Error | undefined

  async apply(batch: Batch, fold: Fold): Promise<boolean> {
    await this.#answer()
    for (const { queue, from } of batch.cursors) {
      const cursor = this.positions.get(queue)!
      if (cursor.lastId !== from.lastId || cursor.skew !== from.skew) return false
    }
    for (const { queue, next } of batch.cursors) this.positions.set(queue, { queue, ...next })
    const stored = batch.jobs.map((key) => {
      const job = this.jobs.get(key.id)
      if (!job) return blank(key)
      return { ...job, was: job.status, wasRun: job.run, wasAttempts: job.attempts }
    })
    for (const result of fold(stored)) this.#take(result)
    return true
  }

  #take(result: FoldResult): void {
    for (const job of result.jobs) {
      if (job.seq === 0) job.seq = this.jobs.size + 1
      this.jobs.set(job.id, job)
    }
    for (const { job, ...body } of result.bodies) {
      this.bodies.set(job.id, { ...this.bodies.get(job.id), ...body })
    }
    for (const attempt of result.attempts) this.#attempt(attempt)
    for (const { job, version, list } of result.events)
      this.events.set(`${job.id} ${version}`, list)
    this.logs.push(...result.logs)
    for (const run of result.runs ?? []) this.runs.set(`${run.job.id} ${run.run}`, run)
  }

  async cursors(queues: string[]): Promise<Map<string, Cursor>> {
    await this.#answer()
    return new Map(
      queues.map((queue) => {
        const blankCursor = { queue, lastId: '0-0', skew: 0, server: null, notes: null }
        if (!this.positions.has(queue)) this.positions.set(queue, blankCursor)
        return [queue, this.positions.get(queue)!]
      })
    )
  }

  async openJobs(queue: string, { after, limit }: { after?: OpenPlace; limit: number }) {
    await this.#answer()
    const from = after ?? { createdAt: -1, seq: 0 }
    return [...this.jobs.values()]
      .map((job) => ({ ...job, place: { createdAt: job.createdAt!, seq: job.seq } }))
      .filter((job) => job.queue === queue && byPlace(job.place, from) > 0)
      .filter(({ status, stopping }) => stopping || !isTerminal(status!))
      .sort((one, other) => byPlace(one.place, other.place))
      .slice(0, limit)
      .map(({ id, transportId, status, place }) => ({ id, transportId, status: status!, place }))
  }

  async states(keys: JobKey[]): Promise<Map<string, RecordState>> {
    await this.#answer()
    return new Map(
      keys.flatMap(({ id }) => {
        const job = this.jobs.get(id)
        return job ? [[id, { ...job, status: job.status! }] as const] : []
      })
    )
  }

  async markGone(keys: JobKey[]): Promise<void> {
    for (const { id } of keys) {
      const job = this.jobs.get(id)
      if (job && isTerminal(job.status!)) job.hasTransport = false
    }
  }

  attemptsOf(id: string): AttemptWrite[] {
    return [...this.attempts.values()].filter(({ job }) => job.id === id)
  }

  /** Kinds of everything noted of a job, in order. */
  kindsOf(id: string): string[] {
    return [...this.events]
      .filter(([key]) => key.startsWith(`${id} `))
      .flatMap(([, list]) => list.map(([, , , kind]) => kind))
  }

  #attempt(attempt: AttemptWrite): void {
    const key = `${attempt.job.id} ${attempt.run} ${attempt.attempt}`
    const known = this.attempts.get(key)
    if (!known) return void this.attempts.set(key, { ...attempt })
    for (const name of [
      'worker',
      'startedAt',
      'finishedAt',
      'errorCode',
      'error',
      'stack',
    ] as const) {
      if (attempt[name] !== null) Object.assign(known, { [name]: attempt[name] })
    }
    if (attempt.outcome !== 'running') known.outcome = attempt.outcome
  }

  async #answer(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve))
    if (this.failure) throw this.failure
  }
}

function byPlace(one: OpenPlace, other: OpenPlace): number {
  return one.createdAt - other.createdAt || one.seq - other.seq
}
