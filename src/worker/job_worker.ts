import { Worker } from 'bullmq'
import type { LogSink } from '../jobs/job_context.ts'
import type { Clock } from '../time/long_timer.ts'
import type { LogEntry } from '../transport/types.ts'
import type { Progress } from '../types.ts'
import { cancelled, leaseLost, shutdown } from './abort_reasons.ts'
import { Attempt, type AttemptHost } from './attempt.ts'
import { type ClaimedJob, readClaim } from './claim.ts'
import { type ClaimReply, ClaimScripts, type Refusal, type Settled } from './claim_scripts.ts'
import { stoppedOutcome } from './execution.ts'
import { JobSource } from './job_source.ts'
import { finalFailure, type Outcome, outcomeWithoutRunning } from './outcome.ts'
import type { WorkerRuntime } from './runtime.ts'
import { continueScheduler } from './schedulers.ts'
import { Settlement } from './settlement.ts'
import type { SlotHolder } from './slots.ts'

/**
 * Works one queue. BullMQ's worker gives it connections and the recovery of jobs whose worker died; claiming, running and
 * ending jobs is done here, because the slots are shared with the other queues of the process.
 */
export class JobWorker extends Worker implements AttemptHost, SlotHolder {
  held = 0
  readonly queue: string
  readonly clock: Clock
  readonly logger: LogSink
  readonly grace: number

  #runtime: WorkerRuntime
  #scripts: ClaimScripts
  #source: JobSource
  #settlement: Settlement

  /** What runs now, and what has returned but is not settled yet. */
  #attempts = new Set<Attempt>()

  /** One promise for each slot in use. */
  #chains = new Set<Promise<void>>()

  /** Jobs claimed so far. */
  #claimed = 0

  #tokens = 0
  #recovering = false
  #draining = false
  #renewing = false

  constructor(queue: string, runtime: WorkerRuntime) {
    super(
      queue,
      null,
      {
        connection: runtime.connection as never,
        prefix: runtime.prefix,
        name: runtime.workerId,
        autorun: false,
        lockDuration: runtime.lease,
        /** With the lease itself this bounds how long a dead worker's job waits for its next attempt. */
        stalledInterval: Math.max(500, Math.round(runtime.lease / 3)),
        maxStalledCount: runtime.maxLosses,
        skipLockRenewal: true,
      },
      runtime.backendFactory
    )
    this.queue = queue
    this.clock = runtime.clock
    this.logger = runtime.logger
    this.grace = runtime.grace
    this.#runtime = runtime
    const { trouble } = runtime
    this.#scripts = new ClaimScripts(this.backend, runtime.limited)
    this.#source = new JobSource(this.backend, this.#scripts, runtime.clock, trouble)
    this.#settlement = new Settlement(this.#scripts, runtime.clock, trouble)
    this.on('error', (error) => this.#draining || trouble.noticed(error))
    this.on('stalled', (jobId) =>
      runtime.logger.warn(
        { jobId, queue },
        'The worker of a job was lost; the job goes on as its next attempt'
      )
    )
  }

  get attempts(): ReadonlySet<Attempt> {
    return this.#attempts
  }

  /** Jobs claimed since the start. */
  get claimed(): number {
    return this.#claimed
  }

  /**
   * Claims and starts jobs until `stopClaiming`.
   *
   * @param untilEmpty ends as soon as the queue has no job that could run now
   */
  async work(untilEmpty = false): Promise<void> {
    const { slots } = this.#runtime
    if (!this.#recovering) {
      this.#recovering = true
      await this.startStalledCheckTimer()
    }
    let popped = false
    while (!this.#source.stopped) {
      if (!slots.tryAcquire(this)) {
        if (popped) {
          await this.#source.putBack()
        }
        if (!(await slots.acquire(this))) {
          break
        }
      }
      popped = false
      const token = `${this.#runtime.workerId}:${this.#tokens++}`
      const reply = await this.#source.claim(token)
      if (reply !== undefined) {
        slots.claimed(true)
        this.#start(reply, token)
        continue
      }
      this.#scripts.forget(token)
      slots.release(this, true)
      if (untilEmpty && this.#runtime.trouble.lasting === undefined) {
        break
      }
      popped = await this.#source.wait()
    }
  }

  /**
   * Ends claiming; what was claimed goes on.
   */
  async stopClaiming(): Promise<void> {
    this.#draining = true
    this.#runtime.slots.forget(this)
    await this.#source.stop()
  }

  /** Resolves when no job of this queue runs any more. */
  async idle(): Promise<void> {
    while (this.#chains.size > 0) {
      await Promise.all(this.#chains)
    }
  }

  /**
   * Aborts the signals of all running jobs because the worker stops.
   */
  abortAll(): void {
    for (const attempt of this.#attempts) {
      attempt.abort(shutdown())
    }
  }

  /**
   * Hands back every job whose code still runs; what it does from now on is refused.
   */
  async handBackAll(): Promise<void> {
    await Promise.all(
      [...this.#attempts].map((attempt) => {
        attempt.settledEarly ??= this.#settleEarly(
          attempt,
          stoppedOutcome(attempt, false) ?? { kind: 'handed back' }
        )
        return attempt.settledEarly
      })
    )
  }

  /** Ends waiting for a Redis that does not answer; see Settlement. */
  giveUp(): void {
    this.#settlement.giveUp()
  }

  /**
   * Somebody asked to cancel a job. Whether and why is read from the job itself: the message may be late.
   */
  async cancelRequested(jobId: string): Promise<void> {
    const attempts = [...this.#attempts].filter(({ claim }) => claim.id === jobId)
    if (attempts.length > 0) {
      await this.#checkCancelRequests(attempts)
    }
  }

  /**
   * Renews the leases that are due, and looks whether a cancellation was asked for whose message did not arrive.
   *
   * @param all also those that are not due
   */
  async renewLeases(all = false): Promise<void> {
    const { lease } = this.#runtime
    const now = this.clock.now()
    const due = [...this.#attempts].filter(
      (attempt) =>
        attempt.settledEarly === undefined && (all || now - attempt.renewedAt >= lease / 4)
    )
    if (due.length === 0 || this.#renewing) {
      return
    }
    this.#renewing = true
    try {
      const lost = await this.backend.extendLocks(
        due.map(({ claim }) => claim.id),
        due.map(({ claim }) => claim.token),
        lease
      )
      this.#runtime.trouble.over()
      for (const attempt of due) {
        if (lost.includes(attempt.claim.id)) {
          this.#loseLease(attempt, 'its lease could not be renewed')
        } else {
          attempt.renewedAt = now
        }
      }
      await this.#checkCancelRequests(due)
    } catch (error) {
      this.#runtime.trouble.noticed(error)
    } finally {
      this.#renewing = false
    }
  }

  /** See AttemptHost. */
  report(attempt: Attempt, what: { progress?: Progress; log?: LogEntry[] }): Promise<boolean> {
    const { token, attempt: number, id } = attempt.claim
    return this.#runtime.report(this.queue, id, { token, attempt: number, ...what })
  }

  /** See AttemptHost. */
  watch(deadline: number): void {
    this.#runtime.watch(deadline)
  }

  /** See AttemptHost. A cancelled job stays `stopping` until its code returns; one that ran too long has failed now. */
  signalIgnored(attempt: Attempt): void {
    const line = `The job has not returned within ${this.grace} ms after its signal was aborted (${attempt.aborted?.message})`
    this.logger.warn({ jobId: attempt.job.id, jobType: attempt.job.type }, line)
    attempt.log('warn', line)
    const outcome = stoppedOutcome(attempt, false)
    if (outcome?.kind === 'failed') {
      attempt.settledEarly ??= this.#settleEarly(attempt, outcome)
      /** Looked at when the code returns, which may be never. */
      attempt.settledEarly.catch(() => {})
    }
  }

  #start(reply: ClaimReply, token: string): void {
    const chain = this.#chain(reply, token).finally(() => this.#chains.delete(chain))
    this.#chains.add(chain)
  }

  /**
   * Runs a job, and with the same slot those that ending it brings.
   */
  async #chain(first: ClaimReply, token: string): Promise<void> {
    let reply: ClaimReply | null = first
    try {
      while (reply !== null && reply.hash !== null) {
        reply = await this.#run(readClaim(reply.hash, reply.id, token))
        if (reply !== null) {
          this.#source.note(reply)
        }
      }
    } catch (error) {
      this.logger.error({ err: error, queue: this.queue }, 'The end of a job could not be written')
    } finally {
      this.#scripts.forget(token)
      this.#runtime.slots.release(this)
    }
  }

  async #run(claim: ClaimedJob): Promise<ClaimReply | null> {
    const attempt = new Attempt(claim, this)
    this.#claimed++
    this.#attempts.add(attempt)
    try {
      if (claim.schedulerId !== null) {
        void this.#continueScheduler(claim)
      }
      const outcome =
        outcomeWithoutRunning(claim, this.#runtime.maxLosses) ??
        (this.#draining ? { kind: 'handed back' } : undefined) ??
        (await this.#runtime.execution.perform(attempt))
      if (attempt.settledEarly !== undefined) {
        await attempt.settledEarly
        return null
      }
      const closing = attempt.close()
      if (closing !== undefined) {
        await closing
      }
      return await (attempt.settledEarly ?? this.#settle(attempt, outcome, true))
    } finally {
      this.#attempts.delete(attempt)
    }
  }

  async #settleEarly(attempt: Attempt, outcome: Outcome): Promise<null> {
    await attempt.close()
    await this.#settle(attempt, outcome, false)
    return null
  }

  /**
   * @returns the queue's next job, if the same call claimed one
   */
  async #settle(attempt: Attempt, outcome: Outcome, mayClaim: boolean): Promise<ClaimReply | null> {
    const { claim } = attempt
    if (outcome.kind === 'lost') {
      return null
    }
    const { execution, slots } = this.#runtime
    const final = this.#settlement.isFinal(claim, outcome)
    const hook = outcome.kind === 'failed' && final && execution.hasFailedHook(claim.type)
    /** A job claimed now would wait for the hook. */
    const claimNext = mayClaim && final && !hook && !this.#draining && slots.mayContinue(this)
    let settled: Settled
    try {
      settled = await this.#settlement.settle(claim, outcome, claimNext)
    } catch (error) {
      if (claimNext) {
        slots.claimed(false)
      }
      throw error
    }

    if ('refused' in settled) {
      if (claimNext) {
        slots.claimed(false)
      }
      return this.#refused(attempt, settled.refused)
    }
    if (claimNext) {
      slots.claimed(settled.next !== null && settled.next.hash !== null)
    }
    if (hook) {
      await execution.callFailedHook(attempt, outcome.failure, outcome.error)
    }
    return settled.next
  }

  async #refused(attempt: Attempt, why: Refusal): Promise<null> {
    if (why === 'cancel requested') {
      const { code, message } =
        attempt.aborted?.kind === 'cancelled' ? attempt.aborted : cancelled()
      await this.#settle(
        attempt,
        { kind: 'cancelled', failure: { code, message, stack: null } },
        false
      )
    } else if (why === 'children') {
      const message = 'Its code returned before the children that it waits for had all completed'
      await this.#settle(attempt, finalFailure('CHILDREN_UNFINISHED', message), false)
    } else {
      this.#loseLease(attempt, 'Redis refused its end')
    }
    return null
  }

  #loseLease(attempt: Attempt, detail: string): void {
    const { id, type, attempt: number } = attempt.job
    attempt.abort(leaseLost(detail))
    this.logger.warn(
      { jobId: id, jobType: type, attempt: number },
      `An attempt no longer owns its job (${detail}); what it does from now on is dropped`
    )
  }

  async #checkCancelRequests(attempts: Attempt[]): Promise<void> {
    const requests = await Promise.all(
      attempts.map(({ claim }) => this.#runtime.cancelRequest(this.queue, claim.id))
    )
    requests.forEach((request, index) => {
      if (request !== null) {
        attempts[index].abort(cancelled(request.reason, request.by))
      }
    })
  }

  async #continueScheduler(claim: ClaimedJob): Promise<void> {
    try {
      await continueScheduler(await this.jobScheduler, claim)
    } catch (error) {
      this.logger.error(
        { err: error, queue: this.queue, scheduler: claim.schedulerId },
        'The next job of a BullMQ job scheduler could not be made'
      )
    }
  }
}
