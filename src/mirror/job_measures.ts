import { isTerminal, type JobStatus, type TerminalStatus } from '../statuses.ts'
import type { Measure } from '../records/metrics/metric_types.ts'
import type { AttemptWrite, StoredJob } from '../records/writer_types.ts'

/**
 * What is counted of one job's entries, all moments by Redis' clock. Only entries that its record takes in are told here, so a replay
 * counts nothing twice; what a comparison with Redis finds is not counted, because nobody knows when it happened.
 */
export class JobMeasures {
  readonly list: Measure[] = []
  #job: StoredJob

  /** The record as it stood before the entry. */
  #status: JobStatus | null = null
  #run = 1
  #dueAt: number | null = null

  /** Since when the job waits for a worker, null when nobody knows; undefined while only its stored record tells. */
  #readyAt: number | null | undefined

  constructor(job: StoredJob) {
    this.#job = job
  }

  /** To be told before each entry is put onto the record. */
  takes(): void {
    const { status, run, dueAt } = this.#job
    this.#status = status
    this.#run = run
    this.#dueAt = dueAt
  }

  /**
   * To be told after it was.
   *
   * @param closed  The attempt that the entry ended, if any.
   * @param skew  Milliseconds that the stored version has more than its entry.
   */
  took(
    event: string | undefined,
    at: number,
    closed: AttemptWrite | undefined,
    skew: number
  ): void {
    const job = this.#job
    const was = this.#status
    const isNewRun = job.run !== this.#run
    if (event === 'stalled') this.#stalled()
    if (event === 'active') this.#started(at, skew)
    else if (event === 'delayed') this.#readyAt = job.dueAt
    else if (event === 'waiting-children') this.#readyAt = null
    else if (job.status === 'pending' && (event === 'waiting' || event === 'added' || isNewRun)) {
      this.#readyAt = at
    }
    if (isNewRun || (was === null && event === 'added')) this.#count('added', at)
    if (job.status !== null && isTerminal(job.status)) {
      if (isNewRun || was === null || !isTerminal(was)) {
        this.#ended(job.status, at, closed)
      }
    } else if (!isNewRun && was === 'running' && closed && goesOn(closed)) {
      this.#ended('retried', at, closed)
    }
  }

  #started(at: number, skew: number): void {
    if (this.#job.status !== 'running') return
    const since = this.#since(skew)
    this.#readyAt = null
    if (since !== null) this.#count('started', at, true).duration = Math.max(0, at - since)
  }

  /** Says of the `waiting` right before it that the attempt was lost, which plain BullMQ's does not tell. */
  #stalled(): void {
    const last = this.list.at(-1)
    if (last?.kind !== 'retried') return
    last.duration = null
    delete last.attempt
  }

  #ended(kind: TerminalStatus | 'retried', at: number, closed: AttemptWrite | undefined): void {
    const measure = this.#count(kind, at, closed !== undefined)
    // Only what ran to its own end says how long such a job takes.
    if (!closed || (closed.outcome !== 'completed' && closed.outcome !== 'failed')) return
    const { run, attempt } = closed
    const startedAt = closed.startedAt ?? (attempt === 1 ? this.#job.startedAt : null)
    if (startedAt === null) measure.attempt = { run, attempt }
    else measure.duration = Math.max(0, at - startedAt)
  }

  #count(kind: Measure['kind'], at: number, ran = false): Measure {
    const job = this.#job
    const worker = ran ? job.worker : null
    const measure: Measure = { job, at, kind, ran, worker, duration: null }
    this.list.push(measure)
    return measure
  }

  #since(skew: number): number | null {
    if (this.#readyAt !== undefined) return this.#readyAt
    if (this.#status === 'scheduled') return this.#dueAt
    // The newest entry of a pending job is the one that made it so.
    const { version } = this.#job
    return this.#status === 'pending' && version > 0n ? Number(version >> 20n) - skew : null
  }
}

function goesOn({ outcome }: AttemptWrite): boolean {
  return outcome === 'failed' || outcome === 'lost'
}
