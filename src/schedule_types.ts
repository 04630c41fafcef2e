/** What happens when a run starts while an earlier one has not ended: it is left out, or waits for its end. */
export const OVERLAPS = ['skip', 'queue'] as const

/** What happens with runs whose time passed while nothing was there to start them: none of them, or one. */
export const MISSED = ['skip', 'once'] as const

/**
 * For so long nobody may look after schedules, and so late may a run be, before it counts as missed, ms. A leader that is killed is
 * replaced sooner.
 */
export const LATE = 10_000

export type Overlap = (typeof OVERLAPS)[number]

export type Missed = (typeof MISSED)[number]

/**
 * What a job that a schedule made carries: it is looked at when the job starts.
 */
export type ScheduleMark = {
  /** The schedule's UUID. */
  id: string
  /** When it is due, epoch ms. */
  due: number
  overlap: Overlap
  missed: Missed
  /** The job's run that the policies decide about; 1 where it says nothing. Later ones somebody asked for. */
  run?: number
  /** Somebody asked for this job: it starts whatever the policies say. */
  manual?: true
}

/**
 * A schedule, checked. Durations in milliseconds.
 */
export type ScheduleDefinition = {
  name: string
  /** Name of the job type. */
  type: string
  /** JSON. */
  payload: string
  queue: string
  /** What it says of its jobs, beyond what their type says. */
  options: ScheduleJobOptions
  /** Either an expression and its zone, or an interval. */
  cron: string | null
  zone: string | null
  every: number | null
  overlap: Overlap
  missed: Missed
}

export type ScheduleJobOptions = {
  priority?: number
  attempts?: number
  timeout?: number
  user?: string
  tags?: string[]
}

/**
 * A schedule as it is kept. Moments are epoch milliseconds by Redis' clock.
 */
export type Schedule = ScheduleDefinition & {
  seq: number
  /** UUID. */
  id: string
  paused: boolean
  /** Whether the application's code defines it, or a person made it. */
  origin: 'code' | 'page'
  /** Code defined it, and no process that lives does so any more. */
  withdrawn: boolean
  /** Counts changes: runs of an earlier one are taken back. */
  generation: number
  createdAt: number
  createdBy: string
  changedAt: number
  changedBy: string
  /** The newest moment for which a run was made; 0: to be looked at; null: none will come. */
  plannedAt: number | null
}

/** `manual`: somebody asked for it. `missed`: no job was made, because its time passed while nothing was there to make it. `taken back`: before it was due, the schedule was changed, or the record of its job was deleted before it would have been missed. */
export const RUN_KINDS = ['planned', 'manual', 'missed', 'taken back'] as const

export type RunKind = (typeof RUN_KINDS)[number]

/**
 * One moment of a schedule, and the job that was made for it.
 */
export type ScheduleRun = {
  seq: number
  due: number
  generation: number
  jobId: string | null
  kind: RunKind
  madeAt: number
}
