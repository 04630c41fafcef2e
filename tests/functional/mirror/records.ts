import { existsSync } from 'node:fs'
import { copyFile } from 'node:fs/promises'
import { Emitter } from '@adonisjs/core/events'
import { LoggerFactory } from '@adonisjs/core/factories/logger'
import { AppFactory } from '@adonisjs/core/factories/app'
import { Database } from '@adonisjs/lucid/database'
import { Records } from '../../../src/records/records.ts'
import { createQueuedeckTables } from '../../../src/records/schema.ts'
import type { TestDatabase } from '#tests/helpers/databases'

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
