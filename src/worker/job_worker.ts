import { setImmediate } from 'node:timers/promises'
import { Worker } from 'bullmq'
import type { LogSink } from '../jobs/job_context.ts'
import type { Clock } from '../time/long_timer.ts'
import type { CheckpointAnswer } from '../transport/checkpoints.ts'
import { leaseLost, shutdown } from './abort_reasons.ts'
import { Attempt, type AttemptHost, type Checkpoint, type Told } from './attempt.ts'
import { CheckpointKeeper } from './checkpoint_keeper.ts'
import { type ClaimedJob, readClaim } from './claim.ts'
import { type ClaimReply, ClaimScripts } from './claim_scripts.ts'
import { Endings } from './endings.ts'
import { JobSource } from './job_source.ts'
import { Leases } from './leases.ts'
import { Orphans } from './orphans.ts'
import {
  diedWithProcess,
  type Outcome,
  outcomeWithoutRunning,
  stoppedOutcome,
  uncaughtFailure,
} from './outcome.ts'
import type { WorkerRuntime } from './runtime.ts'
import { outcomeBySchedule } from './scheduled.ts'
import { continueScheduler } from './schedulers.ts'
import { Settlement } from './settlement.ts'
import type { SlotHolder } from './slots.ts'
import { describeThrown } from './thrown.ts'

/**
 * Works one queue. BullMQ's worker gives it connections and the recovery of jobs whose worker died; claiming, running and
 * ending jobs is done here, because the slots are shared with the other queues of the process.
 */
export class JobWorker extends Worker implements AttemptHost, SlotHolder {
  held = 0
  readonly queue: string
  readonly clock: Clock
  readonly logger: LogSink
  readonly lease: number
  readonly grace: number
  readonly leases: Leases
  readonly orphans: Orphans

  #runtime: WorkerRuntime
  #scripts: ClaimScripts
  #source: JobSource
  #settlement: Settlement
  #endings: Endings
  #checkpoints: CheckpointKeeper

  /** What runs now, and what has returned but is not settled yet. */
  #attempts = new Set<Attempt>()

  /** One promise for each slot in use. */
  #chains = new Set<Promise<void>>()

  /** Jobs claimed so far. */
  #claimed = 0

  #tokens = 0
  #reports = 0
  #recovering = false
  #draining = false

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
    this.lease = runtime.lease
    this.grace = runtime.grace
    this.#runtime = runtime
    const { trouble } = runtime
    this.#scripts = new ClaimScripts(this.backend, runtime)
    this.#source = new JobSource(this.backend, this.#scripts, runtime.clock, trouble)
    this.#settlement = new Settlement(this.#scripts, runtime.clock, trouble)
    this.#checkpoints = new CheckpointKeeper(queue, runtime)
    this.leases = new Leases(queue, runtime, this.backend, this.#attempts)
    this.#endings = new Endings(queue, runtime, this.#settlement, this.leases, this)
    this.orphans = new Orphans(queue, runtime, this.#scripts, this.#settlement, this.#attempts)
    this.on('error', (error) => this.#draining || trouble.noticed(error))
    this.on('stalled', (jobId) =>
      runtime.logger.warn(
        { jobId, queue },
        'The worker of a job was lost; the job goes on as its next attempt'
      )
    )
  }

  /** Claims nothing more: the worker stops. */
  get isDraining(): boolean {
    return this.#draining
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
    let told = false
    while (!this.#source.stopped) {
      if (!slots.tryAcquire(this)) {
        if (told) await this.#source.putBack()
        if (!(await slots.acquire(this))) break
        if (told) void this.#source.takeBack()
      }
      told = false
      const token = `${this.#runtime.workerId}:${this.#tokens++}`
      const askedAt = this.clock.now()
      const reply = await this.#source.claim(token)
      if (reply !== undefined) {
        slots.claimed(true)
        this.#start({ ...reply, askedAt }, token)
        continue
      }
      slots.release(this, true)
      if (untilEmpty && this.#runtime.trouble.lasting === undefined) {
        break
      }
      await this.#source.wait()
      told = true
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
   * Hands back every job whose code still runs; what it does from now on is refused, and what runs in a process of its own is killed. Ends
   * that are being written are waited for, and what they have claimed.
   *
   * @param handedBack called for each
   */
  async handBackAll(handedBack: () => void): Promise<void> {
    const seen = new Set<Attempt>()
    for (;;) {
      const found = [...this.#attempts].filter((attempt) => !seen.has(attempt))
      if (found.length === 0) return
      found.forEach((attempt) => seen.add(attempt))
      await Promise.all(found.map((attempt) => this.#handBack(attempt, handedBack)))
      /** A job that an end has claimed becomes an attempt in the turn after. */
      await setImmediate()
    }
  }

  /** Ends waiting for a Redis that does not answer; see Settlement. */
  giveUp(): void {
    this.#settlement.giveUp()
  }

  /** See AttemptHost. */
  report(attempt: Attempt, what: Told & { signalIgnored?: boolean }): Promise<boolean> {
    const { token, attempt: number, id, startedAt } = attempt.claim
    const name = `${startedAt}:${this.#reports++}`
    return this.#runtime.report(this.queue, id, { token, attempt: number, name, ...what })
  }

  /** See AttemptHost. */
  keep(attempt: Attempt, checkpoint: Checkpoint): Promise<CheckpointAnswer> {
    return this.#checkpoints.keep(attempt, checkpoint)
  }

  /** See AttemptHost. */
  holds(attempt: Attempt): true | Promise<boolean> {
    return this.leases.holds(attempt)
  }

  /** See AttemptHost. */
  watch(deadline: number): void {
    this.#runtime.watch(deadline)
  }

  /**
   * See AttemptHost. A job in a process of its own ends with that. Else a cancelled job stays `stopping` until its code returns, and one
   * that ran too long has failed now.
   */
  signalIgnored(attempt: Attempt): void {
    const killed = attempt.process === undefined ? '' : '; its process is killed'
    const line = `The job has not returned within ${this.grace} ms after its signal was aborted (${attempt.aborted?.message})${killed}`
    this.logger.warn({ jobId: attempt.job.id, jobType: attempt.job.type }, line)
    attempt.log('warn', line)
    /** Sent before whatever ends the attempt. */
    this.report(attempt, { signalIgnored: true }).catch((error) => {
      this.#runtime.trouble.noticed(error)
    })
    if (attempt.process !== undefined) {
      void attempt.process.kill()
      return
    }
    const outcome = stoppedOutcome(attempt, false)
    if (outcome?.kind === 'failed') {
      attempt.settledEarly ??= this.#endings.settleEarly(attempt, outcome)
      /** Looked at when the code returns, which may be never. */
      attempt.settledEarly.catch(() => {})
    }
  }

  /**
   * Fails an attempt whose code threw where nobody could catch it. Its slot is held until the code returns, which may be never.
   */
  failUncaught(attempt: Attempt, error: unknown): void {
    if (!this.#attempts.has(attempt) || attempt.settledEarly !== undefined) {
      return
    }
    const outcome = stoppedOutcome(attempt, false) ?? uncaughtFailure(error)
    attempt.settledEarly = this.#endings.settleEarly(attempt, outcome)
    /** Not before: its last progress and log lines belong to it. */
    const abort = () =>
      void attempt.abort(leaseLost('an error of its code that nobody caught has failed it'))
    attempt.settledEarly.then(abort, abort)
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
      while (reply !== null && reply.values !== null) {
        reply = await this.#run(readClaim(reply.values, reply.id, token), reply.askedAt!)
        if (reply !== null) {
          this.#source.note(reply)
        }
      }
    } catch (error) {
      this.logger.error({ err: error, queue: this.queue }, 'The end of a job could not be written')
    } finally {
      this.#runtime.slots.release(this)
    }
  }

  async #run(claim: ClaimedJob, claimedAt: number): Promise<ClaimReply | null> {
    const attempt = new Attempt(claim, this, claimedAt)
    this.#claimed++
    this.#attempts.add(attempt)
    this.leases.began(attempt)
    try {
      const held = this.holds(attempt)
      if (held !== true && !(await held)) {
        return null
      }
      if (claim.schedulerId !== null) {
        void continueScheduler(() => this.jobScheduler, claim, this.queue, this.logger)
      }
      const outcome =
        outcomeWithoutRunning(claim, this.#runtime.maxLosses) ??
        (this.#draining ? { kind: 'handed back' } : undefined) ??
        (claim.schedule && (await outcomeBySchedule(this.#runtime, this.queue, claim))) ??
        (await this.#perform(attempt))
      if (attempt.settledEarly !== undefined) {
        await attempt.settledEarly
        return null
      }
      const closing = attempt.close()
      if (closing !== undefined) {
        await closing
      }
      const askedAt = this.clock.now()
      const next = await (attempt.settledEarly ?? this.#endings.settle(attempt, outcome))
      return next && { ...next, askedAt }
    } finally {
      this.#runtime.isolation.release(attempt)
      this.#attempts.delete(attempt)
    }
  }

  async #handBack(attempt: Attempt, handedBack: () => void): Promise<void> {
    if (attempt.ending === undefined) {
      attempt.settledEarly ??= this.#endings.stopEarly(attempt).then((isHandedBack) => {
        if (isHandedBack) handedBack()
        return null
      })
    }
    /** A `failed` hook may run there still, when its job has been settled. */
    await Promise.all([attempt.ending ?? attempt.settledEarly, attempt.process?.kill()])
  }

  async #perform(attempt: Attempt): Promise<Outcome> {
    try {
      await this.#checkpoints.lend(attempt)
    } catch (error) {
      const stopped = stoppedOutcome(attempt, false)
      return (
        stopped ?? {
          kind: 'failed',
          failure: describeThrown(error),
          final: false,
          error: undefined,
        }
      )
    }
    const outcome = await this.#runtime.execution.perform(attempt)
    return this.#draining && diedWithProcess(outcome) ? { kind: 'handed back' } : outcome
  }
}
