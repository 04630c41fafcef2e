import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import type { ContainerResolver } from '@adonisjs/core/container'
import type { LogSink } from '../jobs/job_context.ts'
import { after, type Clock, systemClock } from '../time/long_timer.ts'
import type { JobRegistry } from '../jobs/registry.ts'
import { recordId } from '../records/ids.ts'
import type { ControlMessage } from '../transport/control_channel.ts'
import { limitsAnything } from '../transport/limit_scope.ts'
import type { Transport } from '../transport/transport.ts'
import type { ResolvedConfig } from '../types.ts'
import { Deadlines } from '../time/deadlines.ts'
import { Execution } from './execution.ts'
import { Heartbeat } from './heartbeat.ts'
import { JobWorker } from './job_worker.ts'
import { LimitKeeper } from './limit_keeper.ts'
import { QueueWatch } from './queue_watch.ts'
import { RedisTrouble } from './redis_trouble.ts'
import type { WorkerRuntime } from './runtime.ts'
import { Slots } from './slots.ts'
import { Standing } from './standing.ts'
import { SystemUsage } from './system_usage.ts'
import { deferred, first, pause } from './waiting.ts'

/**
 * How long aborted code gets to return before its job is handed back, ms. Its grace period is over then.
 */
const LAST_MOMENT = 1_000

/**
 * How long Redis may take to accept what is handed back, ms.
 */
const HAND_BACK_WITHIN = 5_000

/**
 * A connection that has not answered for this long is dead, whatever the network says, ms.
 */
const SILENCE = 45_000

/**
 * What a worker process is given.
 */
export type WorkerDependencies = {
  config: ResolvedConfig
  transport: Transport
  registry: JobRegistry
  container: Pick<ContainerResolver<any>, 'make'>
  logger: LogSink
  /** Version of the application or package, as the list of workers shows it. */
  version: string
  clock?: Clock
}

/**
 * How it is to work. Durations in milliseconds.
 */
export type WorkerSettings = {
  /** Only these; without them all that are known, new ones as they appear. */
  queues?: string[]
  concurrency?: number
  grace?: number
  /** Ends when there is no job left that could run now. */
  once?: boolean
  /** Ends after this many jobs. */
  maxJobs?: number
  /** Ends when the process has more bytes resident than this. */
  maxMemory?: number
}

/**
 * Why a worker ended, and whether everything that ran is accounted for in Redis.
 */
export type WorkerEnding = {
  reason: 'stopped' | 'worked off' | 'max jobs' | 'max memory'
  /** Jobs that were handed back because their grace period was over. */
  handedBack: number
  /** False when Redis did not take the end of some job in time: its lease runs out, and it runs again. */
  clean: boolean
  /** Jobs started since the start. */
  jobs: number
}

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
  #limits: LimitKeeper
  #queues: QueueWatch
  #workers = new Map<string, JobWorker>()
  #timers: NodeJS.Timeout[] = []
  #unsubscribe: (() => void) | undefined

  #resolveEnded!: (ending: WorkerEnding) => void
  #ending: Promise<void> | undefined
  #reason: WorkerEnding['reason'] = 'stopped'
  #handedBack = 0

  /** Resolved when running jobs are not waited for any longer. */
  #patienceOver = deferred()
  /** Resolved when they are not even given a last moment. */
  #hurry = deferred()
  #stopGrace: (() => void) | undefined

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
    this.#runtime = {
      workerId: this.id,
      connection: transport.connections.worker,
      prefix: config.prefix,
      backendFactory: transport.backendFactory,
      slots: this.#slots,
      execution: new Execution(registry, container, logger, config.worker.timeout),
      clock,
      logger,
      trouble,
      grace: settings.grace ?? config.worker.grace,
      lease: config.worker.lease,
      maxLosses: config.worker.maxLosses,
      limited: limitsAnything(config.limits),
      watch: (deadline) => this.#deadlines.watch(deadline),
      cancelRequest: (queue, jobId) => transport.cancelRequest(queue, jobId),
      report: (queue, jobId, what) => transport.report(queue, jobId, what),
    }
    this.#limits = new LimitKeeper(this.id, config, transport, trouble)
    this.#heartbeat = new Heartbeat(
      this.id,
      version,
      transport.workers,
      () => this.#facts(concurrency),
      (wish) => this.#standing.obey(wish),
      new SystemUsage(),
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
    void transport.control
      .subscribe((message) => this.#control(message))
      .then(
        (unsubscribe) => (this.#unsubscribe = unsubscribe),
        (error) => this.#runtime.trouble.noticed(error)
      )
    void this.#heartbeat.start()
    this.#every(Math.max(100, this.#runtime.lease / 4), () => this.#renewLeases())
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
    this.#stopGrace ??= after(
      this.#runtime.grace,
      () => this.#patienceOver.resolve(),
      this.#runtime.clock
    )
  }

  /**
   * Stops at once: running jobs are aborted and handed back.
   */
  abort(): void {
    this.#end('stopped')
    this.#hurry.resolve()
    this.#patienceOver.resolve()
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
      running: [...this.#attempts()].map(({ job, claim }) => ({
        id: recordId(job.queue, job.id),
        queue: job.queue,
        type: job.type,
        startedAt: claim.startedAt,
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
    do {
      claimed = this.#claimed
      this.#addQueues(await this.#queues.names())
      const workers = [...this.#workers.values()]
      await Promise.all(workers.map((worker) => worker.work(true)))
      await Promise.all(workers.map((worker) => worker.idle()))
    } while (this.#claimed > claimed && this.#ending === undefined)
    this.#end('worked off')
  }

  get #claimed(): number {
    return [...this.#workers.values()].reduce((sum, worker) => sum + worker.claimed, 0)
  }

  #control(message: ControlMessage): void {
    if (message.kind === 'cancel') {
      this.#workers
        .get(message.queue)
        ?.cancelRequested(message.jobId)
        .catch((error) => this.#runtime.trouble.noticed(error))
    } else if (message.worker === this.id) {
      this.#standing.obey(message.kind)
    }
  }

  async #renewLeases(): Promise<void> {
    await Promise.all([...this.#workers.values()].map((worker) => worker.renewLeases()))
  }

  #watchProcess(): void {
    const { maxMemory } = this.settings
    if (maxMemory !== undefined && process.memoryUsage.rss() > maxMemory) {
      this.#end('max memory')
    }
    if (this.#heartbeat.unanswered > SILENCE) {
      /** A peer that vanished without a word is noticed by TCP only after minutes; what was sent is sent again. */
      this.dependencies.transport.connections.worker.disconnect(true)
    }
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
    const workers = [...this.#workers.values()]
    void this.#heartbeat.changed()
    /** A Redis that is away cannot be told, and one that says nothing would be waited for for ever. */
    const stopped = Promise.allSettled(workers.map((worker) => worker.stopClaiming()))
    await first(stopped, pause(LAST_MOMENT))

    const idle = Promise.all(workers.map((worker) => worker.idle()))
    let clean = await first(idle, this.#patienceOver.promise)
    if (!clean) {
      workers.forEach((worker) => worker.abortAll())
      clean = await first(idle, pause(LAST_MOMENT), this.#hurry.promise)
    }
    if (!clean) {
      clean = await this.#handBack(workers)
    }
    this.#stopGrace?.()
    await this.#close(workers)
    this.#resolveEnded({
      reason: this.#reason,
      handedBack: this.#handedBack,
      clean,
      jobs: this.#claimed,
    })
  }

  async #handBack(workers: JobWorker[]): Promise<boolean> {
    this.#handedBack = this.running
    const handedBack = Promise.all(workers.map((worker) => worker.handBackAll())).then(
      () => true,
      () => false
    )
    const late = pause(HAND_BACK_WITHIN).then(() => false)
    const clean = await Promise.race([handedBack, late])
    workers.forEach((worker) => worker.giveUp())
    return clean
  }

  async #close(workers: JobWorker[]): Promise<void> {
    this.#timers.forEach((timer) => clearInterval(timer))
    this.#deadlines.stop()
    this.#unsubscribe?.()
    await first(Promise.all([this.#limits.stop(), this.#heartbeat.stop()]), pause(LAST_MOMENT))
    await first(Promise.allSettled(workers.map((worker) => worker.close(true))), pause(LAST_MOMENT))
  }
}
