import { existsSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import type Sqlite from 'better-sqlite3'
import { E_MIGRATIONS_MISSING } from '../../errors.ts'
import { greet, loadDriver, type ConnectionSettings } from '../connections.ts'
import type { Column } from '../columns.ts'
import { JOB_COLUMNS, TABLES } from '../tables.ts'
import type { Db, Row } from './db.ts'
import { jobSelection, onConflict, type Session, type Shape } from './session.ts'
import { Soundness } from './soundness.ts'
import { VERSION_TEXT } from './version_text.ts'

/** How long to wait for another writer of the file, ms. */
const PATIENCE = 10_000

/** How long a connection that is being opened may sleep in this thread while another process opens the same file, ms. */
const OPENING = 1_000

/** Statements kept for the texts that ask for them. */
const MOST_STATEMENTS = 500

/** Values of one `in (...)`. */
const LIST = 64

/** Rows that one statement inserts: calling it costs as much as the row that it inserts, and for sixteen no more than for one. */
const ROWS = 16

/**
 * A connection with the host's pragmas and then ours. Any of them may have to wait for a process that is opening the file, or
 * making its log, at this moment.
 */
async function open(settings: ConnectionSettings, pragmas: string[]): Promise<Sqlite.Database> {
  const { default: Database } = await loadDriver('better-sqlite3', () => import('better-sqlite3'))
  const { filename, options = {} } = settings.connection
  // A missing file is one that was never migrated: making it would hide that.
  if (!existsSync(filename)) {
    throw new E_MIGRATIONS_MISSING([`the database file "${filename}" does not exist`])
  }
  const database = new Database(filename, {
    fileMustExist: true,
    nativeBinding: options.nativeBinding,
    timeout: OPENING,
  })
  try {
    await greet(settings, database)
    /** The host's hook may have chosen BigInts for its own statements. */
    database.defaultSafeIntegers(false)
    for (const pragma of pragmas) await patiently(() => database.pragma(pragma))
    database.pragma('busy_timeout = 0')
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

class Statements {
  #database: Sqlite.Database
  #known = new Map<string, Sqlite.Statement>()

  constructor(database: Sqlite.Database) {
    this.#database = database
  }

  get(sql: string): Sqlite.Statement {
    let statement = this.#known.get(sql)
    if (statement) return statement
    if (this.#known.size >= MOST_STATEMENTS) this.#known.clear()
    statement = this.#database.prepare(sql)
    this.#known.set(sql, statement)
    return statement
  }
}

/**
 * Inserts rows, several with one statement.
 */
class Insertion {
  #one: Sqlite.Statement
  #several: Sqlite.Statement
  #all: readonly number[]

  /**
   * @param into  The statement up to its values
   * @param marks  Where each value of one row goes
   * @param behind  What stands behind the values
   */
  constructor(database: Sqlite.Database, into: string, marks: string[], behind: string) {
    const of = (count: number) =>
      database.prepare(
        `${into} ${Array(count)
          .fill(`(${marks.join(', ')})`)
          .join(', ')}${behind}`
      )
    this.#one = of(1)
    this.#several = of(ROWS)
    this.#all = [...marks.keys()]
  }

  /**
   * @param places  Which values of each row, where not all of them
   */
  run(rows: unknown[][], places = this.#all): void {
    const values: unknown[] = new Array(ROWS * places.length)
    let at = 0
    for (; at + ROWS <= rows.length; at += ROWS) {
      let to = 0
      for (let index = at; index < at + ROWS; index++) {
        const row = rows[index]
        for (const place of places) values[to++] = row[place]
      }
      // Values that stand in a list are asked for one by one, which takes a quarter longer.
      this.#several.run(...values)
    }
    for (; at < rows.length; at++) this.#one.run(...places.map((place) => rows[at][place]))
  }
}

/**
 * Repeats what another writer of the file kept from happening, without blocking this process meanwhile: SQLite's own busy
 * timeout would sleep in the thread that answers requests.
 */
async function patiently<T>(action: () => T): Promise<T> {
  const until = performance.now() + PATIENCE
  for (;;) {
    try {
      return action()
    } catch (error) {
      if (
        !String((error as { code?: string }).code).startsWith('SQLITE_BUSY') ||
        performance.now() > until
      ) {
        throw error
      }
      await pause(2 + Math.random() * 20)
    }
  }
}

/** Where a value goes. SQLite makes the bytes of an id out of its text: a Buffer for each costs this process three times as much. */
function markOf({ type }: Pick<Column, 'type'>): string {
  return type === 'uuid' ? `unhex(?, '-')` : '?'
}

/**
 * Writing into SQLite. Statements run in this thread; only beginning may have to wait. WAL with `synchronous=NORMAL`
 * survives the death of any process; a power cut may take the newest commits, but with them their cursor.
 */
export class SqliteSession implements Session {
  readonly dialect = 'sqlite'
  readonly longestText = 100_000_000
  readonly lock = ''
  #database: Sqlite.Database
  #statements: Statements
  #insertions = new Map<string, Insertion>()
  #jobs: Sqlite.Statement | undefined
  #soundness = new Soundness()

  private constructor(database: Sqlite.Database) {
    this.#database = database
    this.#statements = new Statements(database)
  }

  static async open(settings: ConnectionSettings): Promise<SqliteSession> {
    const database = await open(settings, [
      'journal_mode = WAL',
      'synchronous = NORMAL',
      'cache_size = -65536',
      'mmap_size = 8589934592',
      // Checkpoints of a larger log write each page once where small ones wrote it often: 27,000 upserts a second against 19,000.
      'wal_autocheckpoint = 20000',
      'foreign_keys = OFF',
    ])
    return new SqliteSession(database)
  }

  /**
   * Nothing is on its way. While a transaction is open, nobody else of this process gets a turn: a host's own statement would wait for its
   * end in this thread, which could never come.
   */
  async turn(): Promise<void> {}

  async begin(): Promise<void> {
    await patiently(() => this.#statements.get('begin immediate').run())
    this.#soundness.begun()
  }

  async commit(): Promise<void> {
    this.#act(() => this.#statements.get('commit').run())
    this.#soundness.over()
  }

  async rollback(): Promise<void> {
    this.#soundness.over()
    if (this.#database.inTransaction) this.#statements.get('rollback').run()
  }

  async all(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    return this.#act(() => this.#statements.get(sql).all(...values) as Row[])
  }

  async run(sql: string, values: readonly unknown[] = []): Promise<number> {
    const run = () => this.#statements.get(sql).run(...values).changes
    return this.#soundness.isTransaction ? this.#act(run) : patiently(run)
  }

  async allIn(
    select: string,
    column: string,
    type: Column['type'],
    values: unknown[]
  ): Promise<Row[]> {
    const mark = markOf({ type })
    const single = this.#statements.get(`${select} ${column} = ${mark}`)
    const several = this.#statements.get(
      `${select} ${column} in (${Array(LIST).fill(mark).join(', ')})`
    )
    return this.#act(() => {
      const rows: Row[] = []
      let at = 0
      for (; at + LIST <= values.length; at += LIST) {
        for (const row of several.all(...values.slice(at, at + LIST))) rows.push(row as Row)
      }
      for (; at < values.length; at++) {
        for (const row of single.all(values[at])) rows.push(row as Row)
      }
      return rows
    })
  }

  async put(shape: Shape, rows: unknown[][]): Promise<void> {
    const insertion = this.#insertion(shape.table.name, shape.columns, onConflict(shape))
    this.#act(() => insertion.run(rows))
  }

  /**
   * One by one: a list of ids would be sorted first, and an object for each row made, which is half as fast again.
   */
  async jobs(ids: readonly string[]): Promise<(unknown[] | null)[]> {
    const selection = jobSelection(VERSION_TEXT.sqlite, 'null')
    this.#jobs ??= this.#database
      .prepare(`select ${selection} from queuedeck_jobs where id = ${markOf({ type: 'uuid' })}`)
      .raw(true)
    const statement = this.#jobs
    return this.#act(() => ids.map((id) => (statement.get(id) as unknown[] | undefined) ?? null))
  }

  async insertJobs(named: readonly number[], rows: unknown[][]): Promise<void> {
    const columns = named.map((index) => JOB_COLUMNS[index])
    const insertion = this.#insertion(TABLES.jobs.name, columns, '')
    this.#act(() => insertion.run(rows, named))
  }

  /**
   * Only changed columns are named: SQLite writes an index anew whenever one of its columns is.
   */
  async updateJobs(changed: readonly number[], rows: unknown[][]): Promise<void> {
    const assignments = changed.map((index) => `${JOB_COLUMNS[index].name} = ?`).join(', ')
    const statement = this.#statements.get(`update queuedeck_jobs set ${assignments} where seq = ?`)
    this.#act(() => {
      const places = [...changed, 0]
      const values: unknown[] = new Array(places.length)
      for (const row of rows) {
        for (let index = 0; index < places.length; index++) values[index] = row[places[index]]
        statement.run(...values)
      }
    })
  }

  /** In a transaction, statements behind one that failed fail with it. */
  #act<T>(statements: () => T): T {
    this.#soundness.assert()
    try {
      return statements()
    } catch (error) {
      this.#soundness.failed(error)
      throw error
    }
  }

  #insertion(table: string, columns: readonly Column[], behind: string): Insertion {
    const into = `insert into ${table} (${columns.map(({ name }) => name).join(', ')}) values`
    const text = into + behind
    let insertion = this.#insertions.get(text)
    if (insertion) return insertion
    if (this.#insertions.size >= MOST_STATEMENTS) this.#insertions.clear()
    insertion = new Insertion(this.#database, into, columns.map(markOf), behind)
    this.#insertions.set(text, insertion)
    return insertion
  }

  idValue(id: string): string {
    return id
  }

  async close(): Promise<void> {
    this.#database.close()
  }
}

/**
 * Reading from SQLite, beside whoever writes.
 */
export class SqliteDb implements Db {
  readonly dialect = 'sqlite'
  #settings: ConnectionSettings
  #opened: Promise<{ database: Sqlite.Database; statements: Statements }> | undefined

  constructor(settings: ConnectionSettings) {
    this.#settings = settings
  }

  async all(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    const { statements } = await this.#open()
    return patiently(() => statements.get(sql).all(...values) as Row[])
  }

  async close(): Promise<void> {
    const opened = this.#opened
    this.#opened = undefined
    await opened?.then(({ database }) => database.close()).catch(() => {})
  }

  #open() {
    this.#opened ??= (async () => {
      const database = await open(this.#settings, [
        'query_only = ON',
        'cache_size = -65536',
        'mmap_size = 8589934592',
      ])
      return { database, statements: new Statements(database) }
    })()
    this.#opened.catch(() => (this.#opened = undefined))
    return this.#opened
  }
}
