import type { Column } from '../columns.ts'
import { JOB_COLUMNS, type Table } from '../tables.ts'
import type { Row } from './db.ts'
import type { DialectName } from './names.ts'

/**
 * What becomes of a column of a row that exists already: the new value; the new one where the old is NULL; the new one
 * unless it is NULL; the sum; the greater one; the new outcome unless it says `running`.
 */
export type Merge = 'replace' | 'fill' | 'given' | 'add' | 'most' | 'outcome'

/**
 * One kind of writing: sessions keep a statement for each, so make it once.
 */
export type Shape = {
  table: Table | NamedTable
  columns: readonly Column[]
  /** For rows that exist: an error, nothing, or what happens to each of these columns. */
  existing: 'fail' | 'ignore' | Readonly<Record<string, Merge>>
}

/** A table outside of `TABLES`. */
export type NamedTable = { name: string; key: string[] }

/**
 * A connection that writes; used by one transaction at a time. `?` marks a value in all statements. Everything throws what
 * the driver throws. Statements may be sent without waiting for those before; what comes behind one that failed lasts no more
 * than that one.
 */
export interface Session {
  readonly dialect: DialectName
  /** Longest text that one column takes, in UTF-16 units. */
  readonly longestText: number
  /** Appended to a select to lock its rows. */
  readonly lock: string
  /** Lets what was sent go out before more of it is made. */
  turn(): Promise<void>
  begin(): Promise<void>
  commit(): Promise<void>
  rollback(): Promise<void>
  all(sql: string, values?: readonly unknown[]): Promise<Row[]>
  /** Number of rows that the statement found. */
  run(sql: string, values?: readonly unknown[]): Promise<number>
  /** `select` with `column in (values)` put behind it; any number of values, one type. */
  allIn(select: string, column: string, type: Column['type'], values: unknown[]): Promise<Row[]>
  /** Inserts rows, each in the order of the shape's columns. */
  put(shape: Shape, rows: unknown[][]): Promise<void>
  /**
   * The stored rows of jobs, in the order of their ids, null where there is none: values in the order of JOB_COLUMNS, `version`
   * as text so that it is exact. What stands in the place of `id` is not told.
   */
  jobs(ids: readonly string[]): Promise<(unknown[] | null)[]>
  /** Inserts jobs; each row holds all columns, those that are not `named` have their default value. */
  insertJobs(named: readonly number[], rows: unknown[][]): Promise<void>
  /** Writes `changed` columns of existing jobs; each row holds all columns of jobs. */
  updateJobs(changed: readonly number[], rows: unknown[][]): Promise<void>
  /** A job's id as this database takes it. */
  idValue(id: string): unknown
  close(): Promise<void>
}

/**
 * The assignment of a merge, in the words of SQLite and PostgreSQL.
 */
export function mergeExpression(table: string, column: string, merge: Merge): string {
  const given = `excluded.${column}`
  const old = `${table}.${column}`
  const value = {
    replace: given,
    fill: `coalesce(${old}, ${given})`,
    given: `coalesce(${given}, ${old})`,
    add: `${old} + ${given}`,
    most: `case when ${given} > ${old} then ${given} else ${old} end`,
    outcome: `case when ${given} = 0 then ${old} else ${given} end`,
  }[merge]
  return `${column} = ${value}`
}

export function onConflict(shape: Shape): string {
  const { table, existing } = shape
  if (existing === 'fail') return ''
  if (existing === 'ignore') return ' on conflict do nothing'
  const merges = Object.entries(existing).map(([column, merge]) =>
    mergeExpression(table.name, column, merge)
  )
  return ` on conflict (${table.key.join(', ')}) do update set ${merges.join(', ')}`
}

/**
 * What a select of jobs names, so that values come in the order of JOB_COLUMNS.
 *
 * @param version  Expression that gives `version` as text
 * @param id  What to put in the place of `id`
 */
export function jobSelection(version: string, id: string): string {
  const expressions: Record<string, string> = { id, version }
  return JOB_COLUMNS.map(({ name }) => expressions[name] ?? name).join(', ')
}

/** Names of some columns of jobs. */
export function jobNames(columns: readonly number[]): string {
  return columns.map((index) => JOB_COLUMNS[index].name).join(', ')
}
