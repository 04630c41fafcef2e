import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { systemClock } from '../time/long_timer.ts'
import { recordId } from '../records/ids.ts'
import type { ControlMessage } from '../transport/control_channel.ts'
import { limitsAnything } from '../transport/limit_scope.ts'
import type { Attempt } from './attempt.ts'
import { Deadlines } from '../time/deadlines.ts'
import { Execution } from './execution.ts'
import { Heartbeat } from './heartbeat.ts'
import { Isolation } from './isolation/isolation.ts'
import { JobWorker } from './job_worker.ts'
import { LimitKeeper } from './limit_keeper.ts'
import { LostAnswers } from './lost_answers.ts'
import { QueueWatch } from './queue_watch.ts'
import { RedisTrouble } from './redis_trouble.ts'
import type { WorkerRuntime } from './runtime.ts'
import { SendWindow } from './send_window.ts'
import { Slots } from './slots.ts'
import { Standing } from './standing.ts'
import { LAST_MOMENT, Stop } from './stop.ts'
import { SystemUsage } from './system_usage.ts'
import { first, pause } from './waiting.ts'
import type { WorkerDependencies, WorkerEnding, WorkerSettings } from './worker_settings.ts'

export type { WorkerDependencies, WorkerEnding, WorkerSettings } from './worker_settings.ts'

/**
 * A connection that has not answered for this long is dead, whatever the network says, ms.
 */
const SILENCE = 45_000

/**
 * One worker process: several queues with one concurrency.
 */
export class WorkerPool {
  readonly id = `${hostname()}:${process.pid}:${randomBytes(4).toString('hex')}`

  /** Resolves when the worker has ended and its connections are closed. */
  readonly ended: Promise<WorkerEnding>

  #runtime: WorkerRuntime
  #slots: Slots
  #standing: Standing
  #deadlines: Deadlines
  #heartbeat: Heartbeat
  #usage: SystemUsage
  #limits: LimitKeeper
  #lostAnswers: LostAnswers
  #queues: QueueWatch
  #workers = new Map<string, JobWorker>()
  #timers: NodeJS.Timeout[] = []
  /** Resolves with what ends it. */
  #listening: Promise<() => void> | undefined

  #resolveEnded!: (ending: WorkerEnding) => void
  #ending: Promise<void> | undefined
  #reason: WorkerEnding['reason'] = 'stopped'
  #stop: Stop

  constructor(
    private dependencies: WorkerDependencies,
    private settings: WorkerSettings = {}
  ) {
    const {
      config,
      transport,
      registry,
      container,
      logger,
      version,
      clock = systemClock,
    } = dependencies
    const concurrency = settings.concurrency ?? config.worker.concurrency
    const trouble = new RedisTrouble(logger)
    this.ended = new Promise((resolve) => (this.#resolveEnded = resolve))
    this.#slots = new Slots(concurrency)
    this.#standing = new Standing(
      this.#slots,
      logger,
      () => this.drain(),
      () => void this.#heartbeat.changed()
    )
    this.#deadlines = new Deadlines(() => this.#attempts(), clock)
    this.#queues = new QueueWatch(config, transport, registry, settings.queues)
    this.#stop = new Stop(clock)
    const isolation = new Isolation(dependencies.isolation, clock, logger)
    this.#usage = new SystemUsage(() => isolation.pids)
    this.#runtime = {
      workerId: this.id,
      connection: transport.connections.worker,
      prefix: config.prefix,
      backendFactory: transport.backendFactory,
      slots: this.#slots,
      sendWindow: new SendWindow(clock),
      execution: new Execution(registry, container, logger, config.worker.timeout, isolation),
      isolation,
      clock,
      logger,
      trouble,
      grace: settings.grace ?? config.worker.grace,
      lease: config.worker.lease,
      maxLosses: config.worker.maxLosses,
      limited: limitsAnything(config.limits),
      watch: (deadline) => this.#deadlines.watch(deadline),
      cancelRequest: (queue, jobId) => transport.cancelRequest(queue, jobId),
      startScheduled: (queue, jobId, mark) =>
        transport.scheduled.start(queue, jobId, mark, transport.connections.worker),
      report: (queue, jobId, what) => transport.report(queue, jobId, what),
      checkpoints: transport.checkpoints,
    }
    this.#limits = new LimitKeeper(this.id, config, transport, trouble)
    const workers = () => this.#workers.values()
    this.#lostAnswers = new LostAnswers(transport.connections.worker, workers, trouble)
    this.#heartbeat = new Heartbeat(
      this.id,
      version,
      transport.workers,
      () => this.#facts(concurrency),
      (wish) => this.#standing.obey(wish),
      this.#usage,
      trouble,
      logger
    )
  }

  get queues(): string[] {
    return [...this.#workers.keys()].sort()
  }

  get running(): number {
    return [...this.#attempts()].length
  }

  /**
   * Starts working. Resolves once the queues are worked; while Redis is away that is when it comes back.
   */
  async start(): Promise<void> {
    const { registry, transport } = this.dependencies
    await registry.load()
    const { maxJobs } = this.settings
    if (maxJobs !== undefined) {
      this.#slots.limitClaims(maxJobs, () => this.#end('max jobs'))
    }
    /** Neither is waited for: while Redis is away, the worker must still answer signals. */
    this.#listening = transport.control.subscribe(
      (message) => this.#control(message),
      () => this.#lookForMissed()
    )
    void this.#listening.then(
      () => this.#lookForMissed(),
      (error) => this.#runtime.trouble.noticed(error)
    )
    void this.#heartbeat.start()
    this.#every(Math.max(100, this.#runtime.lease / 8), () => this.#renewLeases())
    this.#every(1_000, () => this.#watchProcess())

    /** Before the first claim. */
    await Promise.race([this.#limits.start(), this.ended])

    if (this.settings.once) {
      void this.#workOff()
      return
    }
    this.#queues.start((names) => this.#addQueues(names), this.#runtime.trouble)
    await Promise.race([this.#queues.known, this.ended])
  }

  /**
   * Stops: nothing is claimed any more; running jobs may finish within the grace period, then their signals are aborted and
   * they are handed back.
   */
  drain(): void {
    this.#end('stopped')
    this.#stop.within(this.#runtime.grace)
  }

  /**
   * Stops at once: running jobs are aborted and handed back.
   */
  abort(): void {
    this.#end('stopped')
    this.#stop.atOnce()
  }

  /**
   * An error that nobody caught: fails the attempt whose code it was, and stops as `drain` does. What is left of this process is not to be
   * trusted with more jobs.
   */
  uncaught(error: unknown, attempt: Attempt | undefined): void {
    if (attempt !== undefined) this.#workers.get(attempt.job.queue)?.failUncaught(attempt, error)
    this.#end('uncaught error')
    this.#stop.within(this.#runtime.grace)
  }

  *#attempts() {
    for (const worker of this.#workers.values()) {
      yield* worker.attempts
    }
  }

  #facts(concurrency: number) {
    return {
      queues: this.queues,
      concurrency,
      state: this.#standing.state,
      running: [...this.#attempts()].map(({ job, claim, signalIgnored }) => ({
        id: recordId(job.queue, job.id),
        queue: job.queue,
        type: job.type,
        startedAt: claim.startedAt,
        ...(signalIgnored ? { signalIgnored } : undefined),
      })),
    }
  }

  #addQueues(names: string[]): JobWorker[] {
    const added = names
      .filter((name) => !this.#workers.has(name) && this.#ending === undefined)
      .map((name) => {
        const worker = new JobWorker(name, this.#runtime)
        this.#workers.set(name, worker)
        return worker
      })
    if (!this.settings.once) {
      for (const worker of added) {
        void this.#work(worker)
      }
    }
    if (added.length > 0) void this.#heartbeat.changed()
    return added
  }

  async #work(worker: JobWorker): Promise<void> {
    try {
      await worker.work()
    } catch (error) {
      this.dependencies.logger.error(
        { err: error, queue: worker.queue },
        'A queue is no longer worked'
      )
      this.#end('stopped')
    }
  }

  /**
   * Works until every queue is empty and nothing runs: what runs may dispatch further jobs, and queues that were not there.
   */
  async #workOff(): Promise<void> {
    let claimed: number
    let handedBack: number
    do {
      claimed = this.#claimed
      this.#addQueues(await this.#queues.names())
      const workers = [...this.#workers.values()]
      await Promise.all(workers.map((worker) => worker.work(true)))
      await Promise.all(workers.map((worker) => worker.idle()))
      handedBack = await this.#lostAnswers.look()
    } while (this.#claimed + handedBack > claimed && this.#ending === undefined)
    this.#end('worked off')
  }

  get #claimed(): number {
    return [...this.#workers.values()].reduce((sum, worker) => sum + worker.claimed, 0)
  }

  #control(message: ControlMessage): void {
    if (message.kind === 'cancel') {
      this.#workers
        .get(message.queue)
        ?.leases.cancelRequested(message.jobId)
        .catch((error) => this.#runtime.trouble.noticed(error))
    } else if (message.worker === this.id) {
      this.#standing.obey(message.kind)
    }
  }

  /** What was asked while this worker did not listen: to cancel jobs, or, which a report tells, to do something itself. */
  #lookForMissed(): void {
    void this.#heartbeat.changed()
    for (const { leases } of this.#workers.values()) {
      leases.checkAll().catch((error) => this.#runtime.trouble.noticed(error))
    }
  }

  async #renewLeases(): Promise<void> {
    await Promise.all([...this.#workers.values()].map((worker) => worker.leases.renew()))
  }

  #watchProcess(): void {
    const { maxMemory } = this.settings
    if (maxMemory !== undefined && this.#usage.memory() > maxMemory) {
      this.#end('max memory')
    }
    if (this.#heartbeat.unanswered > SILENCE) {
      /** A peer that vanished without a word is noticed by TCP only after minutes; what was sent is sent again. */
      this.dependencies.transport.connections.worker.disconnect(true)
    }
    void this.#lostAnswers.look()
  }

  #every(milliseconds: number, work: () => void | Promise<void>): void {
    this.#timers.push(setInterval(work, milliseconds))
  }

  #end(reason: WorkerEnding['reason']): void {
    if (this.#ending === undefined) {
      this.#reason = reason
      this.#ending = this.#finish()
    }
  }

  async #finish(): Promise<void> {
    this.#standing.stopping()
    this.#queues.stop()
    this.#slots.close()
    this.#runtime.sendWindow.open()
    const workers = [...this.#workers.values()]
    void this.#heartbeat.changed()
    const { clean, handedBack } = await this.#stop.end(workers)
    await this.#close(workers)
    this.#resolveEnded({ reason: this.#reason, handedBack, clean, jobs: this.#claimed })
  }

  async #close(workers: JobWorker[]): Promise<void> {
    this.#timers.forEach((timer) => clearInterval(timer))
    this.#deadlines.stop()
    /** Perhaps later: a Redis that has been away since the start may take the subscription after this worker has ended. */
    void this.#listening?.then(
      (unsubscribe) => unsubscribe(),
      () => {}
    )
    const { isolation } = this.#runtime
    const told = Promise.all([
      this.#limits.stop(),
      this.#lostAnswers.stop(),
      this.#heartbeat.stop(),
    ])
    await Promise.all([isolation.close(), first(told, pause(LAST_MOMENT))])
    await first(Promise.allSettled(workers.map((worker) => worker.close(true))), pause(LAST_MOMENT))
  }
}
