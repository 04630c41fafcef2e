import type Pg from 'pg'

/** Settings of a connection to PostgreSQL, by name. */
export type PostgresSettings = Readonly<Record<string, string>>

/**
 * Whether a pooler (PgBouncer and its like) stands between. It may give each transaction another connection to the server: settings and
 * prepared statements would be missing there, and be found on another one by whoever gets that next, the host included. A pooler answers the
 * beginning of a connection by itself, so the process that it names is not the server's.
 */
export async function isPooled(client: Pg.ClientBase): Promise<boolean> {
  const { rows } = await client.query('select pg_backend_pid() as process')
  return rows[0].process !== (client as { processID?: number | null }).processID
}

/** Statements that set something for as long as a connection lasts. */
export function settingAll(settings: PostgresSettings): string {
  return setting('set', settings)
}

/** The beginning of a transaction in which the settings hold, and after which nothing of them is left. */
export function beginningWith(settings: PostgresSettings): string {
  return `begin isolation level read committed; ${setting('set local', settings)}`
}

/**
 * Runs statements as a transaction of their own, in which the settings hold.
 */
export async function inTransaction<T>(
  client: Pg.ClientBase,
  settings: PostgresSettings,
  run: () => Promise<T>
): Promise<T> {
  await client.query(beginningWith(settings))
  try {
    const result = await run()
    await client.query('commit')
    return result
  } catch (error) {
    await client.query('rollback').catch(() => {})
    throw error
  }
}

function setting(how: string, settings: PostgresSettings): string {
  return Object.entries(settings)
    .map(([name, value]) => `${how} ${name} = ${value}`)
    .join('; ')
}
