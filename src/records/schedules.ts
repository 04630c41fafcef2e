import type { Schedule, ScheduleRun } from '../schedule_types.ts'
import type { Db } from './dialect/db.ts'
import type { Ledger } from './ledger.ts'
import {
  insertRuns,
  newestRuns,
  noteRunKind,
  outdatedRuns,
  readRuns,
  runsBetween,
  takenBackAmong,
} from './schedules/run_rows.ts'
import {
  changeSchedule,
  countSchedules,
  dueSchedules,
  eraseSchedule,
  findById,
  findByName,
  insertSchedule,
  listSchedules,
  type NewSchedule,
  type Planned,
  notePlanned,
  noteSeen,
  noteWithdrawn,
  plannedSchedules,
  readNames,
  type ScheduleChange,
} from './schedules/schedule_rows.ts'

const NOT_WRITTEN = 'the schedule was not written'
const NOT_NOTED = 'schedules stand still'

/**
 * Schedules and their runs, in the tables `queuedeck_schedules` and `queuedeck_schedule_runs`. Everything throws E_DATABASE_UNAVAILABLE
 * while the database is away.
 */
export class ScheduleLedger {
  constructor(
    private db: Db,
    private ledger: Ledger
  ) {}

  /** False when one of this name is there already. */
  insert(schedule: NewSchedule): Promise<boolean> {
    return this.ledger.transaction(NOT_WRITTEN, (session) => insertSchedule(session, schedule))
  }

  /** False when it is gone, or was changed meanwhile. */
  change(
    schedule: Pick<Schedule, 'seq' | 'generation'>,
    change: ScheduleChange,
    by: { at: number; name: string }
  ): Promise<boolean> {
    return this.ledger.transaction(NOT_WRITTEN, (session) =>
      changeSchedule(session, schedule, change, by)
    )
  }

  /** Removes a schedule and its runs; their jobs stay. False when it is gone. */
  erase(seq: number): Promise<boolean> {
    return this.ledger.transaction('the schedule was not deleted', (session) =>
      eraseSchedule(session, seq)
    )
  }

  /**
   * Notes runs that were made, and up to which moment. Answers those whose definition was changed meanwhile.
   */
  planned(runs: ScheduleRun[], planned: Planned[]): Promise<number[]> {
    return this.ledger.transaction(NOT_NOTED, async (session) => {
      if (runs.length > 0) await insertRuns(session, runs)
      return notePlanned(session, planned)
    })
  }

  noteRun(run: ScheduleRun): Promise<void> {
    return this.ledger.transaction(NOT_NOTED, (session) => insertRuns(session, [run]))
  }

  takenBack(run: ScheduleRun): Promise<void> {
    return this.ledger.transaction(NOT_NOTED, (session) => noteRunKind(session, run, 'taken back'))
  }

  /** Notes that a living process' code defines these. */
  seen(names: string[], now: number): Promise<void> {
    return this.ledger.transaction(NOT_NOTED, (session) => noteSeen(session, names, now))
  }

  /** Stops schedules of code that no process has defined since a moment. */
  withdraw(before: number): Promise<void> {
    return this.ledger.transaction(NOT_NOTED, (session) => noteWithdrawn(session, before))
  }

  find(id: string): Promise<Schedule | null> {
    return findById(this.db, id)
  }

  named(name: string): Promise<Schedule | null> {
    return findByName(this.db, name)
  }

  list(page: { after: string; limit: number }): Promise<Schedule[]> {
    return listSchedules(this.db, page)
  }

  /** Names of those that are not paused, by their numbers. */
  names(seqs: number[]): Promise<Map<number, string>> {
    return readNames(this.db, seqs)
  }

  count(): Promise<number> {
    return countSchedules(this.db)
  }

  /** Those whose next run has to be looked at by this moment. */
  due(by: number, most: number): Promise<Schedule[]> {
    return dueSchedules(this.db, by, most)
  }

  /** Those with a run ahead, behind a number. */
  ahead(after: number, most: number): Promise<Schedule[]> {
    return plannedSchedules(this.db, after, most)
  }

  /** Runs of one, newest first. */
  runs(seq: number, range: { from?: number; to?: number; limit: number }): Promise<ScheduleRun[]> {
    return readRuns(this.db, seq, range)
  }

  outdatedRuns(schedule: Schedule, from: number): Promise<ScheduleRun[]> {
    return outdatedRuns(this.db, schedule.seq, schedule.generation, from)
  }

  /** Ids of the jobs of those runs that were taken back. */
  takenBackAmong(runs: { due: number; jobId: string }[]): Promise<Set<string>> {
    return takenBackAmong(this.db, runs)
  }

  /** The newest planned run of each that is due in [from, to), with its queue. */
  newestRuns(from: number, to: number): Promise<(ScheduleRun & { queue: string })[]> {
    return newestRuns(this.db, from, to)
  }

  /** Planned runs of all schedules that are due in [from, to), oldest first. */
  runsBetween(from: number, to: number, most: number): Promise<ScheduleRun[]> {
    return runsBetween(this.db, from, to, most)
  }
}
