import { setImmediate as breathe } from 'node:timers/promises'
import { inParts } from '../in_parts.ts'
import type { QueueManager } from '../jobs/queue_manager.ts'
import type { Records } from '../records/records.ts'
import { runId } from '../records/schedules/run_id.ts'
import { LATE, type Schedule, type ScheduleRun } from '../schedule_types.ts'
import type { ScheduledState } from '../transport/scheduled_jobs.ts'
import type { Transport } from '../transport/transport.ts'
import type { NewTransportJob } from '../transport/types.ts'
import { type Plan, planMoments } from './moments.ts'
import { planEach } from './plan_each.ts'
import { Timings } from './timings.ts'
import { mayGoOn, waitingRuns } from './waiting_runs.ts'

export type PlannerDependencies = {
  transport: Transport
  records: Pick<Records, 'schedules' | 'reader'>
  queue: Pick<QueueManager, 'scheduledJob'>
  logger?: { warn(bindings: object, message: string): void }
}

/** Schedules that are planned at once: computing their moments holds the process up. */
const PORTION = 200

/** Jobs that are added in one round trip. */
const ROUND_TRIP = 500

/** Jobs whose moment has just passed that are looked for after Redis was emptied. */
const LOST_AT_ONCE = 10_000

/** How far back runs of an earlier definition may still wait, ms. */
const OUTDATED = 86_400_000

/** When a schedule is looked at again of which this process cannot read when it is due, ms: the next one that leads may know. */
const UNREADABLE_FOR = 60_000

/** Who takes back what was planned for an earlier definition. */
const BY = 'schedule'

type Run = { schedule: Schedule; due: number }

type Planned = { schedule: Schedule; plan: Plan }

/**
 * Keeps the next run of every schedule: an ordinary delayed job. Any number of processes may plan at the same time, and may be killed
 * at any instant: a moment's job has the same id everywhere, and what is noted behind it is made again.
 */
export class Planner {
  #timings = new Timings()

  constructor(private dependencies: PlannerDependencies) {}

  /**
   * Plans all that have to be looked at.
   *
   * @param now Redis' clock, epoch ms
   * @param goOn asked between portions
   */
  async planDue(now: number, goOn: () => boolean = () => true): Promise<void> {
    const { records, logger } = this.dependencies
    const plan = (list: Schedule[]) => this.plan(list, now)
    const putOff = ({ name }: Schedule, err: unknown) =>
      logger?.warn(
        { err, schedule: name },
        'Schedules: one makes no runs, and is tried again in a minute'
      )
    while (goOn()) {
      const due = await records.schedules.due(now, PORTION)
      if (due.length > 0) await planEach(plan, records, due, now, putOff)
      if (due.length < PORTION) return
      await breathe()
    }
  }

  /**
   * Plans these, whose rows were just read.
   */
  async plan(schedules: Schedule[], now: number): Promise<void> {
    const planned: Planned[] = []
    const lasts = await this.#lasts(schedules, now)
    for (const schedule of schedules) {
      const plan = schedule.paused || schedule.withdrawn ? STOPPED : undefined
      const timing = this.#timings.of(schedule)
      if (plan === undefined && timing.unreadable !== undefined) {
        const { plannedAt } = schedule
        const later = { make: [], missed: [], plannedAt, lookAt: now + UNREADABLE_FOR }
        planned.push({ schedule, plan: later })
      } else if (schedule.plannedAt === 0) {
        const behind = await this.#takeBack(schedule, now)
        planned.push({
          schedule,
          plan: plan ?? planMoments(timing, { ...schedule, plannedAt: 0 }, Math.max(now, behind)),
        })
      } else {
        const { plannedAt, missed } = schedule
        const state = lasts.get(schedule.seq)
        planned.push({
          schedule,
          plan: plan ?? planMoments(timing, { plannedAt: plannedAt!, missed }, now, state),
        })
      }
    }
    await this.#write(planned, now)
  }

  /**
   * Makes jobs again that Redis has lost.
   *
   * @param schedules with runs ahead
   */
  async ensure(schedules: Schedule[], now: number): Promise<number> {
    const missing = await this.#missing(
      schedules.flatMap((schedule) => this.#ahead(schedule, now).map((due) => ({ schedule, due })))
    )
    await this.#add(missing, now)
    return missing.length
  }

  /**
   * Makes jobs again whose moment has just passed, which Redis has lost before they started.
   *
   * @param schedules by their numbers
   */
  async ensurePassed(schedules: Map<number, Schedule>, now: number): Promise<number> {
    const runs = await this.dependencies.records.schedules.runsBetween(
      now - LATE,
      now + 1,
      LOST_AT_ONCE
    )
    const wanted = runs.flatMap(({ seq, due, generation }) => {
      const schedule = schedules.get(seq)
      return schedule?.generation === generation ? [{ schedule, due }] : []
    })
    const missing = await this.#missing(wanted)
    const records = await this.#records(missing.map(jobIdOf))
    const lost = missing.filter((run) => (records.get(jobIdOf(run))?.attempts.started ?? 0) === 0)
    await this.#add(lost, now)
    return lost.length
  }

  /** Makes jobs again that Redis has lost while they waited for an earlier run to end. None was missed, however late it is. */
  async ensureWaiting(schedules: Iterable<Schedule>, now: number, goOn = () => true) {
    let made = 0
    for (const schedule of schedules) {
      if (schedule.overlap !== 'queue') continue
      if (!goOn()) break
      const moments = await waitingRuns(this.dependencies.records, schedule, now)
      const late: Schedule = { ...schedule, missed: 'once' }
      const missing = await this.#missing(moments.map((due) => ({ schedule: late, due })))
      await this.#add(missing, now)
      made += missing.length
    }
    return made
  }

  /** Moments of a schedule that have their jobs and have not come yet. */
  #ahead(schedule: Schedule, now: number): number[] {
    const { plannedAt } = schedule
    if (plannedAt === null || plannedAt <= now) return []
    const timing = this.#timings.of(schedule)
    if (timing.often === null) return [plannedAt]
    const moments: number[] = []
    let moment = timing.next(Math.max(now, schedule.changedAt))
    while (moment !== null && moment <= plannedAt) {
      moments.push(moment)
      moment = timing.next(moment)
    }
    return moments
  }

  /** Those whose jobs Redis does not know. */
  async #missing(runs: Run[]): Promise<Run[]> {
    const states = await this.dependencies.transport.scheduled.states(
      runs.map((run) => ({ queue: run.schedule.queue, id: jobIdOf(run) }))
    )
    return runs.filter((_, at) => states[at].state === '')
  }

  /** How the jobs of moments that have passed stand, by the numbers of their schedules. */
  async #lasts(schedules: Schedule[], now: number): Promise<Map<number, ScheduledState>> {
    const passed = schedules.filter(
      ({ plannedAt, paused, withdrawn }) => plannedAt && plannedAt <= now && !paused && !withdrawn
    )
    const states = await this.dependencies.transport.scheduled.states(
      passed.map(({ id, generation, plannedAt, queue }) => ({
        queue,
        id: runId(id, generation, plannedAt!),
      }))
    )
    const found = new Map(passed.map(({ seq }, at) => [seq, states[at]]))
    /** What ended may be forgotten already: its record knows, or that it was taken back with its record. */
    const missing = passed
      .filter((_, at) => states[at].state === '')
      .map((schedule): Run => ({ schedule, due: schedule.plannedAt! }))
    const records = await this.#records(missing.map(jobIdOf))
    const takenBack = await this.#takenBack(missing.filter((run) => !records.has(jobIdOf(run))))
    for (const run of missing) {
      const record = records.get(jobIdOf(run))
      if (record ? mayGoOn(record) : !takenBack.has(jobIdOf(run))) continue
      found.set(run.schedule.seq, { state: 'completed', claimedAt: record?.startedAt ?? run.due })
    }
    return found
  }

  async #records(ids: string[]) {
    const rows = ids.length === 0 ? [] : await this.dependencies.records.reader.rowsById(ids)
    return new Map(rows.map((row) => [row.id, row]))
  }

  /** Ids of the jobs of those runs that were taken back. */
  #takenBack(runs: Run[]): Promise<Set<string>> {
    return this.dependencies.records.schedules.takenBackAmong(
      runs.map((run) => ({ due: run.due, jobId: jobIdOf(run) }))
    )
  }

  /**
   * Takes back what was planned before the schedule was changed.
   *
   * @returns the newest moment that could not be taken back, because its run has begun; 0 where there is none
   */
  async #takeBack(schedule: Schedule, now: number): Promise<number> {
    const { records, transport } = this.dependencies
    let behind = 0
    if (schedule.generation === 1) return behind
    for (const run of await records.schedules.outdatedRuns(schedule, now - OUTDATED)) {
      if (run.jobId === null) continue
      const reason = schedule.paused
        ? 'Its schedule was paused'
        : schedule.withdrawn
          ? 'Its schedule is not defined any more'
          : 'Its schedule was changed'
      const queue = await this.#queueOf(run.jobId, schedule)
      const outcome = await transport.scheduled.withdraw(queue, run.jobId, BY, reason)
      if (outcome === 'late') behind = Math.max(behind, run.due)
      else await records.schedules.takenBack(run)
    }
    return behind
  }

  /** Where a run of an earlier definition is: that may have named another queue. */
  async #queueOf(id: string, { queue }: Schedule): Promise<string> {
    const { transport } = this.dependencies
    const places = [queue, ...(await transport.queueNames())].map((name) => ({ queue: name, id }))
    const states = await transport.scheduled.states(places)
    return places.find((_, at) => states[at].state !== '')?.queue ?? queue
  }

  async #write(planned: Planned[], now: number): Promise<void> {
    const { records, transport } = this.dependencies
    const made = planned.flatMap(({ schedule, plan }) =>
      plan.make.map((due): Run => ({ schedule, due }))
    )
    await this.#add(made, now)
    const runs = planned.flatMap(({ schedule, plan }): ScheduleRun[] => {
      const { seq, generation, id } = schedule
      const base = { seq, generation, madeAt: now }
      return [
        ...plan.make.map((due) => ({
          ...{ ...base, due, kind: 'planned' as const },
          jobId: runId(id, generation, due),
        })),
        ...plan.missed.map((due) => ({ ...base, due, kind: 'missed' as const, jobId: null })),
      ]
    })
    const outdated = await records.schedules.planned(
      runs,
      planned.map(({ schedule: { seq, generation }, plan: { plannedAt, lookAt } }) => ({
        ...{ seq, generation, plannedAt, lookAt },
      }))
    )
    /** Changed in between: whoever changed it may have looked for what to take back too early. */
    for (const { schedule, plan } of planned) {
      if (!outdated.includes(schedule.seq)) continue
      for (const due of plan.make) {
        const jobId = runId(schedule.id, schedule.generation, due)
        await transport.scheduled.withdraw(schedule.queue, jobId, BY, 'Its schedule was changed')
      }
    }
  }

  #job({ schedule, due }: Run, now: number, run?: number): NewTransportJob {
    const jobId = jobIdOf({ schedule, due })
    return this.dependencies.queue.scheduledJob(schedule, { jobId, due, now, run })
  }

  /**
   * Adds the jobs of runs. One that Redis knows is there already; one that only its record knows, because Redis was emptied, goes on as
   * the next run of the same job, unless it had ended. What was taken back stays so, also without a record.
   */
  async #add(runs: Run[], now: number): Promise<void> {
    const { transport } = this.dependencies
    const records = await this.#records(runs.map(jobIdOf))
    const unknown = runs.filter((run) => !records.has(jobIdOf(run)))
    const takenBack = await this.#takenBack(unknown)
    const fresh = unknown
      .filter((run) => !takenBack.has(jobIdOf(run)))
      .map((run) => this.#job(run, now))
    for (const some of inParts(fresh, ROUND_TRIP)) {
      try {
        await transport.add(some)
      } catch (error) {
        /** The others of the same round trip were added. */
        if ((error as { code?: string }).code !== 'E_DUPLICATE_JOB') throw error
      }
    }
    const known = runs.filter((run) => {
      const record = records.get(jobIdOf(run))
      return record && mayGoOn(record)
    })
    for (const missing of await this.#missing(known)) {
      const id = jobIdOf(missing)
      const run = records.get(id)!.run + 1
      const job = this.#job(missing, now, run)
      await transport.restart(job.queue, id, {
        ...{ by: BY, job, run, due: missing.due },
        recordedRun: async () => (await this.#records([id])).get(id)?.run ?? null,
      })
    }
  }
}

function jobIdOf({ schedule: { id, generation }, due }: Run): string {
  return runId(id, generation, due)
}

/** Of a schedule that is paused or not defined any more. */
const STOPPED: Plan = { make: [], missed: [], plannedAt: null, lookAt: null }
