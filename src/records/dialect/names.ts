import { E_INVALID_CONFIG } from '../../errors.ts'

export type DialectName = 'sqlite' | 'postgres' | 'mysql'

const DIALECTS: Record<string, DialectName> = {
  'better-sqlite3': 'sqlite',
  'pg': 'postgres',
  'postgres': 'postgres',
  'postgresql': 'postgres',
  'mysql': 'mysql',
  'mysql2': 'mysql',
}

/**
 * Our word for a client or dialect of Lucid. Throws E_INVALID_CONFIG for one that records cannot use.
 */
export function dialectOf(client: string): DialectName {
  const dialect = DIALECTS[client]
  if (dialect) return dialect
  throw new E_INVALID_CONFIG([
    `records cannot be kept by the database client "${client}": use a connection of better-sqlite3, pg or mysql2`,
  ])
}
