import type { Schedule, ScheduleDefinition } from '../../schedule_types.ts'
import type { Row } from '../dialect/db.ts'
import type { Session } from '../dialect/session.ts'
import { SCHEDULE_COLUMNS } from '../service_columns.ts'
import { TABLES } from '../tables.ts'
import { inParts } from '../../in_parts.ts'

const ROWS = { table: TABLES.schedules, columns: SCHEDULE_COLUMNS, existing: 'fail' } as const

const COLUMNS = SCHEDULE_COLUMNS.map(({ name }) => name).join(', ')

/** A schedule that is not kept yet. */
export type NewSchedule = ScheduleDefinition &
  Pick<Schedule, 'id' | 'origin' | 'createdAt' | 'createdBy'>

type Reading = { all(sql: string, values?: readonly unknown[]): Promise<Row[]> }

/**
 * Writes a schedule. False when one of this name is there already.
 */
export async function insertSchedule(session: Session, schedule: NewSchedule): Promise<boolean> {
  // The lock lets two that begin at once take different numbers.
  await session.all(`select name, value from queuedeck_meta where name = 'jobs'${session.lock}`)
  if ((await findByName(session, schedule.name)) !== null) return false
  const [{ last }] = await session.all('select max(seq) as last from queuedeck_schedules')
  const { createdAt, createdBy } = schedule
  const values: Record<string, unknown> = {
    ...definitionValues(schedule),
    seq: Number(last ?? 0) + 1,
    id: schedule.id,
    name: schedule.name,
    paused: 0,
    origin: schedule.origin,
    seen_at: createdAt,
    withdrawn: 0,
    generation: 1,
    created_at: createdAt,
    created_by: createdBy,
    changed_at: createdAt,
    changed_by: createdBy,
    planned_at: 0,
    look_at: 0,
  }
  await session.put(ROWS, [SCHEDULE_COLUMNS.map(({ name }) => values[name])])
  return true
}

/** Columns that can be changed at once. */
export type ScheduleChange = {
  definition?: ScheduleDefinition
  paused?: boolean
  origin?: Schedule['origin']
}

/**
 * Changes a schedule, whose runs are planned anew. False when it is gone, or was changed meanwhile.
 */
export async function changeSchedule(
  session: Session,
  { seq, generation }: Pick<Schedule, 'seq' | 'generation'>,
  { definition, paused, origin }: ScheduleChange,
  by: { at: number; name: string }
): Promise<boolean> {
  const values: Record<string, unknown> = {
    ...(definition === undefined ? {} : definitionValues(definition)),
    ...(paused === undefined ? {} : { paused: paused ? 1 : 0 }),
    ...(origin === undefined ? {} : { origin }),
    changed_at: by.at,
    changed_by: by.name,
    planned_at: 0,
    look_at: 0,
    generation: generation + 1,
  }
  const assignments = Object.keys(values).map((name) => `${name} = ?`)
  const found = await session.run(
    `update queuedeck_schedules set ${assignments.join(', ')} where seq = ? and generation = ?`,
    [...Object.values(values), seq, generation]
  )
  return found > 0
}

/** Removes a schedule and its runs; their jobs stay. */
export async function eraseSchedule(session: Session, seq: number): Promise<boolean> {
  await session.run('delete from queuedeck_schedule_runs where seq = ?', [seq])
  return (await session.run('delete from queuedeck_schedules where seq = ?', [seq])) > 0
}

/** Up to which moment runs of a schedule were made, and when the next one has to be; see Schedule. */
export type Planned = Pick<Schedule, 'seq' | 'generation' | 'plannedAt'> & {
  lookAt: number | null
}

/**
 * Notes up to which moment runs were made. Answers those whose definition was changed meanwhile: nothing was noted for them.
 */
export async function notePlanned(session: Session, planned: Planned[]): Promise<number[]> {
  const outdated: number[] = []
  const alike = Map.groupBy(
    planned,
    ({ generation, plannedAt, lookAt }) => `${generation}|${plannedAt}|${lookAt}`
  )
  for (const group of alike.values()) {
    const [{ generation, plannedAt, lookAt }] = group
    const seqs = group.map(({ seq }) => seq)
    for (const part of inParts(seqs, 500)) {
      const list = part.join(', ')
      const found = await session.run(
        `update queuedeck_schedules set planned_at = ?, look_at = ? where generation = ? and seq in (${list})`,
        [plannedAt, lookAt, generation]
      )
      if (found === part.length) continue
      const current = await session.all(
        `select seq from queuedeck_schedules where generation = ? and seq in (${list})`,
        [generation]
      )
      const kept = new Set(current.map(({ seq }) => Number(seq)))
      outdated.push(...part.filter((seq) => !kept.has(seq)))
    }
  }
  return outdated
}

/** Notes that a living process' code defines these. */
export async function noteSeen(session: Session, names: string[], now: number): Promise<void> {
  for (const name of names) {
    await session.run(
      `update queuedeck_schedules set seen_at = ? where name = ? and origin = 'code'`,
      [now, name]
    )
  }
}

/** Takes note of schedules of code that no process defines any more, and of those that one defines again. */
export async function noteWithdrawn(session: Session, before: number): Promise<void> {
  for (const [withdrawn, condition] of [
    [1, 'seen_at < ?'],
    [0, 'seen_at >= ?'],
  ] as const) {
    await session.run(
      `update queuedeck_schedules set withdrawn = ?, generation = generation + 1, planned_at = 0, look_at = 0 where origin = 'code' and withdrawn = ? and ${condition}`,
      [withdrawn, 1 - withdrawn, before]
    )
  }
}

export async function findByName(db: Reading, name: string): Promise<Schedule | null> {
  const [row] = await db.all(`select ${COLUMNS} from queuedeck_schedules where name = ?`, [name])
  return row ? scheduleOf(row) : null
}

export async function findById(db: Reading, id: string): Promise<Schedule | null> {
  const [row] = await db.all(`select ${COLUMNS} from queuedeck_schedules where id = ?`, [id])
  return row ? scheduleOf(row) : null
}

/** Schedules whose next run has to be looked at by this moment. */
export async function dueSchedules(db: Reading, by: number, most: number): Promise<Schedule[]> {
  const rows = await db.all(
    `select ${COLUMNS} from queuedeck_schedules where look_at <= ? order by look_at limit ?`,
    [by, most]
  )
  return rows.map(scheduleOf)
}

/** Schedules with a run ahead, behind a number. */
export async function plannedSchedules(
  db: Reading,
  after: number,
  most: number
): Promise<Schedule[]> {
  const rows = await db.all(
    `select ${COLUMNS} from queuedeck_schedules where seq > ? and planned_at > 0 order by seq limit ?`,
    [after, most]
  )
  return rows.map(scheduleOf)
}

/** By name, behind one (empty: from the first). */
export async function listSchedules(
  db: Reading,
  page: { after: string; limit: number }
): Promise<Schedule[]> {
  const rows = await db.all(
    `select ${COLUMNS} from queuedeck_schedules where name > ? order by name limit ?`,
    [page.after, page.limit]
  )
  return rows.map(scheduleOf)
}

/** Names of schedules that are not paused, by their numbers. */
export async function readNames(db: Reading, seqs: number[]): Promise<Map<number, string>> {
  if (seqs.length === 0) return new Map()
  const list = seqs.map(Number).join(', ')
  const rows = await db.all(
    `select seq, name from queuedeck_schedules where paused = 0 and seq in (${list})`
  )
  return new Map(rows.map(({ seq, name }) => [Number(seq), name as string]))
}

export async function countSchedules(db: Reading): Promise<number> {
  const [{ n }] = await db.all('select count(*) as n from queuedeck_schedules')
  return Number(n)
}

function definitionValues(definition: ScheduleDefinition): Record<string, unknown> {
  const { type, payload, queue, options, cron, zone, every, overlap, missed } = definition
  return {
    type,
    payload,
    queue,
    options: JSON.stringify(options),
    cron,
    zone,
    every_ms: every,
    overlap,
    missed,
  }
}

function scheduleOf(row: Row): Schedule {
  const moment = (value: unknown) => (value === null ? null : Number(value))
  return {
    seq: Number(row.seq),
    id: row.id,
    name: row.name,
    type: row.type,
    payload: row.payload,
    queue: row.queue,
    options: JSON.parse(row.options),
    cron: row.cron,
    zone: row.zone,
    every: moment(row.every_ms),
    overlap: row.overlap,
    missed: row.missed,
    paused: Number(row.paused) === 1,
    origin: row.origin,
    withdrawn: Number(row.withdrawn) === 1,
    generation: Number(row.generation),
    createdAt: Number(row.created_at),
    createdBy: row.created_by,
    changedAt: Number(row.changed_at),
    changedBy: row.changed_by,
    plannedAt: moment(row.planned_at),
  }
}
