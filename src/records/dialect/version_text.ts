import type { DialectName } from './names.ts'

/**
 * `version` as text, exact: versions exceed 2^53, and drivers would round them.
 */
export const VERSION_TEXT: Record<DialectName, string> = {
  sqlite: 'cast(version as text)',
  postgres: 'version::text',
  mysql: 'cast(version as char)',
}
