import type { Db } from '../dialect/db.ts'
import type { DialectName } from '../dialect/names.ts'
import { uuidToBytes } from '../ids.ts'

/** A piece of SQL with the values of its `?`. */
export type Sql = { text: string; values: unknown[] }

export type Order = 'asc' | 'desc'

export function sql(text: string, ...values: unknown[]): Sql {
  return { text, values }
}

export function joined(parts: readonly Sql[], separator: string): Sql {
  return {
    text: parts.map(({ text }) => text).join(separator),
    values: parts.flatMap(({ values }) => values),
  }
}

/** All of them; true when there are none. */
export function every(parts: readonly Sql[]): Sql {
  return parts.length === 0 ? sql('1 = 1') : joined(parts, ' and ')
}

/** One of some numbers; never when there are none. */
export function oneOf(column: string, values: readonly number[]): Sql {
  if (values.length === 0) return sql('1 = 0')
  if (values.length === 1) return sql(`${column} = ?`, values[0])
  return sql(`${column} in (${values.map(() => '?').join(', ')})`, ...values)
}

export function orderBy(keys: readonly string[], order: Order, alias = ''): string {
  return keys.map((key) => `${alias}${key} ${order}`).join(', ')
}

/** Selects put together; SQLite takes no brackets around one that has an order of its own. */
export function union(dialect: DialectName, arms: readonly Sql[]): Sql {
  if (arms.length === 1) return arms[0]
  const wrapped = arms.map(({ text, values }) => ({
    text: dialect === 'sqlite' ? `select * from (${text})` : `(${text})`,
    values,
  }))
  return joined(wrapped, ' union all ')
}

/** Makes SQLite and MySQL take an index. PostgreSQL has no such word: there `fence` keeps parts of a query apart. */
export function hint(dialect: DialectName, index: string | null): string {
  if (!index || dialect === 'postgres') return ''
  return dialect === 'sqlite' ? ` indexed by ${index}` : ` force index (${index})`
}

/** Keeps PostgreSQL from mixing the conditions around a subquery with those within it. */
export function fence(dialect: DialectName): string {
  return dialect === 'postgres' ? ' offset 0' : ''
}

/** An id as a value for SQL. */
export function idValue(dialect: DialectName, id: string): unknown {
  return dialect === 'postgres' ? id : uuidToBytes(id)
}

export function run(db: Db, { text, values }: Sql) {
  return db.all(text, values)
}

/** Sorts two keys of numbers like a database does: by the first that differ. */
export function compareKeys(one: readonly number[], other: readonly number[]): number {
  const at = one.findIndex((value, index) => value !== other[index])
  return at === -1 ? 0 : one[at] - other[at]
}
