import type { Database } from '@adonisjs/lucid/database'
import { E_MIGRATIONS_MISSING } from '../errors.ts'
import { Audit } from './audit.ts'
import { BulkLedger } from './bulk.ts'
import { connectionSettings, type ConnectionSettings } from './connections.ts'
import type { Db, Row } from './dialect/db.ts'
import { MysqlDb, MysqlSession } from './dialect/mysql.ts'
import { PostgresDb, PostgresSession } from './dialect/postgres.ts'
import { SqliteDb, SqliteSession } from './dialect/sqlite.ts'
import type { Session } from './dialect/session.ts'
import { Deletion } from './eraser/deletion.ts'
import { Eraser } from './eraser/eraser.ts'
import { Identity } from './identity.ts'
import { Ledger } from './ledger.ts'
import { MetricsKeeper, MetricsReader } from './metrics/main.ts'
import { Reader } from './reader.ts'
import { NameReader } from './reader/name_reader.ts'
import { ScheduleLedger } from './schedules.ts'
import { SCHEMA_VERSION } from './schema.ts'
import { translated } from './trouble.ts'
import { Writer } from './writer.ts'

export type RecordsOptions = {
  /** Lucid's, binding `lucid.db`: where the host configured its connections. */
  database: Database
  /** Name of the connection; default: Lucid's default connection. */
  connection?: string | undefined
  logger?: { debug(bindings: object, message: string): void }
}

const OPENERS: Record<string, (settings: ConnectionSettings) => Promise<Session>> = {
  sqlite: SqliteSession.open,
  postgres: PostgresSession.open,
  mysql: MysqlSession.open,
}

/**
 * The records of all jobs in the host's database, over connections of their own that are made when first needed. Binding
 * `queuedeck.records`.
 */
export class Records {
  /** What pages, commands and JSON ask. */
  readonly reader: Reader

  /** What happened over time: see metrics/main.ts. */
  readonly metrics: MetricsReader

  /** For the mirror alone. */
  readonly writer: Writer
  readonly metricsKeeper: MetricsKeeper

  /** For what is no record of a job. */
  readonly ledger: Ledger

  /** What tells this database from others. */
  readonly identity: Identity

  /** Deletes single records that have ended; whoever asks has made sure that nothing writes them any more. */
  readonly deletion: Deletion

  /** Who did what when. */
  readonly audit: Audit

  /** Actions on many jobs. */
  readonly bulk: BulkLedger

  /** Recurring jobs. */
  readonly schedules: ScheduleLedger

  #settings: () => ConnectionSettings
  #db: TranslatedDb

  constructor({ database, connection }: RecordsOptions) {
    let settings: ConnectionSettings | undefined
    this.#settings = () => (settings ??= connectionSettings(database, connection))
    this.#db = new TranslatedDb(this.#settings)
    this.reader = new Reader(this.#db)
    this.metrics = new MetricsReader(this.#db, new NameReader(this.#db))
    this.writer = new Writer(() => this.#openSession('no records can be written'))
    this.ledger = new Ledger(() => this.#openSession('nothing can be written'))
    this.identity = new Identity(this.#db, this.ledger)
    this.audit = new Audit(this.#db, this.ledger)
    this.bulk = new BulkLedger(this.#db, this.ledger)
    this.schedules = new ScheduleLedger(this.#db, this.ledger)
    this.deletion = new Deletion(this.eraser())
    this.metricsKeeper = new MetricsKeeper(this.#db, this.writer)
  }

  /**
   * Settles when records can be read and written.
   *
   * @throws E_DATABASE_UNAVAILABLE, E_MIGRATIONS_MISSING, E_INVALID_CONFIG
   */
  async ready(): Promise<void> {
    const version = await this.version()
    if (version >= SCHEMA_VERSION) return
    throw new E_MIGRATIONS_MISSING([
      `they have version ${version}, this release needs ${SCHEMA_VERSION}`,
    ])
  }

  /**
   * Version of the tables that are there; 0 for none.
   *
   * @throws E_DATABASE_UNAVAILABLE, E_MIGRATIONS_MISSING where there is none at all, E_INVALID_CONFIG
   */
  async version(): Promise<number> {
    const [row] = await this.#db.all(`select value from queuedeck_meta where name = 'schema'`)
    return row ? Number(row.value) : 0
  }

  /** Deletes records, over a connection of its own: end it with `close`. For the cleanup. */
  eraser(): Eraser {
    return new Eraser(async () => {
      const session = await this.#openSession('no records can be deleted')
      // Whoever deletes checkpoints most, and a smaller log takes less of a time: an eighth of what the writer's connection has.
      if (session.dialect === 'sqlite') await session.all('pragma wal_autocheckpoint = 2500')
      return session
    })
  }

  /** Reading for models and tests: `?` marks a value. */
  get db(): Db {
    return this.#db
  }

  /**
   * Ends all connections, after what is being written.
   */
  async close(): Promise<void> {
    await Promise.all([
      this.writer.close(),
      this.deletion.close(),
      this.ledger.close(),
      this.#db.close(),
    ])
  }

  async #openSession(action: string): Promise<Session> {
    try {
      return await OPENERS[this.#settings().dialect](this.#settings())
    } catch (error) {
      throw translated(error, action)
    }
  }
}

/**
 * The database's own reading, with errors in our words.
 */
class TranslatedDb implements Db {
  #settings: () => ConnectionSettings
  #db: (Db & { close(): Promise<void> }) | undefined

  constructor(settings: () => ConnectionSettings) {
    this.#settings = settings
  }

  get dialect() {
    return this.#settings().dialect
  }

  async all(sql: string, values?: readonly unknown[]): Promise<Row[]> {
    try {
      return await this.#open().all(sql, values)
    } catch (error) {
      throw translated(error, 'records cannot be read')
    }
  }

  async close(): Promise<void> {
    await this.#db?.close()
    this.#db = undefined
  }

  #open() {
    if (this.#db) return this.#db
    const settings = this.#settings()
    const { dialect } = settings
    this.#db =
      dialect === 'sqlite'
        ? new SqliteDb(settings)
        : dialect === 'postgres'
          ? new PostgresDb(settings)
          : new MysqlDb(settings)
    return this.#db
  }
}

/**
 * A connection for bulk writing of one's own making, as the writer has: for benchmarks and tests that fill tables.
 */
export function openSession(database: Database, connection?: string): Promise<Session> {
  const settings = connectionSettings(database, connection)
  return OPENERS[settings.dialect](settings)
}
