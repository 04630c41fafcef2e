import { STATUSES, statusCode } from '../../statuses.ts'
import type { Db } from '../dialect/db.ts'
import { foreignId } from '../ids.ts'
import type { JobQuery } from '../job_query.ts'
import type { NameReader } from './name_reader.ts'
import { idOf } from './rows.ts'
import { every, hint, idValue, oneOf, sql, type Sql } from './sql.ts'

/** Filters by name that a column of jobs answers. */
export const NAME_COLUMNS = {
  type: 'type_id',
  queue: 'queue_id',
  user: 'user_id',
  host: 'host_id',
} as const

export type NameField = keyof typeof NAME_COLUMNS

export const NAME_FIELDS = Object.keys(NAME_COLUMNS) as NameField[]

/** A range of ids, or single ones: with both in one condition PostgreSQL would read its whole index. */
export type IdFilter = { low: string; high: string } | { list: string[] }

/**
 * A query's filter in the numbers that records hold. `null`: not filtered by that.
 */
export type Filter = {
  /** Codes, ascending; all seven where the query names none. */
  statuses: number[]
  type: number[] | null
  queue: number[] | null
  user: number[] | null
  host: number[] | null
  tag: number[] | null
  from: number | null
  to: number | null
  ids: IdFilter | null
  /** Leaves out what another filter of the same query finds. */
  notUsers: number[] | null
}

export const ALL_STATUSES: readonly number[] = STATUSES.map((_, code) => code)

/** Every job. */
export const NO_FILTER: Filter = {
  statuses: [...ALL_STATUSES],
  type: null,
  queue: null,
  user: null,
  host: null,
  tag: null,
  from: null,
  to: null,
  ids: null,
  notUsers: null,
}

/** Parts of a filter, named so that a plan can say which of them it has answered already. */
export type FilterPart = NameField | 'tag' | 'status' | 'time' | 'ids'

export function isAnyStatus(filter: Filter): boolean {
  return filter.statuses.length === ALL_STATUSES.length
}

/** The parts that restrict anything. */
export function partsOf(filter: Filter): FilterPart[] {
  const parts: FilterPart[] = NAME_FIELDS.filter((field) => filter[field] !== null)
  if (filter.tag) parts.push('tag')
  if (!isAnyStatus(filter)) parts.push('status')
  if (filter.from !== null || filter.to !== null) parts.push('time')
  if (filter.ids || filter.notUsers) parts.push('ids')
  return parts
}

/**
 * Conditions on the columns of jobs, given as `j`, for all parts of a filter but those in `answered`.
 */
export function conditions(db: Db, filter: Filter, answered: readonly FilterPart[] = []): Sql {
  const parts: Sql[] = []
  const open = (part: FilterPart) => !answered.includes(part)
  for (const field of NAME_FIELDS) {
    const ids = filter[field]
    if (ids && open(field)) parts.push(oneOf(`j.${NAME_COLUMNS[field]}`, ids))
  }
  if (!isAnyStatus(filter) && open('status')) parts.push(oneOf('j.status', filter.statuses))
  if (open('time')) {
    if (filter.from !== null) parts.push(sql('j.created_at >= ?', filter.from))
    if (filter.to !== null) parts.push(sql('j.created_at < ?', filter.to))
  }
  if (open('ids')) {
    if (filter.ids) parts.push(idCondition(db, filter.ids, 'j.id'))
    if (filter.notUsers) {
      const users = oneOf('j.user_id', filter.notUsers)
      parts.push({ text: `(j.user_id is null or not (${users.text}))`, values: users.values })
    }
  }
  if (filter.tag && open('tag')) {
    // Not `exists`, and no condition on the tag itself: planners would then read all jobs of the tag first.
    const tags = oneOf('t.tag_id + 0', filter.tag)
    const index = hint(db.dialect, 'queuedeck_tags_seq')
    parts.push({
      text: `j.tagged = 1 and (select 1 from queuedeck_tags t${index} where t.seq = j.seq and ${tags.text} limit 1) is not null`,
      values: tags.values,
    })
  }
  return every(parts)
}

/** What an id has to be like. */
export function idCondition(db: Db, ids: IdFilter, column: string): Sql {
  const values = ('list' in ids ? ids.list : [ids.low, ids.high]).map((id) =>
    idValue(db.dialect, id)
  )
  if (!('list' in ids)) return sql(`${column} between ? and ?`, ...values)
  return sql(`${column} in (${values.map(() => '?').join(', ')})`, ...values)
}

/**
 * The filters whose jobs together are what the query asks for; no job is in two of them. Usually one; none when a name is
 * given that no record has; up to three when `q` may be an id, BullMQ's id and a user.
 */
export async function resolveFilters(
  db: Db,
  names: NameReader,
  query: JobQuery
): Promise<Filter[]> {
  const [type, queue, user, host, tag] = await Promise.all([
    namesOf(names, 'type', query.types),
    namesOf(names, 'queue', query.queues),
    namesOf(names, 'user', query.users),
    namesOf(names, 'host', query.hosts),
    namesOf(names, 'tag', query.tags),
  ])
  const statuses = query.statuses.length ? query.statuses.map(statusCode).sort() : [...ALL_STATUSES]
  const { from, to } = query
  const filter: Filter = { ...NO_FILTER, statuses, type, queue, user, host, tag, from, to }
  if ([type, queue, user, host, tag].some((ids) => ids?.length === 0)) return []
  return query.q === '' ? [filter] : withSearch(db, names, filter, query.q)
}

async function namesOf(names: NameReader, kind: NameField | 'tag', values: readonly string[]) {
  return values.length === 0 ? null : names.resolve(kind, values)
}

async function withSearch(db: Db, names: NameReader, filter: Filter, q: string): Promise<Filter[]> {
  const found: Filter[] = []
  /** `user:42` may be a user's whole name, or that of user 42. */
  const [, named] = /^user:\s*(.+)$/i.exec(q) ?? []
  const users = await names.resolve('user', named === undefined ? [q] : [q, named], 'q')
  const both = filter.user === null ? users : users.filter((id) => filter.user!.includes(id))
  if (both.length > 0) found.push({ ...filter, user: both })
  const notUsers = both.length > 0 ? both : null
  const range = idRange(q)
  if (range) found.push({ ...filter, ids: range, notUsers })
  const list = range && q.length === 36 ? [] : await foreignIds(db, q, range)
  if (list.length > 0) found.push({ ...filter, ids: { list }, notUsers })
  return found
}

/** First and last id that begin with a text; null for one that no id begins with. */
function idRange(text: string): { low: string; high: string } | null {
  const digits = text.toLowerCase().replaceAll('-', '')
  if (!/^[0-9a-f]{1,32}$/.test(digits)) return null
  if (text.includes('-') && !uuidOf(digits.padEnd(32, '0')).startsWith(text.toLowerCase()))
    return null
  return { low: uuidOf(digits.padEnd(32, '0')), high: uuidOf(digits.padEnd(32, 'f')) }
}

function uuidOf(hex: string): string {
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20),
  ].join('-')
}

/**
 * Ids outside of the range of jobs of other producers that BullMQ knows by this one: each queue may have one.
 */
async function foreignIds(
  db: Db,
  transportId: string,
  range: { low: string; high: string } | null
): Promise<string[]> {
  const queues = await db.all(`select name from queuedeck_names where kind = 2 limit 500`)
  const ids = queues
    .map(({ name }) => foreignId(name, transportId))
    .filter((id) => !range || id < range.low || id > range.high)
  if (ids.length === 0) return []
  const { text, values } = idCondition(db, { list: ids }, 'id')
  const rows = await db.all(`select id from queuedeck_jobs where ${text}`, values)
  return rows.map(({ id }) => idOf(id))
}
