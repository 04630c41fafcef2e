import type { Session, Shape } from '../dialect/session.ts'
import { TABLES } from '../tables.ts'
import type { StoredJob } from '../writer_types.ts'
import { Cells, type CellKey } from './cells.ts'
import type { Measure } from './metric_types.ts'
import { MINUTE, MINUTES_PER_HOUR } from './span.ts'
import { inParts } from '../../in_parts.ts'

/** The tables' slots are 4 bytes; a stream id beyond them was made by hand. */
const LAST_SLOT = 2_147_483_647

/** Rows hold whole sums. */
export const METRICS_REPLACED = {
  added: 'replace',
  completed: 'replace',
  failed: 'replace',
  cancelled: 'replace',
  retried: 'replace',
  wait: 'replace',
  run: 'replace',
} as const

const MINUTES: Shape = {
  table: TABLES.metricMinutes,
  columns: TABLES.metricMinutes.columns,
  existing: METRICS_REPLACED,
}

const OPEN: Shape = {
  table: TABLES.metricOpen,
  columns: TABLES.metricOpen.columns,
  existing: { changes: 'add' },
}

/** Cells that one statement reads: always as many, so that databases prepare it once. */
const READ = 16

export const METRIC_COLUMNS = TABLES.metricMinutes.columns.map(({ name }) => name).join(', ')
const CELL = '(queue_id = ? and type_id = ? and host_id = ? and slot = ?)'
const SELECT = `select ${METRIC_COLUMNS} from queuedeck_metrics_minute where ${Array(READ).fill(CELL).join(' or ')}`

/** The numbers of the names that metrics are kept by. */
export type MetricNames = {
  queue(job: StoredJob): number
  type(job: StoredJob): number
  host(worker: string): number
}

/**
 * Adds what a batch measured to its minutes, and notes that their hours have to be summed up again. Inside of the transaction that moves
 * the records, under the lock that all writers share: nobody else changes a minute between reading and writing it.
 */
export async function writeMeasures(
  session: Session,
  measures: readonly Measure[],
  names: MetricNames
): Promise<void> {
  if (measures.length === 0) return
  await findBeginnings(session, measures)
  const cells = cellsOf(measures, names).withSums()
  const entries = [...cells.entries()]
  for (const some of inParts(entries, READ)) {
    const keys = some.map(([key]) => key)
    const asked: CellKey[] = Array.from({ length: READ }, (_, index) => keys[index] ?? keys[0])
    for (const row of await session.all(SELECT, asked.flat())) {
      cells.at(row.queue_id, row.type_id, row.host_id, row.slot).addRow(row)
    }
  }
  await session.put(
    MINUTES,
    entries.map(([key, cell]) => cell.toRow(key))
  )
  await openHours(
    session,
    entries.map(([key]) => key[3])
  )
}

/** Notes that the hours of these minutes have to be summed up again. */
export async function openHours(session: Session, minutes: Iterable<number>): Promise<void> {
  const hours = new Set<number>()
  for (const minute of minutes) hours.add(Math.floor(minute / MINUTES_PER_HOUR))
  await session.put(
    OPEN,
    [...hours].sort((one, other) => one - other).map((hour) => [hour, 1])
  )
}

/** Attempts that began before this batch, where the record itself does not say when. */
async function findBeginnings(session: Session, measures: readonly Measure[]): Promise<void> {
  const lacking = measures.filter(({ attempt }) => attempt !== undefined)
  if (lacking.length === 0) return
  const select =
    'select seq, run, attempt, started_at from queuedeck_attempts where started_at is not null and'
  const seqs = [...new Set(lacking.map(({ job }) => job.seq))]
  const rows = await session.allIn(select, 'seq', 'seq', seqs)
  const key = (seq: number, run: number, attempt: number) => `${seq} ${run} ${attempt}`
  const begun = new Map(
    rows.map((row) => [key(row.seq, row.run, row.attempt), Number(row.started_at)])
  )
  for (const measure of lacking) {
    const { run, attempt } = measure.attempt!
    const at = begun.get(key(measure.job.seq, run, attempt))
    if (at !== undefined) measure.duration = Math.max(0, measure.at - at)
  }
}

function cellsOf(measures: readonly Measure[], names: MetricNames): Cells {
  const cells = new Cells()
  for (const { job, at, kind, ran, worker, duration } of measures) {
    const slot = Math.floor(at / MINUTE)
    if (slot > LAST_SLOT) continue
    const where = ran ? (worker ?? job.worker) : null
    const host = where === null ? 0 : names.host(where)
    const cell = cells.at(names.queue(job), names.type(job), host, slot)
    if (kind === 'started') {
      if (duration !== null) cell.wait.add(duration)
      continue
    }
    cell.counts[kind]++
    if (duration !== null) cell.run.add(duration)
  }
  return cells
}
