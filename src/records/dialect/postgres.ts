import { setImmediate as nextTurn } from 'node:timers/promises'
import type Pg from 'pg'
import { greet, loadDriver, type ConnectionSettings } from '../connections.ts'
import type { Column } from '../columns.ts'
import { JOB_COLUMNS } from '../tables.ts'
import type { Db, Row } from './db.ts'
import { InTurn } from './in_turn.ts'
import { numbered } from './marks.ts'
import { arrayOf, TYPES, unnest } from './postgres_arrays.ts'
import {
  beginningWith,
  inTransaction,
  isPooled,
  settingAll,
  type PostgresSettings,
} from './postgres_pooler.ts'
import { jobNames, jobSelection, onConflict, type Session, type Shape } from './session.ts'
import { VERSION_TEXT } from './version_text.ts'

/** Longest waiting for a connection, for an answer to writing, and for one to a page, ms. */
const CONNECT = 5_000
const WRITE = 60_000
const READ = 15_000

/** Every statement that writes finds its rows by key, however little the planner knows of the arrays, which hold nulls. */
const WRITING: PostgresSettings = {
  array_nulls: 'on',
  enable_seqscan: 'off',
  enable_hashjoin: 'off',
  enable_mergejoin: 'off',
  jit: 'off',
  synchronous_commit: 'on',
}

/**
 * Every statement of a page has one index that passes the fewest entries, whatever statistics say, which are missing or old while
 * a history grows. So the planner gets no other ways, and counts entries alone: costs of pages would make it take another index
 * that it believes to lie better.
 */
const READING: PostgresSettings = {
  enable_seqscan: 'off',
  enable_bitmapscan: 'off',
  enable_sort: 'off',
  enable_incremental_sort: 'off',
  enable_hashjoin: 'off',
  enable_mergejoin: 'off',
  jit: 'off',
  seq_page_cost: '0.0001',
  random_page_cost: '0.0001',
  statement_timeout: String(READ),
}

/** int8 and numeric come as numbers: counts and moments stay below 2^53, and versions are asked for as text. */
const NUMBERS = new Set([20, 1700])

const load = () => loadDriver('pg', () => import('pg')).then((module) => module.default)

function options(pg: typeof Pg, settings: ConnectionSettings, patience: number) {
  return {
    application_name: 'queuedeck',
    keepAlive: true,
    ...settings.connection,
    connectionTimeoutMillis: settings.connection.connectionTimeoutMillis ?? CONNECT,
    query_timeout: patience,
    types: {
      getTypeParser(oid: number, format?: any) {
        return NUMBERS.has(oid) ? Number : pg.types.getTypeParser(oid, format)
      },
    },
  } as Pg.ClientConfig
}

/**
 * Makes a new connection ready: the host's search path, its hook, and what statements of ours need.
 *
 * @returns settings that each of its transactions needs, because it is a pooler's
 */
async function prepare(
  host: ConnectionSettings,
  client: Pg.ClientBase,
  own: PostgresSettings
): Promise<PostgresSettings | undefined> {
  const path = host.searchPath.map((name) => `"${name.replaceAll('"', '""')}"`).join(', ')
  const hosts: PostgresSettings = path === '' ? {} : { search_path: path }
  if (await isPooled(client)) {
    await greet(host, client)
    return { ...hosts, ...own }
  }
  if (path !== '') await client.query(settingAll(hosts))
  await greet(host, client)
  await client.query(settingAll(own))
  return undefined
}

/** Jobs that are read at a time: their rows are taken in while the server reads the next. */
const LOADED = 500

/** Texts of one statement: a parameter is limited to 1 GB, and both sides hold it in memory. */
const MOST_LETTERS = 16_000_000

/**
 * Writing into PostgreSQL: one statement a table and batch, each column an array.
 */
export class PostgresSession implements Session {
  readonly dialect = 'postgres'
  readonly longestText = 100_000_000
  readonly lock = ' for update'
  #client: Pg.Client
  #names = new Map<string, string>()
  #shapes = new Map<Shape, string>()
  #turn = new InTurn()

  /** @param each  Settings of every transaction; undefined where the connection has them */
  private constructor(
    client: Pg.Client,
    private each: PostgresSettings | undefined
  ) {
    this.#client = client
  }

  static async open(settings: ConnectionSettings): Promise<PostgresSession> {
    const pg = await load()
    const client = new pg.Client({ ...options(pg, settings, WRITE), pipeline: true })
    // The statement under way fails by itself; without a listener an idle connection's end would end the process.
    client.on('error', () => {})
    try {
      await client.connect()
      const each = await prepare(settings, client, WRITING)
      return new PostgresSession(client, each)
    } catch (error) {
      await client.end().catch(() => {})
      throw error
    }
  }

  async turn(): Promise<void> {
    await nextTurn()
  }

  async begin(): Promise<void> {
    const begin = this.each ? beginningWith(this.each) : 'begin isolation level read committed'
    await this.#send(() => this.#client.query(begin))
    this.#turn.begun()
  }

  async commit(): Promise<void> {
    const { command } = await this.#send(() => this.#client.query('commit'))
    await this.#turn.over()
    if (command !== 'COMMIT') throw new Error('The database rolled the transaction back')
  }

  async rollback(): Promise<void> {
    await this.#turn.over()
    await this.#send(() => this.#client.query('rollback'))
  }

  async all(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    return (await this.#query(numbered(sql), [...values])).rows
  }

  async run(sql: string, values: readonly unknown[] = []): Promise<number> {
    return (await this.#query(numbered(sql), [...values])).rowCount ?? 0
  }

  allIn(select: string, column: string, type: Column['type'], values: unknown[]): Promise<Row[]> {
    const list = arrayOf(
      values.map((value) => [value]),
      0,
      type
    )
    return this.all(`${select} ${column} = any(?::${TYPES[type]}[])`, [list])
  }

  async put(shape: Shape, rows: unknown[][]): Promise<void> {
    let sql = this.#shapes.get(shape)
    if (!sql) {
      const names = shape.columns.map(({ name }) => name).join(', ')
      sql = `insert into ${shape.table.name} (${names}) select * from ${unnest(shape.columns)}${onConflict(shape)}`
      this.#shapes.set(shape, sql)
    }
    for (const part of parts(rows)) {
      await this.#query(
        sql,
        shape.columns.map(({ type }, index) => arrayOf(part, index, type))
      )
    }
  }

  async jobs(ids: readonly string[]): Promise<(unknown[] | null)[]> {
    const text = `select ${jobSelection(VERSION_TEXT.postgres, 'place')} from queuedeck_jobs join unnest($1::uuid[]) with ordinality as asked (asked_id, place) on id = asked_id`
    const found: (unknown[] | null)[] = Array(ids.length).fill(null)
    const read = async (from: number) => {
      const part = ids.slice(from, from + LOADED)
      const { rows } = await this.#query(text, [`{${part.join(',')}}`], 'array')
      for (const row of rows as unknown as unknown[][]) found[from + (row[1] as number) - 1] = row
    }
    const reading: Promise<void>[] = []
    for (let from = 0; from < ids.length; from += LOADED) reading.push(read(from))
    await Promise.all(reading)
    return found
  }

  async insertJobs(named: readonly number[], rows: unknown[][]): Promise<void> {
    const columns = named.map((index) => JOB_COLUMNS[index])
    const sql = `insert into queuedeck_jobs (${jobNames(named)}) select * from ${unnest(columns)}`
    for (const part of parts(rows)) {
      await this.#query(
        sql,
        named.map((index) => arrayOf(part, index, JOB_COLUMNS[index].type))
      )
    }
  }

  async updateJobs(changed: readonly number[], rows: unknown[][]): Promise<void> {
    const indexes = [0, ...changed]
    const columns = indexes.map((index) => JOB_COLUMNS[index])
    const assignments = columns.slice(1).map(({ name }) => `${name} = u.${name}`)
    const sql = `update queuedeck_jobs j set ${assignments.join(', ')} from ${unnest(columns)} u (${jobNames(indexes)}) where j.seq = u.seq`
    for (const part of parts(rows)) {
      await this.#query(
        sql,
        indexes.map((index) => arrayOf(part, index, JOB_COLUMNS[index].type))
      )
    }
  }

  idValue(id: string): string {
    return id
  }

  async close(): Promise<void> {
    await this.#client.end()
  }

  /** Prepared once: writing repeats few statements, all of which go by key. Not those without values: each list of numbers is a text of its own. */
  #query(text: string, values: unknown[], rowMode?: 'array'): Promise<Pg.QueryResult> {
    const { each } = this
    if (each !== undefined) {
      const query = () => this.#client.query({ text, values, rowMode } as Pg.QueryConfig)
      const alone = () => inTransaction(this.#client, each, query)
      return this.#send(this.#turn.isTransaction ? query : alone)
    }
    let name = this.#names.get(text)
    if (!name && values.length > 0 && this.#names.size < 300) {
      name = `qd${this.#names.size}`
      this.#names.set(text, name)
    }
    return this.#send(() => this.#client.query({ name, text, values, rowMode } as Pg.QueryConfig))
  }

  /**
   * The server answers in the order in which it was asked, and takes nothing behind a failure in a transaction: statements go out at once.
   * Drivers before 8.23 know no pipeline, and are asked one after the other, as poolers are.
   */
  #send<T>(statement: () => Promise<T>): Promise<T> {
    return this.#client.pipeline && !this.each
      ? this.#turn.atOnce(statement)
      : this.#turn.run(statement)
  }
}

function* parts(rows: unknown[][]): Generator<unknown[][]> {
  let from = 0
  let letters = 0
  for (let at = 0; at < rows.length; at++) {
    for (const value of rows[at]) if (typeof value === 'string') letters += value.length
    if (letters < MOST_LETTERS || at === from) continue
    yield rows.slice(from, at + 1)
    from = at + 1
    letters = 0
  }
  if (from < rows.length) yield from === 0 ? rows : rows.slice(from)
}

/**
 * Reading from PostgreSQL: a small pool, statements unnamed so that each is planned for its values.
 */
export class PostgresDb implements Db {
  readonly dialect = 'postgres'
  #settings: ConnectionSettings
  #pool: Promise<Pg.Pool> | undefined

  /** Settings that each statement needs on connections of a pooler. */
  #each = new WeakMap<Pg.ClientBase, PostgresSettings>()

  constructor(settings: ConnectionSettings) {
    this.#settings = settings
  }

  async all(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    const pool = await (this.#pool ??= this.#open())
    const client = await pool.connect()
    const each = this.#each.get(client)
    const query = () => client.query(numbered(sql), [...values])
    try {
      const { rows } = await (each ? inTransaction(client, each, query) : query())
      client.release()
      return rows
    } catch (error) {
      client.release(error as Error)
      throw error
    }
  }

  async close(): Promise<void> {
    const pool = this.#pool
    this.#pool = undefined
    await pool?.then((opened) => opened.end()).catch(() => {})
  }

  async #open(): Promise<Pg.Pool> {
    try {
      const pg = await load()
      const settings = this.#settings
      const pool = new pg.Pool({
        ...options(pg, settings, READ + 1_000),
        max: Math.max(1, Math.min(4, settings.poolMax)),
        idleTimeoutMillis: 30_000,
        allowExitOnIdle: true,
        onConnect: async (client: Pg.ClientBase) => {
          // As above: the pool listens to those that nobody uses.
          client.on('error', () => {})
          const each = await prepare(settings, client, READING)
          if (each !== undefined) this.#each.set(client, each)
        },
      } as Pg.PoolConfig)
      pool.on('error', () => {})
      return pool
    } catch (error) {
      this.#pool = undefined
      throw error
    }
  }
}
