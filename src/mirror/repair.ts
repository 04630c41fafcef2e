import type { StoredJob } from '../records/writer_types.ts'
import { isTerminal, type JobStatus } from '../statuses.ts'
import type { TransportFacts } from '../transport/transport_audit.ts'
import { isBehind, LOST, statusOf, type JobState } from './comparison.ts'
import { JobDraft } from './job_draft.ts'
import {
  count,
  ordinal,
  readCancellation,
  readError,
  readProgress,
  readStacks,
} from './job_facts.ts'

/**
 * Moments of a repair: `at` is Redis' time at the position of the facts, `dueAt` of a job that is delayed. `told` is the version
 * that the job's last entry in Redis has or would have given its record; null where Redis does not know that entry.
 */
export type RepairMoments = { at: number; dueAt: number | null; told: bigint | null }

/** Attempts before the last one that a repair writes down, where their own entries were lost. */
const MOST_FAILURES = 1_000

/**
 * The few facts that tell whether a record is behind.
 */
export function stateOf(facts: TransportFacts | null): JobState {
  if (!facts) return { state: '', attempts: 0, run: 1, cancelRequested: false }
  const { state, attemptsStarted: attempts, run, cancelRequest } = facts
  return { state, attempts, run, cancelRequested: cancelRequest !== null }
}

/**
 * Makes a record say what Redis says, where it does not. Only what is known is written: of attempts whose entries were lost
 * that is the last one, and the ones before it when all of them failed.
 *
 * @param job  The record as stored; blank when there is none.
 * @param held  What Redis holds; null when it does not know the job.
 * @param version  The position of the facts, as a version.
 * @returns null when the record is right.
 */
export function repair(
  job: StoredJob,
  held: TransportFacts | null,
  version: bigint,
  { at, dueAt, told }: RepairMoments
): JobDraft | null {
  const facts = held && isOfRunBefore(job, held, told) ? null : held
  const state = stateOf(facts)
  const record = job.status === null ? undefined : { ...job, status: job.status }
  const wasLost = job.errorCode === LOST && facts !== null
  const isNextLife = facts !== null && isAddedAgain(job, facts, told)
  if (!wasLost && !isNextLife && !isBehind(record, state)) return null
  const draft = new JobDraft(job)
  draft.eventsVersion = version
  job.version = version

  if (!facts) {
    job.hasTransport = false
    if (job.stopping) {
      job.stopping = false
      draft.closeAttempt('cancelled', null)
      draft.note(at, 'stopped')
      return draft
    }
    if (job.status === 'running') draft.closeAttempt('lost', null)
    job.status = 'failed'
    job.errorCode = LOST
    job.error = 'Redis no longer knows this job, and nothing tells how it ended'
    job.finishedAt = at
    job.dueAt = null
    draft.note(at, 'lost')
    return draft
  }

  const { status, stopping } = statusOf(state)
  const isOver = job.status !== null && isTerminal(job.status) && !job.stopping && !isNextLife
  job.hasTransport = true
  if (job.type === '' || job.type === '?') job.type = facts.name
  if (isNextLife) {
    draft.newRun('added again', at)
    draft.forgetPayload()
    job.type = facts.name
  }
  if (!job.hasPayload && facts.data !== null) draft.setPayload(facts.data, facts.opts)
  draft.waitsFor(facts.waits)
  /** Options stand as they were dispatched; what was changed since stands beside them. */
  job.priority = ordinal(String(facts.priority)) ?? job.priority
  if (!job.createdAt) job.createdAt = facts.timestamp ?? at
  if (job.status === null) job.run = facts.run
  else if (facts.run > job.run) draft.newRun('restarted', at, null, facts.run)
  else if (isOver && !isTerminal(status)) draft.newRun('redis restored', at)
  else if (isOver && !wasLost) return draft

  takeAttempts(draft, facts, status, isNextLife)
  job.status = status
  job.stopping = stopping
  job.dueAt = status === 'scheduled' ? dueAt : null
  if (facts.worker) job.worker = facts.worker
  if (state.attempts > 0) job.startedAt ??= facts.processedOn
  takeProgress(job, facts)
  if (facts.checkpoints !== null) draft.keeps(facts.checkpoints)
  if (isTerminal(status) && !stopping) job.finishedAt = facts.finishedOn ?? at
  if (status === 'completed') {
    job.errorCode = job.error = null
    if (facts.returnvalue !== null) draft.setResult(facts.returnvalue)
  } else if (status === 'failed' || status === 'cancelled') {
    const error = status === 'cancelled' ? readCancellation(facts) : readError(facts.failedReason)
    job.errorCode = error.code
    job.error = error.message
    if (status === 'cancelled') {
      job.cancelAt ??= at
      if (stopping) job.finishedAt = at
    }
  }
  draft.note(at, 'repaired', { status })
  return draft
}

/**
 * Whether what Redis holds ended before the run of the record was opened: an older Redis came back, which knows nothing of that run.
 * Without an entry to tell by it may be a run that another producer opened, which Redis does not count.
 */
function isOfRunBefore(
  { status, stopping, errorCode, run, version }: StoredJob,
  { state, run: held }: TransportFacts,
  told: bigint | null
): boolean {
  const isEnded = state === 'completed' || state === 'failed'
  if (status === null || !isEnded || held >= run || told === null) return false
  const isOpen = !isTerminal(status) || stopping || errorCode === LOST
  return isOpen && told < version
}

/**
 * Whether Redis holds another job than the one that the record knows, under the same id: that one had ended and was gone when
 * this one was dispatched. Its own entries tell, or, of other producers' jobs, the moment that they say of it.
 */
function isAddedAgain(
  { status, stopping, hasTransport, finishedAt, run, version }: StoredJob,
  { run: held, timestamp }: TransportFacts,
  told: bigint | null
): boolean {
  if (status === null || !isTerminal(status) || stopping || hasTransport || held > run) return false
  if (told !== null && told > version) return true
  return finishedAt !== null && timestamp !== null && timestamp > finishedAt
}

function takeAttempts(
  draft: JobDraft,
  facts: TransportFacts,
  status: JobStatus,
  isNextLife: boolean
): void {
  const { job } = draft
  const {
    attemptsStarted: last,
    attemptsMade,
    failedReason,
    processedOn,
    finishedOn,
    worker,
  } = facts
  const stack = readStacks(facts.stacktrace).at(-1) ?? null
  if (facts.run < job.run && !isNextLife) {
    /** Another producer's next run, which Redis counts no attempts for. */
    if (isTerminal(status)) draft.closeAttempt(status, finishedOn, failedReason, stack)
    return
  }
  if (last === 0 || last < job.attempts) {
    /** An older Redis came back, which knows nothing of the attempt that ran. */
    if (job.status === 'running') draft.closeAttempt('lost', null)
    return
  }
  const isEnded = status === 'completed' || status === 'failed' || facts.state === 'failed'
  const failures = isEnded ? attemptsMade - 1 : attemptsMade
  if (failures >= last - 1) {
    for (let attempt = Math.max(job.attempts, 1, last - MOST_FAILURES); attempt < last; attempt++) {
      draft.closeAttempt('failed', null, null, null, attempt)
    }
  }
  draft.startAttempt(last, worker, processedOn)
  if (facts.state === 'active') return
  if (status === 'completed') draft.closeAttempt('completed', finishedOn)
  else if (isEnded) {
    draft.closeAttempt(
      status === 'cancelled' ? 'cancelled' : 'failed',
      finishedOn,
      failedReason,
      stack
    )
  } else if (attemptsMade >= last && failedReason !== null) {
    draft.closeAttempt('failed', null, failedReason, stack)
  } else {
    draft.closeAttempt(facts.losses > 0 ? 'lost' : 'handed back', null)
  }
}

function takeProgress(job: StoredJob, facts: TransportFacts): void {
  if (count(facts.progress) === 0) return
  const progress = readProgress(facts.progress)
  if (!progress) return
  job.percent = progress.percent
  job.stage = progress.stage ?? null
  job.done = progress.done ?? null
  job.total = progress.total ?? null
  job.unit = progress.unit ?? null
}
