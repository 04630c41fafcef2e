import type { Actor } from '../../types.ts'
import type {
  AuditAction,
  AuditOutcome,
  AuditTarget,
  StoredEntry,
} from '../../transport/audit_trail.ts'
import type { Session } from '../dialect/session.ts'
import { storable, storableShort, storedFold } from '../storable.ts'
import { AUDIT_COLUMNS } from '../service_columns.ts'
import { TABLES } from '../tables.ts'

/**
 * One action as the audit shows it.
 */
export type AuditRow = {
  seq: number
  /** UUID of the action. */
  id: string
  /** When it began, epoch ms by Redis' clock. */
  at: number
  actor: Actor
  action: AuditAction
  target: AuditTarget
  /** `unknown`: begun, and nobody has said what came of it. */
  outcome: AuditOutcome
  reason: string | null
  detail: Record<string, unknown>
}

const ROWS = { table: TABLES.audit, columns: AUDIT_COLUMNS, existing: 'fail' } as const

const COLUMNS = AUDIT_COLUMNS.map(({ name }) => name).join(', ')

/** An entry and when its action began, epoch ms. */
export type WrittenEntry = Pick<StoredEntry, 'at' | 'entry'>

/**
 * Writes entries, in one transaction. Those that are there already are left alone, but for what came of them: the same
 * entries again change nothing.
 */
export async function writeAudit(session: Session, entries: WrittenEntry[]): Promise<void> {
  // The lock lets two processes that write at once take different numbers.
  await session.all(`select name, value from queuedeck_meta where name = 'jobs'${session.lock}`)
  const newest = new Map<string, WrittenEntry>()
  for (const stored of entries) {
    const earlier = newest.get(stored.entry.id)
    newest.set(stored.entry.id, { ...stored, at: earlier?.at ?? stored.at })
  }
  const ids = [...newest.keys()]
  const known = new Map<string, string>()
  for (const { id, outcome } of await session.allIn(
    'select id, outcome from queuedeck_audit where',
    'id',
    'short',
    ids
  )) {
    known.set(id, outcome)
  }
  const [{ last }] = await session.all('select max(seq) as last from queuedeck_audit')
  let seq = Number(last ?? 0)
  const fresh = [...newest.values()].filter(({ entry }) => !known.has(entry.id))
  if (fresh.length > 0) {
    await session.put(
      ROWS,
      fresh.map((stored) => rowOf(++seq, stored))
    )
  }
  for (const { entry } of newest.values()) {
    const before = known.get(entry.id)
    /** What is known already is not unlearnt from its beginning, which may come again. */
    if (before === undefined || entry.outcome === 'unknown') continue
    await session.run(
      'update queuedeck_audit set outcome = ?, reason = ?, target_kind = ?, target = ?, detail = ? where id = ?',
      [
        entry.outcome,
        entry.reason === null ? null : storable(entry.reason),
        storableShort(entry.target.kind),
        storableShort(entry.target.id),
        storable(JSON.stringify(entry.detail ?? {})),
        entry.id,
      ]
    )
  }
}

/** How many actions began before a moment. */
export async function countAudit(session: Session, before: number): Promise<number> {
  const [{ n }] = await session.all('select count(*) as n from queuedeck_audit where at < ?', [
    before,
  ])
  return Number(n)
}

/** Removes actions that began before a moment, at most so many; answers how many went. */
export async function eraseAudit(session: Session, before: number, most: number): Promise<number> {
  const rows = await session.all(
    'select seq from queuedeck_audit where at < ? order by at limit ?',
    [before, most]
  )
  if (rows.length === 0) return 0
  const list = rows.map(({ seq }) => Number(seq)).join(', ')
  return session.run(`delete from queuedeck_audit where seq in (${list}) and at < ?`, [before])
}

function rowOf(seq: number, { at, entry }: WrittenEntry): unknown[] {
  const { actor, target } = entry
  return [
    seq,
    storableShort(entry.id),
    at,
    storableShort(actor.id),
    actor.name ? storableShort(actor.name) : null,
    storedFold(storableShort(actor.name ?? actor.id)),
    storableShort(actor.via),
    actor.bulk ? storableShort(actor.bulk) : null,
    storableShort(entry.action),
    storableShort(target.kind),
    storableShort(target.id),
    storableShort(entry.outcome),
    entry.reason === null ? null : storable(entry.reason),
    storable(JSON.stringify(entry.detail ?? {})),
  ]
}

export type AuditFilter = {
  /** Id or name of whoever acted, without case; `*` stands for anything. */
  who?: string | undefined
  action?: string | undefined
  /** Id of what was acted on, exactly. */
  target?: string | undefined
  /** Epoch ms, `from` included, `to` not. */
  from?: number | undefined
  to?: number | undefined
}

/** A place in the list: moment and number of a row. */
export type AuditPlace = { at: number; seq: number }

type Reading = { all(sql: string, values?: readonly unknown[]): Promise<Record<string, any>[]> }

/**
 * Actions, newest first; behind a place where one is given.
 */
export async function readAudit(
  db: Reading,
  filter: AuditFilter,
  { limit, after }: { limit: number; after?: AuditPlace | undefined }
): Promise<AuditRow[]> {
  const conditions: string[] = []
  const values: unknown[] = []
  const where = (condition: string, ...given: unknown[]) => {
    conditions.push(condition)
    values.push(...given)
  }
  if (filter.who !== undefined) {
    const folded = storedFold(storableShort(filter.who))
    if (folded.includes('*')) where(`actor_fold like ? escape '!'`, pattern(folded))
    else where('(actor_fold = ? or actor = ?)', folded, storableShort(filter.who))
  }
  if (filter.action !== undefined) where('action = ?', storableShort(filter.action))
  if (filter.target !== undefined) where('target = ?', storableShort(filter.target))
  if (filter.from !== undefined) where('at >= ?', filter.from)
  if (filter.to !== undefined) where('at < ?', filter.to)
  if (after) where('(at < ? or (at = ? and seq < ?))', after.at, after.at, after.seq)
  const wherever = conditions.length > 0 ? ` where ${conditions.join(' and ')}` : ''
  const rows = await db.all(
    `select ${COLUMNS} from queuedeck_audit${wherever} order by at desc, seq desc limit ?`,
    [...values, limit]
  )
  return rows.map(viewOf)
}

function viewOf(row: Record<string, any>): AuditRow {
  return {
    seq: Number(row.seq),
    id: row.id,
    at: Number(row.at),
    actor: {
      id: row.actor,
      ...(row.actor_name === null ? {} : { name: row.actor_name }),
      via: row.via,
      ...(row.bulk === null ? {} : { bulk: row.bulk }),
    },
    action: row.action,
    target: { kind: row.target_kind, id: row.target },
    outcome: row.outcome,
    reason: row.reason,
    detail: readDetail(row.detail),
  }
}

function readDetail(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text)
  } catch {
    // Cut by hand or by another program: an action must not hide the others.
    return {}
  }
}

function pattern(text: string): string {
  return text.replace(/[!%_]/g, (letter) => `!${letter}`).replaceAll('*', '%')
}
