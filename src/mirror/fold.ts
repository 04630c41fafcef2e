import { isTerminal } from '../statuses.ts'
import { readSummary } from '../transport/checkpoints.ts'
import {
  firstNew,
  idMilliseconds,
  versionOf,
  type Entry,
  type EntryFields,
  type ReadAgain,
} from './entries.ts'
import { JobDraft } from './job_draft.ts'
import {
  by,
  count,
  isCancelled,
  NOTHING,
  ordinal,
  readError,
  readLines,
  readPiece,
  readProgress,
  shorten,
} from './job_facts.ts'

export type { ReadAgain } from './entries.ts'

/**
 * Puts what happened to one job onto its record. Pure: it reads and writes nothing but the record and its own lists.
 *
 * The rules of statuses live here. Nothing but a restart leaves a terminal status. A running job whose cancellation was
 * asked for is cancelled at once and `stopping` until its transport has ended; stalls and late ends do not change that.
 * A terminal job that Redis runs again without a restart was brought back by an older Redis: that is its next run.
 */
export class JobFold extends JobDraft {
  /**
   * Applies entries of one stream in their order; those that the record contains already are passed over.
   *
   * @param skew  Milliseconds to add to ids, from the queue's cursor.
   * @param again  Set while a stream is read once more from its beginning.
   */
  apply(entries: Entry[], skew: number, again?: ReadAgain): this {
    const from = firstNew(entries, this.job.version, skew, again)
    if (from === entries.length) return this
    this.eventsVersion = versionOf(entries[from].id, skew)
    for (let index = from; index < entries.length; index++) {
      const { id, fields } = entries[index]
      const at = idMilliseconds(id)
      this.closed = undefined
      this.measures.takes()
      this.#entry(entries[index], at, skew)
      this.measures.took(fields.event, at, this.closed, skew)
    }
    this.job.version = versionOf(entries[entries.length - 1].id, skew)
    return this
  }

  #entry({ id, fields }: Entry, at: number, skew: number): void {
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
        return this.#progress(fields, at)
      case 'log':
        return this.#log(fields, at, versionOf(id, skew))
      case 'cancel-requested':
        return this.#cancelRequested(fields, at)
      case 'signal-ignored':
        return this.#signalIgnored(at)
      case 'cancelled':
        return this.#cancelled(fields, at)
      case 'restarted':
        return this.#restarted(fields, at)
      case 'priority-changed':
        return this.#priorityChanged(fields, at)
      case 'run-again':
        return this.#ranAgain(fields, at)
      case 'waits':
        return this.waitsFor(readPiece(fields.edges))
      case 'checkpoint':
        return this.#checkpoint(fields, at)
    }
  }

  #added(fields: EntryFields, at: number): void {
    const { job } = this
    const run = ordinal(fields.run)
    /** Redis has one job of an id at a time: one that is added had gone before, even if its record has not heard of that. */
    if (job.status !== null) {
      this.newRun(run === undefined ? 'added again' : 'restarted', at, by(fields), run)
    } else {
      if (run !== undefined) job.run = Math.max(job.run, run)
      job.status = 'pending'
      this.added(at)
      this.note(at, 'added', by(fields))
    }
    if (fields.name !== undefined) job.type = fields.name
    this.dispatchedAt(count(fields.at))
    if (fields.data !== undefined) this.setPayload(fields.data, fields.opts)
    else this.forgetPayload()
  }

  #restarted(fields: EntryFields, at: number): void {
    const run = ordinal(fields.run)
    /** Where runs are missing between, what ended was one of those; and of a job that Redis forgot nobody knows. */
    const isTold = (run === undefined || run === this.job.run + 1) && fields.prev !== 'forgotten'
    this.newRun('restarted', at, by(fields), run, isTold ? fields.prev : undefined)
  }

  #priorityChanged(fields: EntryFields, at: number): void {
    const { job } = this
    const priority = ordinal(fields.priority)
    if (priority === undefined) return
    if (job.status === null) this.begin('pending', at)
    job.priority = priority
    this.note(at, 'priority changed', { priority, ...by(fields) })
  }

  /** Says nothing of this job but that another one does its work again. */
  #ranAgain(fields: EntryFields, at: number): void {
    if (this.job.status === null || !fields.job) return
    this.note(at, 'run again', { job: fields.job, ...by(fields) })
  }

  #waiting(fields: EntryFields, at: number): void {
    const { job } = this
    const { prev } = fields
    /** Twin of `added`, unless the record begins in the middle. */
    if (prev === undefined) {
      if (job.status === null) this.begin('pending', at)
      return
    }
    if (prev === 'failed' || prev === 'completed' || prev === 'cancelled') {
      /** Restarted by another tool. Ours say so in an entry of their own, which has come before this one. */
      if (this.#isOver()) this.newRun('restarted', at, null, ordinal(fields.run))
      else if (job.status === null) this.begin('pending', at)
      return
    }
    if (prev === 'active') this.#attemptEnded(fields, at)
    /** The entry that ended its attempt was cut away. */
    else if (job.status === 'running') this.closeAttempt('lost', null)
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
    if (!job.createdAt) job.createdAt = at
    this.startAttempt(ordinal(fields.ats) || job.attempts + 1, fields.pb || null, at)
    if (!stopping) {
      job.status = 'running'
      job.dueAt = null
      job.startedAt ??= at
    }
    this.note(at, 'running')
  }

  #ended(fields: EntryFields, at: number): void {
    const { job } = this
    const attempt = ordinal(fields.ats)
    if (this.#isStopping()) {
      job.stopping = false
      job.finishedAt = at
      this.closeAttempt('cancelled', at, fields.failedReason, fields.stack, attempt)
      return this.note(at, 'stopped')
    }
    this.#comeBack(at)
    if (this.#isOver()) return this.note(at, 'refused', { status: fields.event })

    const cancelled = fields.event === 'failed' && isCancelled(fields)
    const status = fields.event === 'completed' ? 'completed' : cancelled ? 'cancelled' : 'failed'
    this.closeAttempt(status, at, fields.failedReason, fields.stack, attempt)
    job.status = status
    job.finishedAt = at
    job.dueAt = null
    if (!job.createdAt) job.createdAt = at
    if (status === 'completed') {
      job.errorCode = job.error = null
      /** A job that returned nothing has no result, and that is how its record stands until here. */
      if (fields.returnvalue !== undefined && fields.returnvalue !== NOTHING) {
        this.setResult(fields.returnvalue)
      }
      return this.note(at, status)
    }
    const error = readError(fields.failedReason)
    job.errorCode = error.code
    job.error = error.message
    if (cancelled) job.cancelAt ??= at
    this.note(at, status, { code: error.code, message: shorten(error.message) })
  }

  /**
   * An attempt that is not the last one ended: it failed (`err`), or its worker gave the job back or died.
   */
  #attemptEnded(fields: EntryFields, at: number): void {
    const attempt = ordinal(fields.ats)
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
    const last = this.lastNote('pending')
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
      this.begin('cancelled', at)
      job.finishedAt = at
    }
    this.note(at, 'removed')
  }

  #log(fields: EntryFields, at: number, version: bigint): void {
    const lines = readLines(fields.lines)
    if (lines.length === 0) return
    this.#runs(fields, at)
    const { run, attempts } = this.job
    this.addLogs({ version, run, attempt: ordinal(fields.ats) ?? attempts, lines })
  }

  /**
   * The newest report replaces the one before; the history gets a line only when the stage changes.
   */
  #progress(fields: EntryFields, at: number): void {
    const { job } = this
    if (this.#isOver()) return
    const progress = readProgress(fields.data)
    if (!progress) return
    this.#runs(fields, at)
    job.percent = progress.percent
    job.done = progress.done ?? null
    job.total = progress.total ?? null
    job.unit = progress.unit ?? null
    if (progress.stage !== undefined && progress.stage !== job.stage) {
      this.note(at, 'stage', progress)
    }
    job.stage = progress.stage ?? null
  }

  /** Told in short on the record; the timeline has enough to say. */
  #checkpoint(fields: EntryFields, at: number): void {
    const summary = readSummary(fields.cp)
    if (summary === null || (this.#isOver() && !this.#isStopping())) return
    this.#runs(fields, at)
    this.keeps(summary)
  }

  #cancelRequested(fields: EntryFields, at: number): void {
    const { job } = this
    this.#comeBack(at)
    if (this.#isOver()) return
    this.#cancelledBy(fields, at)
    job.stopping = true
    job.signalIgnored = false
  }

  /** Its worker waited for its code as long as the grace period says; a late word of that changes nothing. */
  #signalIgnored(at: number): void {
    const { job } = this
    if (this.#isOver() && !this.#isStopping()) return
    job.signalIgnored = this.#isStopping()
    this.note(at, 'signal ignored')
  }

  #cancelled(fields: EntryFields, at: number): void {
    if (this.#isStopping()) this.job.stopping = false
    this.#comeBack(at)
    if (this.#isOver()) return
    if (this.job.status === 'running') this.closeAttempt('lost', null)
    this.#cancelledBy(fields, at)
  }

  #cancelledBy(fields: EntryFields, at: number): void {
    const { job } = this
    const attempt = ordinal(fields.ats)
    if (attempt) job.attempts = attempt
    job.status = 'cancelled'
    job.cancelAt = at
    job.finishedAt = at
    job.dueAt = null
    job.errorCode =
      fields.code === 'AWAITED_FAILED' || fields.code === 'SKIPPED' ? fields.code : 'CANCELLED'
    job.error = fields.reason || (fields.by ? `Cancelled by ${fields.by}` : 'Cancelled')
    if (!job.createdAt) job.createdAt = at
    this.note(at, 'cancelled', by(fields))
  }

  /**
   * Only a running attempt reports: a record that has not seen it start catches up.
   */
  #runs(fields: EntryFields, at: number): void {
    const { job } = this
    const attempt = ordinal(fields.ats)
    if (job.status === 'running' || this.#isOver() || (job.status !== null && !attempt)) return
    if (job.status === null) this.begin('pending', at)
    this.startAttempt(attempt || job.attempts || 1, null, null)
    job.status = 'running'
    job.dueAt = null
    job.startedAt ??= at
  }

  /** Cancelled while it ran, and its code has not returned. */
  #isStopping(): boolean {
    return this.job.stopping && this.job.status === 'cancelled'
  }

  #isOver(): boolean {
    return this.job.status !== null && isTerminal(this.job.status)
  }

  /** What had ended and was gone from Redis ends once more: the entry that said it had been added again is missing. */
  #comeBack(at: number): void {
    if (this.#isOver() && !this.job.hasTransport) this.newRun('added again', at)
  }

  /** Redis runs a job that had ended, and nobody restarted it: an older Redis came back. */
  #revive(at: number): void {
    if (this.#isOver()) this.newRun('redis restored', at)
    else if (this.job.status === null) this.begin('pending', at)
  }
}
