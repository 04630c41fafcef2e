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

/**
 * Makes the tables, as a host's migration does.
 */
export async function migrate(connection: TestDatabase['connection']): Promise<void> {
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
