import { E_DATABASE_UNAVAILABLE, E_INVALID_CONFIG, E_MIGRATIONS_MISSING } from '../errors.ts'

const NO_TABLE = ['42P01', 'ER_NO_SUCH_TABLE', 'ER_BAD_FIELD_ERROR', '42703']

/** PostgreSQL: refused to log in, no such database, too many connections, shutting down, starting. */
const AWAY = /^(08|28|3D|53|57P)/

const AWAY_CODES = [
  'ER_ACCESS_DENIED_ERROR',
  'ER_BAD_DB_ERROR',
  'ER_CON_COUNT_ERROR',
  'ER_SERVER_SHUTDOWN',
  'SQLITE_CANTOPEN',
  'SQLITE_IOERR',
  'SQLITE_BUSY',
  'SQLITE_NOTADB',
  'SQLITE_READONLY',
  'PROTOCOL_CONNECTION_LOST',
  'PROTOCOL_SEQUENCE_TIMEOUT',
  'ER_QUERY_TIMEOUT',
]

/**
 * The error of a driver in our words: E_DATABASE_UNAVAILABLE where the database cannot be reached, E_MIGRATIONS_MISSING where
 * its tables are not there; any other as it is.
 *
 * @param action  What was not done: `jobs cannot be listed`.
 */
export function translated(error: unknown, action: string): unknown {
  if (error instanceof E_INVALID_CONFIG || error instanceof E_MIGRATIONS_MISSING) return error
  const { code = '', message = '' } = error as { code?: string; message?: string }
  if (NO_TABLE.includes(code) || /^no such (table|column)/.test(message)) {
    return new E_MIGRATIONS_MISSING([message], { cause: error })
  }
  const isAway =
    AWAY.test(code) ||
    AWAY_CODES.some((known) => code.startsWith(known)) ||
    /^E[A-Z]+$/.test(code) ||
    /connection|timeout|timed out|max_statement_time|closed state|unable to open database|directory does not exist/i.test(
      message
    )
  if (!isAway) return error
  // A host name with several addresses fails with a list of errors and no message.
  const reasons = (error as { errors?: Error[] }).errors?.map((one) => one.message).join('; ')
  return new E_DATABASE_UNAVAILABLE([action, message || reasons || code], { cause: error })
}
