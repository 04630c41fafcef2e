import { hostname } from 'node:os'
import type { LogSink } from '../jobs/job_context.ts'
import type { WorkerWish } from '../transport/types.ts'
import type { WorkerReport } from '../transport/worker_report.ts'
import { HEARTBEAT } from '../transport/worker_times.ts'
import type { WorkerView } from '../types.ts'
import type { RedisTrouble } from './redis_trouble.ts'
import type { SystemUsage } from './system_usage.ts'

/**
 * What only the pool knows about its worker.
 */
export type WorkerFacts = Pick<WorkerView, 'queues' | 'concurrency' | 'running' | 'state'>

type Registry = {
  report(id: string, report: WorkerReport): Promise<{ wish: WorkerWish | null }>
  remove(id: string): Promise<void>
}

/**
 * Reports a worker process: at once at the start, every 10 s, and whenever asked.
 */
export class Heartbeat {
  #timer: NodeJS.Timeout | undefined
  #startedAt = Date.now()
  #reporting: Promise<void> | undefined
  #since = 0
  #stopped = false

  /**
   * @param obey hears with each report what the worker was last asked to do
   */
  constructor(
    readonly workerId: string,
    private version: string,
    private registry: Registry,
    private facts: () => WorkerFacts,
    private obey: (wish: WorkerWish) => void,
    private usage: SystemUsage,
    private trouble: RedisTrouble,
    private logger: LogSink
  ) {}

  /**
   * Starts reporting. Resolves when the first report was sent or could not be.
   */
  start(): Promise<void> {
    this.#timer = setInterval(() => void this.beat(), HEARTBEAT)
    return this.beat()
  }

  /**
   * Reports now. A report that is under way when Redis does not answer is not joined by a second one.
   */
  beat(): Promise<void> {
    if (this.#reporting === undefined) {
      this.#since = performance.now()
      this.#reporting = this.#report().finally(() => (this.#reporting = undefined))
    }
    return this.#reporting
  }

  /**
   * Reports what has just changed: a report under way may be older than it. A worker that was taken off the list stays off.
   */
  async changed(): Promise<void> {
    await this.#reporting
    if (!this.#stopped) await this.beat()
  }

  /** How long the report under way has been without an answer, ms; 0 when none is. */
  get unanswered(): number {
    return this.#reporting === undefined ? 0 : performance.now() - this.#since
  }

  /**
   * Takes the worker off the list.
   */
  async stop(): Promise<void> {
    this.#stopped = true
    clearInterval(this.#timer)
    this.usage.stop()
    try {
      await this.#reporting
      await this.registry.remove(this.workerId)
    } catch (error) {
      this.logger.warn(
        { err: error },
        'The worker could not be taken off the list; it goes by itself after some minutes'
      )
    }
  }

  async #report(): Promise<void> {
    try {
      const report: WorkerReport = {
        id: this.workerId,
        host: hostname(),
        pid: process.pid,
        version: this.version,
        startedAt: this.#startedAt,
        clock: Date.now(),
        ...this.facts(),
        ...this.usage.take(),
      }
      const { wish } = await this.registry.report(this.workerId, report)
      this.trouble.over()
      if (wish !== null) {
        this.obey(wish)
      }
    } catch (error) {
      this.trouble.noticed(error)
    }
  }
}
