import { E_INVALID_CONFIG } from '../errors.ts'
import type { Column, ColumnType } from './columns.ts'
import { TABLES, type Index, type Table } from './tables.ts'
import { dialectOf, type DialectName } from './dialect/names.ts'

/**
 * What the functions below need of Lucid: `db` of a migration's `defer` callback, or any query client.
 */
export type SchemaClient = {
  dialect: { name: string }
  rawQuery(sql: string): PromiseLike<any>
}

const WORDS: Record<DialectName, Record<ColumnType, string>> = {
  sqlite: {
    seq: 'integer',
    uuid: 'blob',
    int: 'integer',
    small: 'integer',
    big: 'integer',
    name: 'text',
    short: 'text',
    text: 'text',
    long: 'text',
  },
  postgres: {
    seq: 'bigint',
    uuid: 'uuid',
    int: 'integer',
    small: 'smallint',
    big: 'bigint',
    // bytes decide equality and order, as on SQLite, whatever the database's locale
    name: 'text collate "C"',
    short: 'text',
    text: 'text',
    long: 'text',
  },
  mysql: {
    seq: 'bigint',
    uuid: 'binary(16)',
    int: 'int',
    small: 'smallint',
    big: 'bigint',
    name: 'varchar(255)',
    short: 'varchar(255)',
    text: 'varchar(510)',
    long: 'longtext',
  },
}

/**
 * Creates the tables of Queuedeck, or brings older ones to this release's version; calling it again changes nothing.
 * Meant for a migration:
 *
 * ```ts
 * async up() { this.defer((db) => createQueuedeckTables(db)) }
 * async down() { this.defer((db) => dropQueuedeckTables(db)) }
 * ```
 *
 * Works on better-sqlite3, pg and mysql2 (MySQL 8 and MariaDB 10.6 or newer). Throws E_INVALID_CONFIG for others, and for a PostgreSQL
 * database that cannot hold every letter.
 */
export async function createQueuedeckTables(db: SchemaClient): Promise<void> {
  const dialect = dialectOf(db.dialect.name)
  const collation = dialect === 'mysql' ? await mysqlCollation(db) : ''
  await db.rawQuery(
    `create table if not exists queuedeck_meta (name ${dialect === 'mysql' ? 'varchar(50)' : 'text'} primary key, value bigint not null)`
  )
  const current = await schemaVersion(db)
  if (current === 0 && dialect === 'postgres') await checkEncoding(db)
  for (const [version, step] of STEPS.entries()) {
    if (version + 1 <= current) continue
    for (const sql of step(dialect, collation)) await db.rawQuery(sql)
    await db.rawQuery(
      current === 0 && version === 0
        ? `insert into queuedeck_meta (name, value) values ('schema', 1), ('jobs', 0), ('made', ${Date.now()})`
        : `update queuedeck_meta set value = ${version + 1} where name = 'schema'`
    )
  }
}

/**
 * Drops every table of Queuedeck, with the whole history in them.
 */
export async function dropQueuedeckTables(db: SchemaClient): Promise<void> {
  dialectOf(db.dialect.name)
  for (const table of [
    ...Object.values(TABLES).map(({ name }) => name),
    'queuedeck_names',
    'queuedeck_meta',
  ]) {
    await db.rawQuery(`drop table if exists ${table}`)
  }
}

/** One list of statements a version, oldest first. A step that was released is never changed. */
const STEPS: ((dialect: DialectName, collation: string) => string[])[] = [
  firstTables,
  cleanupTable,
  auditTable,
  alertTables,
  metricTables,
  bulkTables,
  edgeTable,
  scheduleTables,
  checkpointTable,
  drainTable,
]

/**
 * Version of the tables that this release reads and writes. Later releases append steps above; hosts get each as a
 * migration of its own that calls `createQueuedeckTables` again.
 */
export const SCHEMA_VERSION = STEPS.length

const METRIC_TABLES: Table[] = [
  TABLES.metricMinutes,
  TABLES.metricHours,
  TABLES.hostMinutes,
  TABLES.hostHours,
  TABLES.metricOpen,
]

/** Tables that pages go through by `seq`. */
const KEYSETS = new Set(
  Object.values(TABLES)
    .filter(({ columns }) => columns.some(({ name }) => name === 'seq'))
    .map(({ name }) => name)
)

async function schemaVersion(db: SchemaClient): Promise<number> {
  const answer = await db.rawQuery(`select value from queuedeck_meta where name = 'schema'`)
  // knex hands out rows (SQLite), { rows } (PostgreSQL) or [rows, fields] (MySQL)
  const rows = Array.isArray(answer) ? (Array.isArray(answer[0]) ? answer[0] : answer) : answer.rows
  return rows.length ? Number(rows[0].value) : 0
}

/** A database of another encoding refuses the first letter that it lacks, and with it all that the mirror would write from there on. */
async function checkEncoding(db: SchemaClient): Promise<void> {
  const { rows } = await db.rawQuery('show server_encoding')
  const encoding: string = rows[0].server_encoding
  if (['UTF8', 'SQL_ASCII'].includes(encoding)) return
  throw new E_INVALID_CONFIG([
    `the PostgreSQL database has the encoding ${encoding}, which lacks letters that jobs may write: make one with UTF8 for the records ("database")`,
  ])
}

/**
 * A collation that tells `a` from `A` and from `a ` and orders by code points: each of the two servers has its own.
 */
async function mysqlCollation(db: SchemaClient): Promise<string> {
  const [rows] = await db.rawQuery('select version() as version')
  return /mariadb/i.test(rows[0].version) ? 'utf8mb4_nopad_bin' : 'utf8mb4_0900_bin'
}

/** Tables that later steps make. */
const LATER_TABLES: Table[] = [
  TABLES.cleanups,
  TABLES.audit,
  TABLES.alerts,
  TABLES.alertMutes,
  ...METRIC_TABLES,
  TABLES.bulk,
  TABLES.bulkItems,
  TABLES.edges,
  TABLES.schedules,
  TABLES.scheduleRuns,
  TABLES.checkpoints,
  TABLES.drains,
]

function firstTables(dialect: DialectName, collation: string): string[] {
  return [
    ...namesTable(dialect, collation),
    ...Object.values(TABLES)
      .filter((table) => !LATER_TABLES.includes(table))
      .flatMap((table) => create(table, dialect, collation)),
  ]
}

function cleanupTable(dialect: DialectName, collation: string): string[] {
  return create(TABLES.cleanups, dialect, collation)
}

function auditTable(dialect: DialectName, collation: string): string[] {
  return create(TABLES.audit, dialect, collation)
}

function alertTables(dialect: DialectName, collation: string): string[] {
  return [TABLES.alerts, TABLES.alertMutes].flatMap((table) => create(table, dialect, collation))
}

function metricTables(dialect: DialectName, collation: string): string[] {
  return METRIC_TABLES.flatMap((table) => create(table, dialect, collation))
}

function bulkTables(dialect: DialectName, collation: string): string[] {
  return [TABLES.bulk, TABLES.bulkItems].flatMap((table) => create(table, dialect, collation))
}

function edgeTable(dialect: DialectName, collation: string): string[] {
  return create(TABLES.edges, dialect, collation)
}

function scheduleTables(dialect: DialectName, collation: string): string[] {
  return [TABLES.schedules, TABLES.scheduleRuns].flatMap((table) =>
    create(table, dialect, collation)
  )
}

function checkpointTable(dialect: DialectName, collation: string): string[] {
  return create(TABLES.checkpoints, dialect, collation)
}

function drainTable(dialect: DialectName, collation: string): string[] {
  return create(TABLES.drains, dialect, collation)
}

function namesTable(dialect: DialectName, collation: string): string[] {
  const words = WORDS[dialect]
  const key = {
    sqlite: 'id integer primary key',
    postgres: 'id integer generated by default as identity primary key',
    mysql: 'id int auto_increment primary key',
  }[dialect]
  const lines = [
    key,
    `kind ${words.small} not null`,
    `name ${words.name} not null`,
    `fold ${words.name} not null`,
  ]
  return tableWithIndexes('queuedeck_names', lines, dialect, tail(dialect, collation), [
    { name: 'name', columns: ['kind', 'name'], unique: true },
    // wildcards and completion without case, in the order of the bytes
    { name: 'fold', columns: ['kind', 'fold'] },
  ])
}

function create(table: Table, dialect: DialectName, collation: string): string[] {
  const single = table.key.length === 1 && table.key[0] === 'seq'
  const lines = table.columns.map((column) => line(column, dialect, single))
  if (!single) lines.push(`primary key (${table.key.join(', ')})`)
  const clustered = dialect === 'sqlite' && !single ? ' without rowid' : tail(dialect, collation)
  const indexes: Index[] = [...(table.indexes ?? [])]
  if (table.columns === TABLES.jobs.columns) {
    indexes.unshift({ name: 'id', columns: ['id'], unique: true })
  }
  return tableWithIndexes(table.name, lines, dialect, clustered, indexes)
}

/**
 * May run again after it was interrupted: MySQL commits every statement by itself, and knows no `create index if not
 * exists`, so that its indexes are made with the table.
 */
function tableWithIndexes(
  name: string,
  lines: string[],
  dialect: DialectName,
  end: string,
  indexes: Index[]
): string[] {
  const keys = dialect === 'mysql' ? indexes.map((index) => inlineIndex(name, index)) : []
  const table = `create table if not exists ${name} (\n  ${[...lines, ...keys].join(',\n  ')}\n)${end}`
  if (dialect === 'mysql') return [table]
  return [table, ...indexes.map((index) => createIndex(name, index, dialect))]
}

function inlineIndex(table: string, { name, columns, unique }: Index): string {
  return `${unique ? 'unique ' : ''}key ${table}_${name} (${columns.join(', ')})`
}

function line(column: Column, dialect: DialectName, single: boolean): string {
  if (column.name === 'seq' && single) return `seq ${WORDS[dialect].seq} primary key`
  const fallback = column.default === undefined ? '' : ` default ${column.default}`
  return `${column.name} ${WORDS[dialect][column.type]}${column.null ? '' : ' not null'}${fallback}`
}

function createIndex(table: string, index: Index, dialect: DialectName): string {
  const columns = [...index.columns]
  // PostgreSQL alone does not append the table's key, and keyset pages need it
  const isKeyset = !index.unique && KEYSETS.has(table)
  if (dialect === 'postgres' && isKeyset && !columns.includes('seq')) columns.push('seq')
  const where = index.where ? ` where ${index.where}` : ''
  const unique = index.unique ? 'unique ' : ''
  return `create ${unique}index if not exists ${table}_${index.name} on ${table} (${columns.join(', ')})${where}`
}

/** What a server may be set to otherwise: other row formats have no index over a name of full length. */
function tail(dialect: DialectName, collation: string): string {
  return dialect === 'mysql'
    ? ` engine = innodb row_format = dynamic default character set utf8mb4 collate ${collation}`
    : ''
}
