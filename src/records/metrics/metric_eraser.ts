import type { Session, Shape } from '../dialect/session.ts'
import { lists } from '../lists.ts'
import { NAME_KINDS } from '../tables.ts'
import { HOUR, MINUTES_PER_HOUR, sealedUntil } from './span.ts'

/** Rows that one step deletes of each table, about. */
const STEP = 1_000

const META: Shape = {
  table: { name: 'queuedeck_meta', key: ['name'] },
  columns: [
    { name: 'name', type: 'short' },
    { name: 'value', type: 'big' },
  ],
  existing: { value: 'replace' },
}

/** The rows that sum up one name, by its kind: where it is the only one. */
const SUMS: Record<number, [table: string, condition: string][]> = {
  [NAME_KINDS.queue]: sums('queue_id = n.id and type_id = 0 and host_id = 0'),
  [NAME_KINDS.type]: sums('queue_id = 0 and type_id = n.id and host_id = 0'),
  [NAME_KINDS.host]: [
    ...sums('queue_id = 0 and type_id = 0 and host_id = n.id'),
    ['queuedeck_hosts_minute', 'host_id = n.id'],
    ['queuedeck_hosts_hour', 'host_id = n.id'],
  ],
}

function sums(condition: string): [string, string][] {
  return [
    ['queuedeck_metrics_minute', condition],
    ['queuedeck_metrics_hour', condition],
  ]
}

/**
 * Which of these names metrics still tell of: they stay, although no record has them any more.
 */
export async function namesOfMetrics(
  session: Session,
  kind: number,
  ids: number[]
): Promise<Set<number>> {
  const exist = (SUMS[kind] ?? []).map(
    ([table, condition]) => `exists (select 1 from ${table} where ${condition})`
  )
  const found = new Set<number>()
  if (exist.length === 0) return found
  for (const list of lists(ids)) {
    const rows = await session.all(
      `select n.id from queuedeck_names n where n.id in (${list}) and (${exist.join(' or ')})`
    )
    for (const { id } of rows) found.add(Number(id))
  }
  return found
}

/**
 * One short step of deleting minutes, or hours, that begin before a moment (epoch ms). To be called under the lock of records
 * (`Eraser.locked`) until it answers that it is done. Minutes go by whole hours, and only once their hour is summed up.
 */
export async function eraseMetrics(
  session: Session,
  unit: 'minute' | 'hour',
  before: number
): Promise<{ removed: number; isDone: boolean }> {
  const end = unit === 'hour' ? Math.floor(before / HOUR) : await minutesEnd(session, before)
  let removed = 0
  let isDone = true
  for (const table of [`queuedeck_metrics_${unit}`, `queuedeck_hosts_${unit}`]) {
    const slots = await session.all(
      `select slot from ${table} where slot < ? order by slot limit ${STEP}`,
      [end]
    )
    if (slots.length === 0) continue
    const last = Number(slots.at(-1)!.slot)
    removed += await session.run(`delete from ${table} where slot <= ?`, [last])
    isDone &&= slots.length < STEP
  }
  return { removed, isDone }
}

/** How many rows `eraseMetrics` would delete. */
export async function countMetrics(
  session: Session,
  unit: 'minute' | 'hour',
  before: number
): Promise<number> {
  const end = Math.floor(before / HOUR) * (unit === 'hour' ? 1 : MINUTES_PER_HOUR)
  let count = 0
  for (const table of [`queuedeck_metrics_${unit}`, `queuedeck_hosts_${unit}`]) {
    const [{ n }] = await session.all(`select count(*) as n from ${table} where slot < ?`, [end])
    count += Number(n)
  }
  return count
}

/** Notes before the first deletion that the minutes of these hours are gone: what comes late is then added to their sums. */
async function minutesEnd(session: Session, before: number): Promise<number> {
  const [{ open }] = await session.all('select min(hour) as open from queuedeck_metrics_open')
  const hour = Math.min(Math.floor(before / HOUR), open === null ? Infinity : Number(open))
  if (hour > (await sealedUntil(session))) await session.put(META, [['metrics', hour]])
  return hour * MINUTES_PER_HOUR
}
