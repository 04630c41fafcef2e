import { setImmediate as nextTurn } from 'node:timers/promises'
import type Mysql from 'mysql2/promise'
import { cutText } from '../../cut_text.ts'
import { greet, loadDriver, type ConnectionSettings } from '../connections.ts'
import { uuidToBytes } from '../ids.ts'
import type { Column } from '../columns.ts'
import { JOB_COLUMNS, TABLES } from '../tables.ts'
import type { Db, Row } from './db.ts'
import { InTurn } from './in_turn.ts'
import { jobNames, jobSelection, type Merge, type Session, type Shape } from './session.ts'
import { VERSION_TEXT } from './version_text.ts'

/** Longest waiting for a connection, for an answer to writing, and for one to a page, ms. */
const CONNECT = 5_000
const WRITE = 60_000
const READ = 15_000

/**
 * Longest waiting of a writer for rows that another transaction holds, s, and for the answers to statements that left together, ms. A server
 * that is told to kill a statement between two of them says nothing more.
 */
const LOCKED = 15
const GROUP = 20_000

/** Settings of a host that the driver takes; it complains about others. */
const TAKEN = [
  'uri',
  'host',
  'port',
  'user',
  'password',
  'database',
  'socketPath',
  'localAddress',
  'insecureAuth',
  'ssl',
  'compress',
  'authPlugins',
  'connectAttributes',
  'enableKeepAlive',
  'keepAliveInitialDelay',
  'passwordSha1',
  'stream',
]

const load = () =>
  loadDriver('mysql2', () => import('mysql2/promise')).then((module) => module.default)

function options({ connection }: ConnectionSettings): Mysql.ConnectionOptions {
  const taken = TAKEN.filter((name) => connection[name] !== undefined)
  return {
    ...Object.fromEntries(taken.map((name) => [name, connection[name]])),
    connectTimeout: connection.connectTimeout ?? CONNECT,
    charset: 'utf8mb4',
    supportBigNumbers: true,
    decimalNumbers: true,
    // The number of rows found, not of those that changed.
    flags: ['FOUND_ROWS'],
  }
}

/**
 * `strict` so that nothing is cut silently; backslashes escape, as our texts rely on. What a server may be set to for all: a character
 * set whatever clients ask for has no place for some letters; without `autocommit` single statements would never be committed, and hold
 * their locks; safe updates refuse some of ours, and cut selections.
 */
const SESSION = `set names utf8mb4, session sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', session time_zone = '+00:00', session autocommit = 1, session sql_safe_updates = 0, session sql_select_limit = 18446744073709551615`

/**
 * The server itself ends what a page no longer waits for: with the statement of a connection that was closed it would go on. Each of the
 * two servers reads its own words.
 */
const DEADLINE = `set session /*M! max_statement_time = ${READ / 1_000} */ /*!50708 max_execution_time = ${READ} */`

async function prepare(settings: ConnectionSettings, connection: Mysql.Connection): Promise<void> {
  await greet(settings, (connection as unknown as { connection: unknown }).connection)
  /** Last: the host's hook may set what suits its own statements. */
  await connection.query(SESSION)
  await connection.query('set session transaction isolation level read committed')
}

/** The driver puts the whole statement into its errors, which get into the host's log: payloads are none of its business. */
async function withoutText<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer
  } catch (error) {
    delete (error as { sql?: string }).sql
    throw error
  }
}

const ESCAPED: Record<string, string> = {
  '\\': '\\\\',
  "'": "\\'",
  '\n': '\\n',
  '\r': '\\r',
  '\x1a': '\\Z',
}

function literal(value: unknown): string {
  if (value === null || value === undefined) return 'NULL'
  if (typeof value === 'string') {
    // eslint-disable-next-line no-control-regex
    const text = /[\\'\x1a]/.test(value)
      ? // eslint-disable-next-line no-control-regex
        value.replace(/[\\'\n\r\x1a]/g, (letter) => ESCAPED[letter])
      : value
    return `'${text}'`
  }
  return Buffer.isBuffer(value) ? `x'${value.toString('hex')}'` : String(value)
}

/** The values of a row whose long texts share so many bytes: each may fit into a statement by itself, and several of a row do not. */
function fitting(row: unknown[], bytes: number): string[] {
  const texts = row.map(literal)
  if (Buffer.byteLength(texts.join(',')) <= bytes) return texts
  const isLong = (text: string) => text.length > 1_000
  const share = Math.floor(bytes / texts.filter(isLong).length) - 1_000
  return texts.map((text, at) => (isLong(text) ? cutToBytes(String(row[at]), text, share) : text))
}

function cutToBytes(text: string, written: string, most: number): string {
  let one = written
  let units = Math.floor((most * text.length) / Buffer.byteLength(written))
  while (Buffer.byteLength(one) > most) {
    one = literal(cutText(text, units))
    units = Math.floor(units * 0.9)
  }
  return one
}

/** Columns of jobs that have no value unless one is given. */
const REQUIRED = JOB_COLUMNS.map((_, index) => index).filter((index) => {
  const column: Column = JOB_COLUMNS[index]
  return !column.null && column.default === undefined
})

function pick(rows: unknown[][], columns: readonly number[]): unknown[][] {
  return rows.map((row) => columns.map((index) => row[index]))
}

/** Assignments run from left to right, so the outcome, which others do not read here, may stand anywhere. */
function assignment(column: string, merge: Merge): string {
  const given = `values(${column})`
  const value = {
    replace: given,
    fill: `coalesce(${column}, ${given})`,
    given: `coalesce(${given}, ${column})`,
    add: `${column} + ${given}`,
    most: `greatest(${column}, ${given})`,
    outcome: `if(${given} = 0, ${column}, ${given})`,
  }[merge]
  return `${column} = ${value}`
}

/**
 * Writing into MariaDB or MySQL: statements of many rows, as large as the server takes.
 */
export class MysqlSession implements Session {
  readonly dialect = 'mysql'
  readonly lock = ' for update'
  readonly longestText: number
  #connection: Mysql.Connection
  /** Bytes that one statement may have. */
  #packet: number
  /** UTF-16 units of rows that go together. */
  #together: number
  #turn = new InTurn()

  /** Statements that leave together, when those before them have been answered. */
  #group: { statements: string[]; size: number; sent: Promise<unknown> } | undefined

  private constructor(connection: Mysql.Connection, packet: number) {
    this.#connection = connection
    this.longestText = Math.max(100_000, packet - 20_000)
    this.#packet = packet
    this.#together = Math.min(4_000_000, Math.floor(packet / 4))
  }

  static async open(settings: ConnectionSettings): Promise<MysqlSession> {
    const mysql = await load()
    const connection = await mysql.createConnection({
      ...options(settings),
      multipleStatements: true,
    })
    connection.on('error', () => {})
    try {
      await prepare(settings, connection)
      await connection.query(`set session innodb_lock_wait_timeout = ${LOCKED}`)
      const [rows] = await connection.query<any[]>('select @@max_allowed_packet as packet')
      return new MysqlSession(connection, Number(rows[0].packet))
    } catch (error) {
      connection.destroy()
      throw error
    }
  }

  async turn(): Promise<void> {
    await nextTurn()
  }

  async begin(): Promise<void> {
    await this.run('begin')
    this.#turn.begun()
  }

  async commit(): Promise<void> {
    await this.run('commit')
    await this.#turn.over()
  }

  async rollback(): Promise<void> {
    await this.#turn.over()
    await this.run('rollback')
  }

  async all(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    return (await this.#query({ sql, values: [...values] })) as Row[]
  }

  async run(sql: string, values: readonly unknown[] = []): Promise<number> {
    return ((await this.#query({ sql, values: [...values] })) as Mysql.ResultSetHeader).affectedRows
  }

  async allIn(
    select: string,
    column: string,
    _type: Column['type'],
    values: unknown[]
  ): Promise<Row[]> {
    if (values.length === 0) return []
    return this.all(`${select} ${column} in (${values.map(literal).join(',')})`)
  }

  async put(shape: Shape, rows: unknown[][]): Promise<void> {
    const names = shape.columns.map(({ name }) => name).join(', ')
    const ignore = shape.existing === 'ignore' ? ' ignore' : ''
    const end =
      typeof shape.existing === 'string'
        ? ''
        : ` on duplicate key update ${Object.entries(shape.existing)
            .map(([column, merge]) => assignment(column, merge))
            .join(', ')}`
    await this.#send(`insert${ignore} into ${shape.table.name} (${names}) values `, rows, end)
  }

  async jobs(ids: readonly string[]): Promise<(unknown[] | null)[]> {
    const found: (unknown[] | null)[] = Array(ids.length).fill(null)
    if (ids.length === 0) return found
    const hex = ids.map((id) => id.replaceAll('-', '').toUpperCase())
    const list = hex.map((id) => `x'${id}'`).join(',')
    const selection = jobSelection(VERSION_TEXT.mysql, 'hex(id)')
    const sql = `select ${selection} from queuedeck_jobs where id in (${list})`
    const places = new Map(hex.map((id, place) => [id, place]))
    for (const row of (await this.#query({ sql, rowsAsArray: true })) as unknown[][]) {
      found[places.get(row[1] as string)!] = row
    }
    if (places.size < hex.length) {
      for (const [place, id] of hex.entries()) found[place] = found[places.get(id)!]
    }
    return found
  }

  async insertJobs(named: readonly number[], rows: unknown[][]): Promise<void> {
    const start = `insert into ${TABLES.jobs.name} (${jobNames(named)}) values `
    await this.#send(start, pick(rows, named), '')
  }

  /**
   * Inserts rows that exist, and writes what changed of them: the one way to give many rows values of their own. The server reads
   * every value that is sent, so only those that a row cannot lack are.
   */
  async updateJobs(changed: readonly number[], rows: unknown[][]): Promise<void> {
    const named = [...new Set([...REQUIRED, ...changed])]
    const end = changed.map((index) => assignment(JOB_COLUMNS[index].name, 'replace')).join(', ')
    const start = `insert into ${TABLES.jobs.name} (${jobNames(named)}) values `
    await this.#send(start, pick(rows, named), ` on duplicate key update ${end}`)
  }

  idValue(id: string): Buffer {
    return uuidToBytes(id)
  }

  async close(): Promise<void> {
    this.#connection.destroy()
  }

  async #send(start: string, rows: unknown[][], end: string): Promise<void> {
    const sent: Promise<unknown>[] = []
    let sql = start
    for (const row of rows) {
      let one = row.map(literal).join(',')
      if (sql.length + one.length > this.#together && sql.length > start.length) {
        sent.push(this.#write(sql + end))
        sql = start
      }
      if (one.length > this.#together) one = fitting(row, this.#packet - 10_000).join(',')
      sql += `${sql.length === start.length ? '' : ','}(${one})`
    }
    if (sql.length > start.length) sent.push(this.#write(sql + end))
    await Promise.all(sent)
  }

  /**
   * Sends a statement whose answer says nothing. What gathers while the server works on others leaves as one text: it goes from one to the
   * next by itself, while this process makes rows and would not hear of its answers.
   */
  #write(statement: string): Promise<unknown> {
    const group = this.#group
    if (group !== undefined && group.size + statement.length <= this.#together) {
      group.statements.push(statement)
      group.size += statement.length
      return group.sent
    }
    const statements = [statement]
    const close = () => {
      if (this.#group?.statements === statements) this.#group = undefined
    }
    const sent = this.#turn.run(() => {
      close()
      const sql = statements.join(';\n')
      return withoutText(this.#connection.query({ sql, timeout: GROUP }))
    })
    this.#group = { statements, size: statement.length, sent }
    /** Also when it may not leave, since one before it failed. */
    sent.catch(close)
    return sent
  }

  async #query(query: Mysql.QueryOptions): Promise<unknown> {
    this.#group = undefined
    const [answer] = await this.#turn.run(() =>
      withoutText(this.#connection.query({ ...query, timeout: WRITE }))
    )
    return answer
  }
}

/**
 * Reading from MariaDB or MySQL: a small pool.
 */
export class MysqlDb implements Db {
  readonly dialect = 'mysql'
  #settings: ConnectionSettings
  #pool: Promise<Mysql.Pool> | undefined
  #prepared = new WeakSet<object>()

  constructor(settings: ConnectionSettings) {
    this.#settings = settings
  }

  async all(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    const pool = await (this.#pool ??= this.#open())
    const connection = await pool.getConnection()
    try {
      const raw = (connection as unknown as { connection: object }).connection
      if (!this.#prepared.has(raw)) {
        await connection.query(DEADLINE)
        await prepare(this.#settings, connection)
        this.#prepared.add(raw)
      }
      const [rows] = await withoutText(
        connection.query({ sql, values: [...values], timeout: READ + 1_000 })
      )
      connection.release()
      return rows as Row[]
    } catch (error) {
      // After a timeout the answer of this statement would be taken for that of the next.
      connection.destroy()
      throw error
    }
  }

  async close(): Promise<void> {
    const pool = this.#pool
    this.#pool = undefined
    await pool?.then((opened) => opened.end()).catch(() => {})
  }

  async #open(): Promise<Mysql.Pool> {
    try {
      const mysql = await load()
      return mysql.createPool({
        ...options(this.#settings),
        connectionLimit: Math.max(1, Math.min(4, this.#settings.poolMax)),
        idleTimeout: 30_000,
      })
    } catch (error) {
      this.#pool = undefined
      throw error
    }
  }
}
