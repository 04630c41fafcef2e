import type { QueueManager } from '../jobs/queue_manager.ts'
import type { ScheduleBuilder } from '../jobs/schedule_builder.ts'
import type { Records } from '../records/records.ts'
import type { Schedule } from '../schedule_types.ts'
import { wait } from '../time/wait.ts'
import { type Lead, LedService } from '../transport/led_service.ts'
import type { Transport } from '../transport/transport.ts'
import { assertSchedules } from './code_schedules.ts'
import { Planner } from './planner.ts'

export type ScheduleServiceOptions = {
  transport: Transport
  records: Pick<Records, 'schedules' | 'reader' | 'ready'>
  queue: QueueManager
  logger: {
    debug(bindings: object, message: string): void
    warn(bindings: object, message: string): void
  }
  /** For tests: length of the lease, pause between two ticks, ms. */
  lease?: number
  tick?: number
  /** For tests: how long after its last sign a schedule of code counts as not defined any more, ms. */
  forgotten?: number
}

/** Shorter than what counts as missed: a leader that is killed is replaced before a run is. */
const LEASE = 5_000
const TICK = 1_000
const AFTER_FAILURE = 3_000

/** How often every process says which schedules its code defines, ms. */
const SIGNS = 60_000

/** How often it looks whether its code has defined further ones, ms. */
const LOOK_FOR_NEW = 1_000

/** A schedule of code that no process has defined for so long is stopped, ms. */
const FORGOTTEN = 300_000

/** Schedules that one tick looks after in Redis: somebody may have removed their jobs there. */
const SWEEP = 100

/**
 * Keeps the next run of every schedule, in one of all processes that run this service; and says, in each of them, which schedules the
 * application's code defines.
 */
export class ScheduleService extends LedService {
  #options: ScheduleServiceOptions
  #planner: Planner
  #asserting: Promise<void> | undefined
  #isReady = false
  #wasAway = false
  #sweptTo = 0
  #lookedAt = 0

  constructor(options: ScheduleServiceOptions) {
    const { transport, logger, lease = LEASE, tick = TICK } = options
    super({
      ...{ transport, logger, name: 'schedules', lease, every: tick },
      afterFailure: AFTER_FAILURE,
    })
    this.#options = options
    this.#planner = new Planner(options)
  }

  override start(): void {
    super.start()
    if (!this.signal.aborted) this.#asserting ??= this.#assert()
  }

  protected override async beside(): Promise<void> {
    await this.#asserting
  }

  protected async turn({ redis, signal }: Lead): Promise<void> {
    const { transport, records, queue, logger } = this.#options
    const { now, awaySince } = await transport.scheduled.alive(redis)
    /** It tells so once, and what follows may fail. */
    this.#wasAway ||= awaySince !== null
    await transport.scheduled.wake(redis)
    /** What their types say of the jobs is read from the classes, which nobody has asked for yet where nothing is dispatched or worked. */
    await queue.registry.load().catch((err) => {
      logger.warn({ err }, 'Schedules: none is planned while the job classes cannot be read')
      throw err
    })
    if (!this.#isReady) await records.ready()
    this.#isReady = true
    const goOn = () => this.isLeader && !signal.aborted
    /** Redis may be another one than before: emptied, or brought back from an older dump. */
    if (this.#wasAway) {
      await this.#sweepAll(now, goOn)
      this.#wasAway = !goOn()
    }
    await this.#planner.planDue(now, goOn)
    const page = await records.schedules.ahead(this.#sweptTo, SWEEP)
    await this.#planner.ensure(page, now)
    this.#sweptTo = page.length < SWEEP ? 0 : page[page.length - 1].seq
    if (now - this.#lookedAt >= SIGNS) {
      this.#lookedAt = now
      await records.schedules.withdraw(now - (this.#options.forgotten ?? FORGOTTEN))
    }
  }

  async #sweepAll(now: number, goOn: () => boolean): Promise<void> {
    const { schedules } = this.#options.records
    const all = new Map<number, Schedule>()
    for (let after = 0; goOn();) {
      const page = await schedules.ahead(after, 10 * SWEEP)
      if (page.length === 0) break
      await this.#planner.ensure(page, now)
      page.forEach((schedule) => all.set(schedule.seq, schedule))
      after = page[page.length - 1].seq
    }
    await this.#planner.ensureWaiting(all.values(), now, goOn)
    if (goOn()) await this.#planner.ensurePassed(all, now)
  }

  /** Beside all leading: every process has its own code, which may define schedules later than at its start. */
  async #assert(): Promise<void> {
    const { queue, records, transport, logger } = this.#options
    const asserted = new Set<ScheduleBuilder>()
    let signedAt = -Infinity
    while (!this.signal.aborted) {
      try {
        const isNew = [...queue.schedules.values()].some((builder) => !asserted.has(builder))
        const isDue = performance.now() - signedAt >= SIGNS
        if (queue.schedules.size > 0 && (isNew || isDue)) {
          const builders = [...queue.schedules.values()]
          await records.ready()
          const now = await transport.time(this.redis)
          if (isNew) {
            await assertSchedules(this.#options, now, (schedule, err) =>
              logger.warn({ err, schedule }, 'Schedules: one of the code cannot be as it is')
            )
          }
          await records.schedules.seen([...queue.schedules.keys()], now)
          builders.forEach((builder) => asserted.add(builder))
          /** One that was stopped because nobody defined it goes on at once. */
          if (isNew) this.#lookedAt = 0
          signedAt = performance.now()
        }
        await wait(LOOK_FOR_NEW, this.signal)
      } catch (error) {
        if (this.signal.aborted) return
        logger.warn({ err: error }, 'Schedules: those of the code could not be written yet')
        await wait(AFTER_FAILURE, this.signal)
      }
    }
  }
}
