import { timingOf } from '../schedules/timings.ts'
import { nextMoments } from '../cron/timing.ts'
import { E_REDIS_UNAVAILABLE, E_SCHEDULE_NOT_FOUND, InvalidInputException } from '../errors.ts'
import type { QueueManager } from '../jobs/queue_manager.ts'
import { defineSchedule, type ScheduleInput } from '../jobs/schedule_definition.ts'
import { uuidV7 } from '../jobs/uuid.ts'
import { isUuid } from '../records/ids.ts'
import type { Records } from '../records/records.ts'
import type { Schedule, ScheduleDefinition } from '../schedule_types.ts'
import { Planner } from '../schedules/planner.ts'
import type { AuditAction } from '../transport/audit_trail.ts'
import type { Transport } from '../transport/transport.ts'
import type { Actor } from '../types.ts'
import type { JobTarget } from './create_job.ts'
import { tellPages } from './queue_answer.ts'

export type ScheduleDependencies = {
  transport: Transport
  records: Pick<Records, 'schedules' | 'reader'>
  queue: QueueManager
}

/**
 * What an operation on a schedule answers. `refused` says why nothing was done.
 */
export type ScheduleAnswer = {
  outcome: 'done' | 'refused'
  reason: string | null
  schedule: Schedule
  /** The run that somebody asked for. */
  jobId?: string
}

const FROM_CODE =
  'It is defined in the code, which would win at the next start: change it there. It can be paused here'

/**
 * Making, changing, pausing and deleting schedules, and running them now. Each is in the audit.
 */
export class ScheduleOperations {
  #planner: Planner

  constructor(private dependencies: ScheduleDependencies) {
    this.#planner = new Planner(dependencies)
  }

  /** @throws E_SCHEDULE_NOT_FOUND, E_DATABASE_UNAVAILABLE */
  async find(id: string): Promise<Schedule> {
    const found = isUuid(id) ? await this.dependencies.records.schedules.find(id) : null
    if (found === null) throw new E_SCHEDULE_NOT_FOUND([id.slice(0, 100)])
    return found
  }

  /** By its name, or else by its id: for commands. */
  async named(name: string): Promise<Schedule> {
    return (await this.dependencies.records.schedules.named(name)) ?? this.find(name)
  }

  /**
   * @param authorise  asked before anything is written, with where its jobs would go, and for whom
   * @throws what `defineSchedule` throws; InvalidInputException when the name is taken
   */
  async create(
    input: ScheduleInput,
    actor: Actor,
    authorise: (target: JobTarget) => Promise<void> = async () => {}
  ): Promise<ScheduleAnswer> {
    const { records, transport, queue } = this.dependencies
    const definition = await defineSchedule(queue, input)
    await authorise(targetOf(definition))
    const id = uuidV7()
    return this.#act('create_schedule', { id, ...definition }, actor, async () => {
      const now = await transport.time()
      const base = { id, origin: 'page', createdAt: now, createdBy: nameOf(actor) } as const
      if (!(await records.schedules.insert({ ...definition, ...base }))) throw taken(definition)
      return this.#planned(id, now)
    })
  }

  /**
   * @throws what `defineSchedule` throws
   */
  async change(
    schedule: Schedule,
    input: ScheduleInput,
    actor: Actor,
    authorise: (target: JobTarget) => Promise<void> = async () => {}
  ): Promise<ScheduleAnswer> {
    const { records, transport, queue } = this.dependencies
    if (schedule.origin === 'code') return { outcome: 'refused', reason: FROM_CODE, schedule }
    const definition = await defineSchedule(queue, { ...input, name: schedule.name })
    await authorise(targetOf(definition))
    return this.#act('change_schedule', { ...schedule, ...definition }, actor, async () => {
      const now = await transport.time()
      const by = { at: now, name: nameOf(actor) }
      return (await records.schedules.change(schedule, { definition }, by))
        ? this.#planned(schedule.id, now)
        : refusedAsChanged(schedule)
    })
  }

  async pause(schedule: Schedule, actor: Actor): Promise<ScheduleAnswer> {
    return this.#setPaused(schedule, actor, true)
  }

  async resume(schedule: Schedule, actor: Actor): Promise<ScheduleAnswer> {
    return this.#setPaused(schedule, actor, false)
  }

  /** Makes a job now, whatever the policies say. */
  async run(schedule: Schedule, actor: Actor): Promise<ScheduleAnswer> {
    const { records, transport, queue } = this.dependencies
    return this.#act('run_schedule', schedule, actor, async () => {
      await queue.registry.load()
      const now = await transport.time()
      const jobId = uuidV7()
      const job = queue.scheduledJob(schedule, { jobId, due: now, now, manual: true })
      const by = actor.name ?? actor.id
      await transport.add([{ ...job, opts: { ...job.opts, qd: { ...job.opts.qd, by } } }])
      const { seq, generation, plannedAt } = schedule
      const run = { seq, generation, due: now, jobId, kind: 'manual', madeAt: now } as const
      await records.schedules.noteRun(run)
      return {
        ...({ outcome: 'done', reason: null, jobId } as const),
        schedule: { ...schedule, plannedAt },
      }
    })
  }

  async delete(schedule: Schedule, actor: Actor): Promise<ScheduleAnswer> {
    const { records, transport } = this.dependencies
    if (schedule.origin === 'code' && !schedule.withdrawn) {
      const reason = 'It is defined in the code, which would make it again: remove it there'
      return { outcome: 'refused', reason, schedule }
    }
    return this.#act('delete_schedule', schedule, actor, async () => {
      const now = await transport.time()
      const by = { at: now, name: nameOf(actor) }
      const isStopped =
        schedule.paused || (await records.schedules.change(schedule, { paused: true }, by))
      if (!isStopped) return refusedAsChanged(schedule)
      /** Its next run has to be taken back: nobody would know of it afterwards. */
      await this.#plan(schedule.id, now)
      const stopped = await this.find(schedule.id)
      await records.schedules.erase(schedule.seq)
      await transport.scheduled.forget(schedule.id, nameOf(actor))
      return { outcome: 'done', reason: null, schedule: stopped }
    })
  }

  async #setPaused(schedule: Schedule, actor: Actor, paused: boolean): Promise<ScheduleAnswer> {
    const { records, transport } = this.dependencies
    if (schedule.paused === paused) {
      const reason = paused ? 'It is paused already' : 'It is not paused'
      return { outcome: 'refused', reason, schedule }
    }
    const action = paused ? 'pause_schedule' : 'resume_schedule'
    return this.#act(action, schedule, actor, async () => {
      const now = await transport.time()
      const by = { at: now, name: nameOf(actor) }
      return (await records.schedules.change(schedule, { paused }, by))
        ? this.#planned(schedule.id, now)
        : refusedAsChanged(schedule)
    })
  }

  /**
   * Plans at once: nobody should have to wait for the leader's next tick. What was written stays done where Redis takes no jobs: the leader
   * plans it as soon as Redis does.
   */
  async #planned(id: string, now: number): Promise<ScheduleAnswer> {
    await this.#plan(id, now).catch(unlessRedisAway)
    return { outcome: 'done', reason: null, schedule: await this.find(id) }
  }

  async #plan(id: string, now: number): Promise<void> {
    const { records, queue } = this.dependencies
    await queue.registry.load()
    const changed = await records.schedules.find(id)
    if (changed !== null && changed.plannedAt === 0) await this.#planner.plan([changed], now)
  }

  async #act(
    action: AuditAction,
    schedule: ScheduleDefinition & { id: string },
    actor: Actor,
    work: () => Promise<ScheduleAnswer>
  ): Promise<ScheduleAnswer> {
    const { transport } = this.dependencies
    const { id, name, type, queue, cron, zone, every, overlap, missed } = schedule
    const when = cron === null ? { every } : { cron, zone }
    const answer = await transport.trail.act(
      {
        ...{ actor, action, target: { kind: 'schedule', id } as const },
        detail: { name, type, queue, ...when, overlap, missed },
      },
      work,
      ({ jobId }) => (jobId === undefined ? {} : { detail: { job: jobId } })
    )
    await tellPages(transport).catch(() => {})
    return answer
  }
}

/** Where the jobs of a schedule go, and for whom: who may not act on those may not on it. */
export function targetOf({ queue, options }: ScheduleDefinition): JobTarget {
  return { queue, user: options.user ?? null }
}

/** The next moments of a schedule that is not stopped. */
export function nextRuns(schedule: Schedule, now: number, count: number): number[] {
  if (schedule.paused || schedule.withdrawn) return []
  return nextMoments(timingOf(schedule), now, count)
}

function taken({ name }: ScheduleDefinition): InvalidInputException {
  return new InvalidInputException(`A schedule named "${name}" exists already`, 'name', {
    status: 409,
  })
}

function refusedAsChanged(schedule: Schedule): ScheduleAnswer {
  const reason = 'Somebody else changed it meanwhile: look at it again'
  return { outcome: 'refused', reason, schedule }
}

function unlessRedisAway(error: unknown): void {
  if (!(error instanceof E_REDIS_UNAVAILABLE)) throw error
}

function nameOf({ id, name }: Actor): string {
  return (name ?? id).slice(0, 200).toWellFormed()
}
