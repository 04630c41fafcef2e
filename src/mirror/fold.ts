import { isTerminal } from '../statuses.ts'
import type {
  AttemptWrite,
  BodyWrite,
  EventTuple,
  FoldResult,
  LogsWrite,
  RunWrite,
  StoredJob,
  TagsWrite,
} from '../records/writer_types.ts'
import { compareIds, idMilliseconds, versionOf, type Entry, type EntryFields } from './entries.ts'
import { count, readError, readLines, readOptions, readProgress } from './job_facts.ts'

/**
 * A stream whose ids went back is read from its beginning. Entries up to `until` may have been read before, when `skew` was
 * added to their ids and no version was above `top`.
 */
export type ReadAgain = { until: string; skew: number; top: bigint }

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
  runs: RunWrite[] = []
}

/**
 * Puts what happened to one job onto its record. Pure: it reads and writes nothing but the record and its own lists.
 *
 * The rules of statuses live here. Nothing but a restart leaves a terminal status. A running job whose cancellation was
 * asked for is cancelled at once and `stopping` until its transport has ended; stalls and late ends do not change that.
 * A terminal job that Redis runs again without a restart was brought back by an older Redis: that is its next run.
 */
export class JobFold {
  readonly job: StoredJob
  #body: BodyWrite | undefined
  #attempts: AttemptWrite[] = []
  #events: EventTuple[] = []
  #eventsVersion = 0n
  #logs: LogsWrite[] = []
  #tags: string[] | undefined
  #runs: RunWrite[] = []

  constructor(job: StoredJob) {
    this.job = job
  }

  /**
   * Applies entries of one stream in their order; those that the record contains already are passed over.
   *
   * @param skew  Milliseconds to add to ids, from the queue's cursor.
   * @param again  Set while a stream is read once more from its beginning.
   */
  apply(entries: Entry[], skew: number, again?: ReadAgain): this {
    const { version } = this.job
    let from = 0
    if (version > 0n) {
      while (from < entries.length && versionOf(entries[from].id, skew) <= version) from++
      /** Versions of entries before the restart of ids are compared as they were given then. */
      while (
        again &&
        version <= again.top &&
        from < entries.length &&
        compareIds(entries[from].id, again.until) <= 0 &&
        versionOf(entries[from].id, again.skew) <= version
      ) {
        from++
      }
    }
    if (from === entries.length) return this
    this.#eventsVersion = versionOf(entries[from].id, skew)
    for (let index = from; index < entries.length; index++) this.#entry(entries[index], skew)
    this.job.version = versionOf(entries[entries.length - 1].id, skew)
    return this
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
      out.events.push({ job, version: this.#eventsVersion, list: this.#events })
    }
    for (const logs of this.#logs) out.logs.push(logs)
    if (this.#tags) out.tags.push({ job, tags: this.#tags })
    for (const run of this.#runs) out.runs.push(run)
  }

  #entry({ id, fields }: Entry, skew: number): void {
    const at = idMilliseconds(id)
    switch (fields.event) {
      case 'added':
        return this.#added(fields, at)
      case 'waiting':
        return this.#waiting(fields, at)
      case 'delayed':
        return this.#delayed(fields, at)
      case 'waiting-children':
        return this.#blocked(at)
      case 'active':
        return this.#active(fields, at)
      case 'completed':
      case 'failed':
        return this.#ended(fields, at)
      case 'stalled':
        return this.#stalled(at)
      case 'removed':
        return this.#removed(fields, at)
      case 'progress':
        return this.progress(fields.data, at, fields)
      case 'log':
        return this.#log(fields, versionOf(id, skew))
      case 'cancel-requested':
        return this.#cancelRequested(fields, at)
      case 'cancelled':
        return this.#cancelled(fields, at)
      case 'restarted':
        return this.newRun('restarted', at, by(fields), count(fields.run))
    }
  }

  #added(fields: EntryFields, at: number): void {
    const { job } = this
    const run = count(fields.run)
    if (this.#isOver() || (run !== undefined && job.status !== null && run > job.run)) {
      this.newRun(run === undefined ? 'added again' : 'restarted', at, by(fields), run)
    } else {
      if (run !== undefined) job.run = Math.max(job.run, run)
      job.status = 'pending'
      if (!job.createdAt) job.createdAt = at
      this.note(at, 'added', by(fields))
    }
    if (fields.name !== undefined) job.type = fields.name
    if (fields.data !== undefined) this.setPayload(fields.data, fields.opts)
  }

  #waiting(fields: EntryFields, at: number): void {
    const { job } = this
    const { prev } = fields
    /** Twin of `added`, unless the record begins in the middle. */
    if (prev === undefined) {
      if (job.status === null) this.#begin('pending', at)
      return
    }
    if (prev === 'failed' || prev === 'completed' || prev === 'cancelled') {
      /** Restarted by another tool. Ours say so in an entry of their own, which has come before this one. */
      if (this.#isOver()) this.newRun('restarted', at, null, count(fields.run))
      else if (job.status === null) this.#begin('pending', at)
      return
    }
    if (prev === 'active') this.#attemptEnded(fields, at)
    if (this.#isStopping()) return
    this.#revive(at)
    job.status = 'pending'
    job.dueAt = null
    this.note(at, 'pending', prev === 'delayed' ? { prev } : null)
  }

  #delayed(fields: EntryFields, at: number): void {
    const { job } = this
    if (job.status === 'running' || this.#isStopping()) this.#attemptEnded(fields, at)
    if (this.#isStopping()) return
    this.#revive(at)
    job.status = 'scheduled'
    job.dueAt = count(fields.delay) ?? null
    this.note(at, 'scheduled', job.dueAt === null ? null : { dueAt: job.dueAt })
  }

  #blocked(at: number): void {
    if (this.#isStopping()) return
    this.#revive(at)
    if (this.job.status === 'running') this.closeAttempt('handed back', at)
    this.job.status = 'blocked'
    this.note(at, 'blocked')
  }

  #active(fields: EntryFields, at: number): void {
    const { job } = this
    const stopping = this.#isStopping()
    if (!stopping) this.#revive(at)
    const attempt = count(fields.ats) || job.attempts + 1
    /** The end of the attempt before is not known, and there is another one now. */
    if (job.status === 'running' && job.attempts > 0 && attempt > job.attempts) {
      this.closeAttempt('lost', at)
    }
    job.attempts = attempt
    if (fields.pb) job.worker = fields.pb
    if (!job.createdAt) job.createdAt = at
    this.#attempt(attempt, 'running', { worker: fields.pb || null, startedAt: at })
    if (!stopping) {
      job.status = 'running'
      job.dueAt = null
      job.startedAt ??= at
    }
    this.note(at, 'running')
  }

  #ended(fields: EntryFields, at: number): void {
    const { job } = this
    const attempt = count(fields.ats)
    if (this.#isStopping()) {
      job.stopping = false
      job.finishedAt = at
      this.closeAttempt('cancelled', at, fields.failedReason, fields.stack, attempt)
      return this.note(at, 'stopped')
    }
    if (this.#isOver()) return this.note(at, 'refused', { status: fields.event })

    const cancelled = fields.event === 'failed' && isCancelled(fields)
    const status = fields.event === 'completed' ? 'completed' : cancelled ? 'cancelled' : 'failed'
    job.status = status
    job.finishedAt = at
    job.dueAt = null
    if (!job.createdAt) job.createdAt = at
    if (attempt) job.attempts = attempt
    if (status === 'completed') {
      job.errorCode = job.error = null
      if (fields.returnvalue !== undefined) this.setResult(fields.returnvalue)
      this.closeAttempt('completed', at, undefined, undefined, attempt)
      return this.note(at, status)
    }
    const error = readError(fields.failedReason)
    job.errorCode = error.code
    job.error = error.message
    if (cancelled) job.cancelAt ??= at
    this.closeAttempt(status, at, fields.failedReason, fields.stack, attempt)
    this.note(at, status, { code: error.code, message: shorten(error.message) })
  }

  /**
   * An attempt that is not the last one ended: it failed (`err`), or its worker gave the job back or died.
   */
  #attemptEnded(fields: EntryFields, at: number): void {
    const attempt = count(fields.ats)
    if (fields.err !== undefined) {
      const { code, message } = readError(fields.err)
      this.closeAttempt('failed', at, fields.err, fields.stack, attempt)
      this.note(at, 'attempt failed', { code, message: shorten(message) })
    } else if (fields.lost !== undefined) {
      this.closeAttempt('lost', at, undefined, undefined, attempt)
      this.note(at, 'worker lost')
    } else if (fields.ats === undefined) {
      /** Written by plain BullMQ, which says nothing about the error: the hash has it. */
      this.closeAttempt('failed', at)
      this.note(at, 'attempt failed')
    } else {
      this.closeAttempt('handed back', at, undefined, undefined, attempt)
      this.note(at, 'handed back')
    }
  }

  /**
   * Comes right after the `waiting` that the same script wrote. Ours says already there that the worker was lost; plain
   * BullMQ's looks like a failed attempt until now.
   */
  #stalled(at: number): void {
    const { job } = this
    if (job.attempts === 0 || this.#isOver()) return
    const last = this.#events.findLast(([, , , kind]) => kind !== 'pending')
    if (last?.[3] === 'worker lost') return
    this.closeAttempt('lost', at)
    if (last?.[3] === 'attempt failed') last[3] = 'worker lost'
    else this.note(at, 'worker lost')
  }

  #removed(fields: EntryFields, at: number): void {
    const { job } = this
    job.hasTransport = false
    if (this.#isStopping()) {
      job.stopping = false
    } else if (job.status !== null && !isTerminal(job.status)) {
      /** What had ended before its end could be read ended as it said; everything else is cancelled by being removed. */
      const ended = fields.prev === 'completed' || fields.prev === 'failed' ? fields.prev : null
      if (job.status === 'running') this.closeAttempt(ended ?? 'cancelled', at)
      job.status = ended ?? 'cancelled'
      job.finishedAt = at
      job.dueAt = null
      if (ended === null) {
        job.cancelAt = at
        job.errorCode = 'CANCELLED'
        job.error = 'Removed from its queue'
      }
    } else if (job.status === null) {
      this.#begin('cancelled', at)
      job.finishedAt = at
    }
    this.note(at, 'removed')
  }

  #log(fields: EntryFields, version: bigint): void {
    const lines = readLines(fields.lines)
    if (lines.length === 0) return
    const { job } = this
    if (job.status === null) this.#begin('running', lines[0][0])
    this.#logs.push({ job, version, run: job.run, attempt: count(fields.ats) ?? job.attempts, lines })
  }

  /**
   * The newest report replaces the one before; the history gets a line only when the stage changes.
   */
  progress(data: string | undefined, at: number, fields?: EntryFields): void {
    const { job } = this
    if (this.#isOver()) return
    const progress = readProgress(data)
    if (!progress) return
    if (job.status === null) {
      this.#begin('running', at)
      job.attempts = count(fields?.ats) ?? 1
    }
    job.percent = progress.percent
    job.done = progress.done ?? null
    job.total = progress.total ?? null
    job.unit = progress.unit ?? null
    if (progress.stage !== undefined && progress.stage !== job.stage) {
      this.note(at, 'stage', progress)
    }
    job.stage = progress.stage ?? null
  }

  #cancelRequested(fields: EntryFields, at: number): void {
    const { job } = this
    if (this.#isOver()) return
    this.#cancelledBy(fields, at)
    job.stopping = true
  }

  #cancelled(fields: EntryFields, at: number): void {
    if (this.#isStopping()) this.job.stopping = false
    if (this.#isOver()) return
    this.#cancelledBy(fields, at)
  }

  #cancelledBy(fields: EntryFields, at: number): void {
    const { job } = this
    const attempt = count(fields.ats)
    if (attempt) job.attempts = attempt
    job.status = 'cancelled'
    job.cancelAt = at
    job.finishedAt = at
    job.dueAt = null
    job.errorCode = 'CANCELLED'
    job.error = fields.reason || (fields.by ? `Cancelled by ${fields.by}` : 'Cancelled')
    if (!job.createdAt) job.createdAt = at
    this.note(at, 'cancelled', by(fields))
  }

  /** Cancelled while it ran, and its code has not returned. */
  #isStopping(): boolean {
    return this.job.stopping && this.job.status === 'cancelled'
  }

  #isOver(): boolean {
    return this.job.status !== null && isTerminal(this.job.status)
  }

  /** Redis runs a job that had ended, and nobody restarted it: an older Redis came back. */
  #revive(at: number): void {
    if (this.#isOver()) this.newRun('redis restored', at)
    else if (this.job.status === null) this.#begin('pending', at)
  }

  /** A record whose first entries are not known. */
  #begin(status: StoredJob['status'], at: number): void {
    this.job.status = status
    if (!this.job.createdAt) this.job.createdAt = at
  }

  /**
   * Opens the next run, and keeps how the current one ended.
   */
  newRun(kind: string, at: number, detail: unknown = null, run?: number): void {
    const { job } = this
    if (job.status !== null) {
      const { startedAt, finishedAt, errorCode, error } = job
      const ended = { job, run: job.run, status: job.status, startedAt, finishedAt }
      this.#runs.push({ ...ended, errorCode, error })
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
    if (facts.tags.length > 0) this.#tags = facts.tags
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
    const error = failedReason ? readError(failedReason) : null
    this.#attempt(attempt, outcome, {
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

  #attempt(attempt: number, outcome: AttemptWrite['outcome'], what: Partial<AttemptWrite>): void {
    const { job } = this
    const known = this.#attempts.find((row) => row.attempt === attempt && row.run === job.run)
    if (known) {
      const startedAt = known.startedAt ?? what.startedAt ?? null
      const worker = known.worker ?? what.worker ?? null
      if (outcome !== 'running') Object.assign(known, { ...what, outcome })
      Object.assign(known, { startedAt, worker })
      return
    }
    const { worker = null, startedAt = null, finishedAt = null } = what
    const { errorCode = null, error = null, stack = null } = what
    const row = { job, run: job.run, attempt, outcome, worker, startedAt, finishedAt }
    this.#attempts.push({ ...row, errorCode, error, stack })
  }

  /**
   * A line of the job's timeline.
   */
  note(at: number, kind: string, detail: unknown = null): void {
    this.#events.push([at, this.job.run, this.job.attempts, kind, detail])
  }

  /** Used where something is noted that no entry said: the timeline's key is then the record's version. */
  set eventsVersion(version: bigint) {
    this.#eventsVersion = version
  }
}

function isCancelled({ cancelled, failedReason }: EntryFields): boolean {
  return cancelled === '1' || (failedReason?.startsWith('[CANCELLED]') ?? false)
}

function by({ by: who, reason }: EntryFields): { by?: string; reason?: string } | null {
  if (!who && !reason) return null
  return { ...(who ? { by: who } : null), ...(reason ? { reason } : null) }
}

function shorten(message: string): string {
  return message.length > 500 ? message.slice(0, 500) + '…' : message
}
