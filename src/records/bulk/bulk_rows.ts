import { cutText } from '../../cut_text.ts'
import type { Actor, Outcome } from '../../types.ts'
import type { Session } from '../dialect/session.ts'
import { storable, storableShort } from '../storable.ts'
import { BULK_COLUMNS, BULK_ITEM_COLUMNS, DRAIN_COLUMNS } from '../service_columns.ts'
import { TABLES } from '../tables.ts'

/** What can be done to many jobs at once. */
export const BULK_ACTIONS = ['cancel', 'restart', 'delete', 'priority'] as const

export type BulkAction = (typeof BULK_ACTIONS)[number]

/** A queue of which an operation takes out what waits. */
export type BulkDrain = {
  queue: string
  /** Also jobs whose time has not come. */
  scheduled: boolean
  /** Epoch ms by Redis' clock: what came later stays. */
  began: number
}

/** Jobs of one operation by what came of them. */
export type BulkCounts = Record<Outcome, number>

/**
 * One action on many jobs, or the draining of a queue, which has no items. Moments are epoch milliseconds by Redis' clock.
 */
export type BulkOperation = {
  seq: number
  /** UUID, also of its line in the audit. */
  id: string
  action: BulkAction | 'drain'
  /** For `priority`. */
  priority: number | null
  /** For `drain`. */
  drain: BulkDrain | null
  actor: Actor
  createdAt: number
  /** null while jobs are left that nothing was done to yet, unless it was stopped. */
  endedAt: number | null
  /** Somebody asked to stop it. */
  stopped: boolean
  total: number
  counts: BulkCounts
}

/** One job of an operation, in the order in which they were given. */
export type BulkItem = {
  n: number
  jobId: string
  /** Empty for a job that there is not. */
  type: string
  /** The run that was meant; 0 for a job that there is not. */
  run: number
  /** null: nothing was done to it yet. */
  outcome: Outcome | null
  reason: string | null
}

export type NewBulkItem = Omit<BulkItem, 'n'>

const OPERATIONS = { table: TABLES.bulk, columns: BULK_COLUMNS, existing: 'fail' } as const
const ITEMS = { table: TABLES.bulkItems, columns: BULK_ITEM_COLUMNS, existing: 'fail' } as const
const DRAINS = { table: TABLES.drains, columns: DRAIN_COLUMNS, existing: 'fail' } as const
const READ = `select ${BULK_COLUMNS.map(({ name }) => `o.${name}`).join(', ')}, d.queue, d.scheduled, d.began_at from queuedeck_bulk_operations o left join queuedeck_drains d on d.seq = o.seq`
const ITEM_COLUMNS = 'n, job_id, type, run, outcome, reason'
const LONGEST_REASON = 1_000

export async function insertOperation(
  session: Session,
  operation: Pick<BulkOperation, 'id' | 'action' | 'priority' | 'actor' | 'createdAt'>,
  items: NewBulkItem[]
): Promise<void> {
  const refused = items.filter(({ outcome }) => outcome === 'refused').length
  const counts = { done: 0, requested: 0, too_late: 0, refused }
  const seq = await putOperation(session, { ...operation, total: items.length, counts })
  await session.put(
    ITEMS,
    items.map(({ jobId, type, run, outcome, reason }, n) => [
      seq,
      n,
      jobId,
      storableShort(type),
      run,
      outcome,
      shortReason(reason),
      null,
    ])
  )
}

/** What was drained until now is in the counts, and `total` how many it may become. */
export async function insertDrain(
  session: Session,
  operation: Omit<NewOperation, 'action' | 'priority'>,
  { queue, scheduled, began }: BulkDrain
): Promise<void> {
  const seq = await putOperation(session, { ...operation, action: 'drain', priority: null })
  await session.put(DRAINS, [[seq, queue, scheduled ? 1 : 0, began]])
}

type NewOperation = Pick<
  BulkOperation,
  'id' | 'action' | 'priority' | 'actor' | 'createdAt' | 'total' | 'counts'
>

/** Answers its number. */
async function putOperation(session: Session, operation: NewOperation): Promise<number> {
  // The lock lets two that begin at once take different numbers.
  await session.all(`select name, value from queuedeck_meta where name = 'jobs'${session.lock}`)
  const [{ last }] = await session.all('select max(seq) as last from queuedeck_bulk_operations')
  const seq = Number(last ?? 0) + 1
  const { id, action, priority, actor, createdAt, total, counts } = operation
  await session.put(OPERATIONS, [
    [
      seq,
      id,
      action,
      priority,
      storableShort(actor.id),
      actor.name ? storableShort(actor.name) : null,
      actor.via,
      createdAt,
      null,
      0,
      total,
      counts.done,
      counts.requested,
      counts.too_late,
      counts.refused,
    ],
  ])
  return seq
}

/** Notes how far draining came; more than were thought to wait may have been moved there since. */
export async function recordDrained(
  session: Session,
  seq: number,
  { done, requested }: { done: number; requested: number },
  isAll: boolean
): Promise<void> {
  const sum = done + requested
  await session.run(
    'update queuedeck_bulk_operations set done = ?, requested = ?, total = case when total < ? then ? else total end where seq = ? and ended_at is null',
    [done, requested, sum, sum, seq]
  )
  if (!isAll) return
  await session.run(
    'update queuedeck_bulk_operations set total = ? where seq = ? and ended_at is null',
    [sum, seq]
  )
}

/**
 * The next items to which nothing was done yet, noted as begun by this process. `begun`: a process had begun with it before, and nobody
 * knows how far it came.
 */
export async function claimItems(
  session: Session,
  seq: number,
  process: string,
  most: number
): Promise<(BulkItem & { begun: boolean })[]> {
  const rows = await session.all(
    `select ${ITEM_COLUMNS}, process from queuedeck_bulk_items where seq = ? and outcome is null order by n limit ?`,
    [seq, most]
  )
  if (rows.length === 0) return []
  const list = rows.map(({ n }) => Number(n)).join(', ')
  await session.run(
    `update queuedeck_bulk_items set process = ? where seq = ? and n in (${list}) and outcome is null`,
    [storableShort(process), seq]
  )
  return rows.map((row) => ({ ...itemOf(row), begun: row.process !== null }))
}

/** Notes what came of items; what another process has noted before stays. */
export async function recordItems(
  session: Session,
  seq: number,
  results: { n: number; outcome: Outcome; reason: string | null }[]
): Promise<void> {
  const counts: BulkCounts = { done: 0, requested: 0, too_late: 0, refused: 0 }
  for (const { n, outcome, reason } of results) {
    counts[outcome] += await session.run(
      'update queuedeck_bulk_items set outcome = ?, reason = ? where seq = ? and n = ? and outcome is null',
      [outcome, shortReason(reason), seq, n]
    )
  }
  await session.run(
    'update queuedeck_bulk_operations set done = done + ?, requested = requested + ?, too_late = too_late + ?, refused = refused + ? where seq = ?',
    [counts.done, counts.requested, counts.too_late, counts.refused, seq]
  )
}

export async function endOperation(session: Session, seq: number, now: number): Promise<void> {
  await session.run(
    'update queuedeck_bulk_operations set ended_at = ? where seq = ? and ended_at is null',
    [now, seq]
  )
}

/** Asks an operation to stop; false when it has ended. */
export async function stopOperation(session: Session, id: string): Promise<boolean> {
  const found = await session.run(
    'update queuedeck_bulk_operations set stopped = 1 where id = ? and ended_at is null',
    [id]
  )
  return found > 0
}

/** Removes operations that ended before a moment, at most so many; answers how many went. */
export async function eraseOperations(
  session: Session,
  before: number,
  most: number
): Promise<number> {
  const rows = await session.all(
    'select seq from queuedeck_bulk_operations where ended_at < ? order by ended_at limit ?',
    [before, most]
  )
  if (rows.length === 0) return 0
  const list = rows.map(({ seq }) => Number(seq)).join(', ')
  await session.run(`delete from queuedeck_bulk_items where seq in (${list})`)
  await session.run(`delete from queuedeck_drains where seq in (${list})`)
  return session.run(`delete from queuedeck_bulk_operations where seq in (${list})`)
}

/** How many operations ended before a moment. */
export async function countOperations(session: Session, before: number): Promise<number> {
  const [{ n }] = await session.all(
    'select count(*) as n from queuedeck_bulk_operations where ended_at < ?',
    [before]
  )
  return Number(n)
}

type Reading = { all(sql: string, values?: readonly unknown[]): Promise<Record<string, any>[]> }

export async function findOperation(db: Reading, id: string): Promise<BulkOperation | null> {
  const [row] = await db.all(`${READ} where o.id = ?`, [id])
  return row ? operationOf(row) : null
}

/** Operations that have not ended, oldest first. */
export async function openOperations(db: Reading): Promise<BulkOperation[]> {
  const rows = await db.all(`${READ} where o.ended_at is null order by o.seq`)
  return rows.map(operationOf)
}

/** Items behind a number, with one outcome where one is given. */
export async function readItems(
  db: Reading,
  seq: number,
  { after, limit, outcome }: { after: number; limit: number; outcome?: Outcome | undefined }
): Promise<BulkItem[]> {
  const rows = await db.all(
    `select ${ITEM_COLUMNS} from queuedeck_bulk_items where seq = ? and n > ?${outcome ? ' and outcome = ?' : ''} order by n limit ?`,
    [seq, after, ...(outcome ? [outcome] : []), limit]
  )
  return rows.map(itemOf)
}

function operationOf(row: Record<string, any>): BulkOperation {
  return {
    seq: Number(row.seq),
    id: row.id,
    action: row.action,
    priority: row.priority === null ? null : Number(row.priority),
    drain:
      row.queue === null
        ? null
        : {
            queue: row.queue,
            scheduled: Number(row.scheduled) === 1,
            began: Number(row.began_at),
          },
    actor: {
      id: row.actor,
      ...(row.actor_name === null ? {} : { name: row.actor_name }),
      via: row.via,
    },
    createdAt: Number(row.created_at),
    endedAt: row.ended_at === null ? null : Number(row.ended_at),
    stopped: Number(row.stopped) === 1,
    total: Number(row.total),
    counts: {
      done: Number(row.done),
      requested: Number(row.requested),
      too_late: Number(row.too_late),
      refused: Number(row.refused),
    },
  }
}

function itemOf(row: Record<string, any>): BulkItem {
  return {
    n: Number(row.n),
    jobId: row.job_id,
    type: row.type,
    run: Number(row.run),
    outcome: row.outcome,
    reason: row.reason,
  }
}

function shortReason(reason: string | null): string | null {
  return reason === null ? null : cutText(storable(reason), LONGEST_REASON)
}
