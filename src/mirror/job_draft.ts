import { isTerminal, type TerminalStatus } from '../statuses.ts'
import type { Measure } from '../records/metrics/metric_types.ts'
import type {
  AttemptWrite,
  BodyWrite,
  CheckpointsWrite,
  EdgesWrite,
  EventTuple,
  FoldResult,
  LogsWrite,
  RunWrite,
  StoredJob,
  TagsWrite,
} from '../records/writer_types.ts'
import { recordId } from '../records/ids.ts'
import type { CheckpointSummary } from '../transport/checkpoints.ts'
import type { FlowEdge } from '../transport/flow_edges.ts'
import { LOST } from './comparison.ts'
import { JobMeasures } from './job_measures.ts'
import { readError, readOptions } from './job_facts.ts'

/** A producer's clock is believed while it is no further than this from Redis', ms: what lies between is mostly the way to Redis. */
const BELIEVED = 10_000

/** Error of an earlier run that was open when the next one began, and nothing says what became of it. */
const UNKNOWN_END = 'Nothing tells how this run ended'

/**
 * Collects what the folding of a batch gives.
 */
export class Folded implements FoldResult {
  jobs: StoredJob[] = []
  bodies: BodyWrite[] = []
  attempts: AttemptWrite[] = []
  events: FoldResult['events'] = []
  logs: LogsWrite[] = []
  tags: TagsWrite[] = []
  edges: EdgesWrite[] = []
  checkpoints: CheckpointsWrite[] = []
  runs: RunWrite[] = []
  measures: Measure[] = []
}

/**
 * One record being changed, with the rows that belong to it: what folding of entries and repairs from facts have in common.
 * Pure: it reads and writes nothing but the record and its own lists.
 */
export class JobDraft {
  readonly job: StoredJob
  #body: BodyWrite | undefined
  #attempts: AttemptWrite[] = []
  #events: EventTuple[] = []
  #logs: LogsWrite[] | undefined
  #tags: string[] | undefined
  #runs: RunWrite[] | undefined
  #edges: EdgesWrite['edges'] | undefined
  #checkpoints: CheckpointsWrite | undefined

  /** Moment of the `added` entry that this record begins with, while nothing tells what its producer's clock said. */
  #addedAt: number | null = null

  /** What is counted; repairs tell it nothing, because nobody knows when what they find happened. */
  protected readonly measures: JobMeasures

  /** The attempt that was closed last. */
  protected closed: AttemptWrite | undefined

  /** Key of the timeline's row: the first entry that this change takes in, or the position of a repair. */
  eventsVersion = 0n

  constructor(job: StoredJob) {
    this.job = job
    this.measures = new JobMeasures(job)
  }

  /**
   * Hands over to the writer.
   */
  finish(out: Folded): void {
    const { job } = this
    if (job.type === '') job.type = '?'
    job.status ??= 'pending'
    out.jobs.push(job)
    if (this.#body) out.bodies.push(this.#body)
    for (const attempt of this.#attempts) out.attempts.push(attempt)
    if (this.#events.length > 0) {
      out.events.push({ job, version: this.eventsVersion, list: this.#events })
    }
    if (this.#logs) out.logs.push(...this.#logs)
    if (this.#tags) out.tags.push({ job, tags: this.#tags })
    if (this.#runs) out.runs.push(...this.#runs)
    if (this.#edges) out.edges.push({ job, edges: this.#edges })
    if (this.#checkpoints) out.checkpoints.push(this.#checkpoints)
    for (const measure of this.measures.list) out.measures.push(measure)
  }

  /** A record whose first entries are not known. */
  begin(status: StoredJob['status'], at: number): void {
    this.job.status = status
    if (!this.job.createdAt) this.job.createdAt = at
  }

  /** A record that begins with its dispatch. */
  added(at: number): void {
    if (this.job.createdAt) return
    this.job.createdAt = at
    this.#addedAt = at
  }

  /**
   * What the producer's clock said at the dispatch: the record takes it over, unless that clock is another one than Redis', by which
   * everything that follows is told; a due moment is Redis' own in any case.
   */
  dispatchedAt(timestamp: number | null | undefined): void {
    const at = this.#addedAt
    if (at === null || timestamp === null || timestamp === undefined) return
    this.#addedAt = null
    if (Math.abs(timestamp - at) <= BELIEVED) this.job.createdAt = timestamp
  }

  /**
   * Opens the next run, and keeps how the current one ended.
   *
   * @param ended  How it ended, where its own end was not seen; absent when nothing tells.
   */
  newRun(kind: string, at: number, detail: unknown = null, run?: number, ended?: string): void {
    const { job } = this
    if (job.status !== null) {
      if (job.status === 'running' || job.stopping) this.closeAttempt('lost', null)
      const { run: last, startedAt, finishedAt, errorCode, error } = job
      const row = { job, run: last, startedAt, finishedAt, errorCode, error }
      const runs = (this.#runs ??= [])
      if (isTerminal(job.status)) runs.push({ ...row, status: job.status })
      else if (ended !== undefined) runs.push({ ...row, status: endOf(ended) })
      else runs.push({ ...row, status: 'failed', errorCode: LOST, error: UNKNOWN_END })
    }
    job.run = Math.max(run ?? 0, job.status === null ? job.run : job.run + 1)
    job.status = 'pending'
    job.stopping = false
    job.attempts = 0
    job.percent = 0
    job.stage = job.unit = job.errorCode = job.error = job.worker = null
    job.done = job.total = null
    job.dueAt = job.startedAt = job.finishedAt = job.cancelAt = null
    job.hasTransport = true
    if (!job.createdAt) job.createdAt = at
    this.setResult(null)
    this.note(at, kind, detail)
  }

  setPayload(payload: string, options: string | null | undefined): void {
    const { job } = this
    const body = this.#bodyWrite()
    body.payload = payload
    job.hasPayload = true
    if (options === null || options === undefined) return
    body.options = options
    const facts = readOptions(options)
    job.maxAttempts = facts.maxAttempts
    job.priority = facts.priority
    job.user = facts.user
    job.sensitive = facts.sensitive
    this.dispatchedAt(facts.timestamp)
    this.waitsFor(facts.waitFor)
    /** A job that is added again may have fewer tags than the one before. */
    if (facts.tags.length > 0 || job.seq > 0 || this.#tags) this.#tags = facts.tags
  }

  /** Jobs that this one waits for. */
  waitsFor(edges: FlowEdge[]): void {
    if (edges.length === 0) return
    this.#edges ??= []
    for (const { queue, id, onFailure } of edges) {
      this.#edges.push({ id: recordId(queue, id), onFailure })
    }
  }

  /** What the current run has kept for its next attempts. */
  keeps({ count, bytes, newest, at }: CheckpointSummary): void {
    const { job } = this
    this.#checkpoints = { job, run: job.run, count, bytes, newest, at }
  }

  /** A payload that is stored is no longer the job's. */
  forgetPayload(): void {
    if (!this.job.hasPayload) return
    const body = this.#bodyWrite()
    body.payload = body.options = null
    this.job.hasPayload = false
  }

  setResult(result: string | null): void {
    /** A record that has no row yet has no result to empty. */
    if (result === null && this.job.seq === 0 && this.#body?.result === undefined) return
    this.#bodyWrite().result = result
  }

  get hasResult(): boolean {
    return typeof this.#body?.result === 'string'
  }

  #bodyWrite(): BodyWrite {
    return (this.#body ??= { job: this.job })
  }

  /**
   * Ends the current attempt, or the one that the entry names.
   */
  closeAttempt(
    outcome: AttemptWrite['outcome'],
    at: number | null,
    failedReason?: string | null,
    stack?: string | null,
    attempt = this.job.attempts
  ): void {
    if (attempt === 0) return
    this.#loseAllBut(attempt)
    const error = failedReason ? readError(failedReason) : null
    this.closed = this.#attempt(attempt, outcome, {
      finishedAt: at,
      errorCode: error?.code ?? null,
      error: error?.message ?? null,
      stack: stack || null,
    })
    this.job.attempts = Math.max(this.job.attempts, attempt)
  }

  /**
   * Attempts of this batch whose error is known only from the hash: plain BullMQ's.
   */
  attemptsWithoutError(): AttemptWrite[] {
    return this.#attempts.filter(({ outcome, stack }) => outcome === 'failed' && stack === null)
  }

  /** An attempt of this batch that seemed to have failed did not. */
  handsBack(attempt: AttemptWrite): void {
    attempt.outcome = 'handed back'
    for (const event of this.#events) {
      const [, run, of, kind] = event
      if (kind === 'attempt failed' && run === attempt.run && of === attempt.attempt)
        event[3] = 'handed back'
    }
  }

  /**
   * An attempt begins. The one that ran, if its end is not known, was lost: there is another one now.
   */
  startAttempt(attempt: number, worker: string | null, at: number | null): void {
    const { job } = this
    this.#loseAllBut(attempt)
    job.attempts = attempt
    if (worker) job.worker = worker
    this.#attempt(attempt, 'running', { worker, startedAt: at })
  }

  /** An older Redis that came back counts from what it knows: the attempt that ran may have the higher number. */
  #loseAllBut(attempt: number): void {
    const { status, stopping, run, attempts } = this.job
    if ((status !== 'running' && !stopping) || attempts === 0 || attempt === attempts) return
    const known = this.#attempts.find((row) => row.attempt === attempts && row.run === run)
    if (known === undefined || known.outcome === 'running') this.#attempt(attempts, 'lost', {})
  }

  #attempt(
    attempt: number,
    outcome: AttemptWrite['outcome'],
    what: Partial<AttemptWrite>
  ): AttemptWrite {
    const { job } = this
    const known = this.#attempts.find((row) => row.attempt === attempt && row.run === job.run)
    if (known) {
      if (outcome !== 'running') {
        const { startedAt, worker } = known
        Object.assign(known, what)
        known.outcome = outcome
        known.startedAt = startedAt
        known.worker = worker
      }
      known.startedAt ??= what.startedAt ?? null
      known.worker ??= what.worker ?? null
      return known
    }
    const write: AttemptWrite = {
      job,
      run: job.run,
      attempt,
      outcome,
      worker: what.worker ?? null,
      startedAt: what.startedAt ?? null,
      finishedAt: what.finishedAt ?? null,
      errorCode: what.errorCode ?? null,
      error: what.error ?? null,
      stack: what.stack ?? null,
    }
    this.#attempts.push(write)
    return write
  }

  /**
   * A line of the job's timeline.
   */
  note(at: number, kind: string, detail: unknown = null): void {
    this.#events.push([at, this.job.run, this.job.attempts, kind, detail])
  }

  addLogs(logs: Omit<LogsWrite, 'job'>): void {
    this.#logs ??= []
    this.#logs.push({ job: this.job, ...logs })
  }

  /** The newest line of the timeline in this change, leaving out those of a kind. */
  lastNote(except: string): EventTuple | undefined {
    return this.#events.findLast(([, , , kind]) => kind !== except)
  }
}

function endOf(text: string | undefined): TerminalStatus {
  return text === 'completed' || text === 'cancelled' ? text : 'failed'
}
