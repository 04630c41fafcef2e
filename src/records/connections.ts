import type { Database } from '@adonisjs/lucid/database'
import { E_INVALID_CONFIG } from '../errors.ts'
import { dialectOf, type DialectName } from './dialect/names.ts'

/**
 * Where records live: a connection of config/database.ts, as our own raw connections need it.
 */
export type ConnectionSettings = {
  dialect: DialectName
  /** Name in config/database.ts. */
  name: string
  /** What the driver takes: host, user, ssl, socket, filename and so on. */
  connection: Record<string, any>
  /** Most connections of the host's own pool; ours take at most as many. */
  poolMax: number
  /** The host's hook for new connections (`set role`, a pragma). */
  afterCreate: ((connection: any, done: (error?: unknown) => void) => void) | undefined
  searchPath: string[]
}

/**
 * Settings of a connection of Lucid's; default: its default connection. Of a connection with replicas the writing node is
 * taken, for reading too, because pages show what was committed a moment ago.
 *
 * @throws E_INVALID_CONFIG for an unknown name, a client that cannot keep records, or a database in memory
 */
export function connectionSettings(database: Database, name?: string): ConnectionSettings {
  const chosen = name ?? database.primaryConnectionName
  const config = database.manager.get(chosen)?.config as Record<string, any> | undefined
  if (!config) {
    throw new E_INVALID_CONFIG([`config/database.ts has no connection "${chosen}" ("database")`])
  }
  const dialect = dialectOf(config.client)
  const node = config.replicas?.write
  const connection = {
    ...asObject(config.connection, dialect),
    ...asObject(node?.connection, dialect),
  }
  if (dialect === 'sqlite') checkFile(connection.filename, chosen)
  const pool = node?.pool ?? config.pool ?? {}
  return {
    dialect,
    name: chosen,
    connection,
    poolMax: pool.max ?? 10,
    afterCreate: pool.afterCreate,
    searchPath: [config.searchPath ?? connection.searchPath ?? []].flat(),
  }
}

function asObject(value: unknown, dialect: DialectName): Record<string, any> {
  if (typeof value !== 'string') return (value ?? {}) as Record<string, any>
  if (dialect === 'postgres') return { connectionString: value }
  return dialect === 'mysql' ? { uri: value } : { filename: value }
}

function checkFile(filename: unknown, name: string): void {
  if (
    typeof filename === 'string' &&
    filename !== '' &&
    !/^(:memory:|file::memory:)/.test(filename)
  ) {
    return
  }
  throw new E_INVALID_CONFIG([
    `the connection "${name}" of config/database.ts keeps its data in memory ("${filename ?? ''}"), where other connections cannot see it: give it a file`,
  ])
}

/**
 * Loads a driver that the host installed.
 *
 * @throws E_INVALID_CONFIG when it is missing
 */
export async function loadDriver<T>(name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load()
  } catch (error) {
    throw new E_INVALID_CONFIG(
      [
        `the database driver "${name}" cannot be loaded (${(error as Error).message}): run "npm install ${name}"`,
      ],
      { cause: error }
    )
  }
}

/**
 * Gives a new connection to the host's hook, as Lucid does.
 */
export function greet(settings: ConnectionSettings, connection: unknown): Promise<void> {
  const { afterCreate } = settings
  if (!afterCreate) return Promise.resolve()
  return new Promise((resolve, reject) => {
    afterCreate(connection, (error) => (error ? reject(error as Error) : resolve()))
  })
}
