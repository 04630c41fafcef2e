import { existsSync } from 'node:fs'
import { copyFile } from 'node:fs/promises'
import { Emitter } from '@adonisjs/core/events'
import { LoggerFactory } from '@adonisjs/core/factories/logger'
import { AppFactory } from '@adonisjs/core/factories/app'
import { Database } from '@adonisjs/lucid/database'
import { Records } from '../../../src/records/records.ts'
import { createQueuedeckTables } from '../../../src/records/schema.ts'
import { TABLES } from '../../../src/records/tables.ts'
import type { DatabaseCase, DatabaseKind, TestDatabase } from '#tests/helpers/databases'

/**
 * Records in a database, without an application around them.
 */
export function openRecords(connection: TestDatabase['connection']): Records {
  const logger = new LoggerFactory().create()
  const database = lucid(connection)
  return new Records({ database, connection: undefined, logger })
}

/** A SQLite file with the tables. */
let tables: Promise<string> | undefined

/**
 * Gives an empty database the tables. A new SQLite file is a copy of one that has them: making them waits for the disk again and again.
 */
export async function migrate(connection: TestDatabase['connection']): Promise<void> {
  const { filename } = connection.connection as { filename?: string }
  if (filename === undefined || existsSync(filename)) return makeTables(connection)
  await copyFile(await (tables ??= fileWithTables()), filename)
}

/** Databases of servers that tests of this process take over from each other. */
const taken = new Map<DatabaseKind, Promise<TestDatabase>>()

/**
 * A database with empty tables, for tests that come one after the other: of SQLite a new file, of a server always the same one, because
 * making tables takes a server much longer than emptying them. Whoever had it has closed its connections.
 */
export async function emptyTables({
  kind,
  create,
}: Pick<DatabaseCase, 'kind' | 'create'>): Promise<TestDatabase['connection']> {
  const isNew = kind === 'sqlite' || !taken.has(kind)
  const made = isNew ? create() : taken.get(kind)!
  if (kind !== 'sqlite') taken.set(kind, made)
  const { connection } = await made
  await (isNew ? migrate(connection) : empty(connection))
  return connection
}

async function empty(connection: TestDatabase['connection']): Promise<void> {
  const database = lucid(connection)
  const db = database.connection()
  for (const name of [...Object.values(TABLES).map((table) => table.name), 'queuedeck_names']) {
    await db.rawQuery(`delete from ${name}`)
  }
  await db.rawQuery(`delete from queuedeck_meta where name not in ('schema', 'jobs', 'made')`)
  await db.rawQuery(`update queuedeck_meta set value = 0 where name = 'jobs'`)
  await db.rawQuery(`update queuedeck_meta set value = ${Date.now()} where name = 'made'`)
  await database.manager.closeAll()
}

async function fileWithTables(): Promise<string> {
  const { createDatabase } = await import('#tests/helpers/databases')
  const { connection } = await createDatabase('sqlite')
  await makeTables(connection)
  return connection.connection.filename as string
}

/**
 * Makes the tables, as a host's migration does.
 */
export async function makeTables(connection: TestDatabase['connection']): Promise<void> {
  const database = lucid(connection)
  await createQueuedeckTables(database.connection() as never)
  await database.manager.closeAll()
}

function lucid(connection: TestDatabase['connection']): Database {
  const logger = new LoggerFactory().create()
  const app = new AppFactory().create(new URL('./', import.meta.url), () => {})
  const config = { connection: 'records', connections: { records: connection } }
  return new Database(config as never, logger, new Emitter(app as never))
}
