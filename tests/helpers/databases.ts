import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from '@japa/runner'
import mysql from 'mysql2/promise'
import pg from 'pg'
import { findProgram, mariadbServer, postgresServer } from './servers.ts'

/**
 * The kinds of databases that records may live in; the names are those of `DB_CONNECTION`.
 */
export type DatabaseKind = 'sqlite' | 'pg' | 'mysql'

/**
 * One empty database, and how to reach it.
 */
export type TestDatabase = {
  kind: DatabaseKind
  /** Variables for the application in this repository. */
  env: Record<string, string>
  /** A connection as config/database.ts holds it. */
  connection: Record<string, unknown> & { client: string; connection: Record<string, unknown> }
  drop(): Promise<void>
}

/**
 * One kind of database that tests run against.
 */
export type DatabaseCase = {
  kind: DatabaseKind
  /** `SQLite`, `PostgreSQL`, `MariaDB`: for titles of groups and tests. */
  label: string
  /** Makes an empty database; the server is started by the first call. Databases go with the server, `drop` is for the impatient. */
  create(): Promise<TestDatabase>
}

const CASES: (DatabaseCase & { programs: string[] })[] = [
  { kind: 'sqlite', label: 'SQLite', programs: [], create: createSqlite },
  { kind: 'pg', label: 'PostgreSQL', programs: ['postgres', 'initdb'], create: createPostgres },
  {
    kind: 'mysql',
    label: 'MariaDB',
    programs: ['mariadbd', 'mariadb-install-db'],
    create: createMariadb,
  },
]

/**
 * Calls `define` once for each database whose server is installed, at the time when tests are defined:
 *
 * ```ts
 * eachDatabase(({ label, create }) => {
 *   test.group(`Records | ${label}`, () => { ... })
 * })
 * ```
 *
 * A missing server becomes one skipped test that names it; where CI runs, it fails instead. `only` narrows the kinds.
 */
export function eachDatabase(
  define: (database: DatabaseCase) => void,
  only: DatabaseKind[] = ['sqlite', 'pg', 'mysql']
): void {
  for (const database of CASES.filter(({ kind }) => only.includes(kind))) {
    const missing = database.programs.filter((program) => !findProgram(program))
    if (missing.length === 0) {
      define(database)
      continue
    }
    const reason = `${missing.join(' and ')} not installed`
    test(`${database.label}: ${reason}`, () => {
      if (process.env.CI) throw new Error(`In CI every database has to be there: ${reason}`)
    }).skip(!process.env.CI, reason)
  }
}

/**
 * An empty database of one kind, outside of `eachDatabase`.
 */
export async function createDatabase(kind: DatabaseKind = 'sqlite'): Promise<TestDatabase> {
  return CASES.find((database) => database.kind === kind)!.create()
}

/** Removed at the end of the process. */
const folders = new Set<string>()
process.once('exit', () => {
  folders.forEach((folder) => rmSync(folder, { recursive: true, force: true }))
})

async function createSqlite(): Promise<TestDatabase> {
  const folder = mkdtempSync(join(tmpdir(), 'queuedeck-sqlite-'))
  const filename = join(folder, 'records.sqlite')
  folders.add(folder)
  return {
    kind: 'sqlite',
    env: { DB_CONNECTION: 'sqlite', DB_DATABASE: filename },
    connection: { client: 'better-sqlite3', connection: { filename }, useNullAsDefault: true },
    drop: () => rm(folder, { recursive: true, force: true }),
  }
}

async function createPostgres(): Promise<TestDatabase> {
  const { host, port } = await postgresServer()
  const database = newName()
  const administer = async (sql: string) => {
    const client = new pg.Client({ host, port, user: 'postgres', database: 'postgres' })
    await client.connect()
    try {
      await client.query(sql)
    } finally {
      await client.end()
    }
  }
  await administer(`create database ${database}`)
  return {
    kind: 'pg',
    env: serverEnv('pg', host, port, 'postgres', database),
    connection: {
      client: 'pg',
      connection: { host, port, user: 'postgres', password: '', database },
    },
    drop: () => administer(`drop database if exists ${database} with (force)`),
  }
}

async function createMariadb(): Promise<TestDatabase> {
  const { host, port } = await mariadbServer()
  const database = newName()
  const administer = async (sql: string) => {
    const connection = await mysql.createConnection({ host, port, user: 'root' })
    try {
      await connection.query(sql)
    } finally {
      await connection.end()
    }
  }
  await administer(`create database ${database} character set utf8mb4`)
  return {
    kind: 'mysql',
    env: serverEnv('mysql', host, port, 'root', database),
    connection: {
      client: 'mysql2',
      connection: { host, port, user: 'root', password: '', database },
    },
    drop: () => administer(`drop database if exists ${database}`),
  }
}

function serverEnv(kind: DatabaseKind, host: string, port: number, user: string, database: string) {
  return {
    DB_CONNECTION: kind,
    DB_HOST: host,
    DB_PORT: String(port),
    DB_USER: user,
    DB_PASSWORD: '',
    DB_DATABASE: database,
  }
}

function newName(): string {
  return `qd_${randomBytes(6).toString('hex')}`
}
