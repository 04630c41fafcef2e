import type { DialectName } from './names.ts'

/** One row, by column name. Numbers up to 2^53 are numbers; `version` columns come as text; ids as the driver has them. */
export type Row = Record<string, any>

/**
 * The little of a database that reading needs, the same on every driver: `?` marks a value, moments and counts come back
 * as numbers on all of them.
 */
export interface Db {
  readonly dialect: DialectName
  /** Rows of one `select`. Throws E_DATABASE_UNAVAILABLE while the database cannot be reached. */
  all(sql: string, values?: readonly unknown[]): Promise<Row[]>
}
