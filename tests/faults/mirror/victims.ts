import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import Sqlite from 'better-sqlite3'
import mysql from 'mysql2/promise'
import pg from 'pg'
import type { MirrorProcessSettings } from '../../functional/mirror/mirror_process.ts'
import type { DatabaseKind, TestDatabase } from '#tests/helpers/databases'
import { mariadbServer, postgresServer } from '#tests/helpers/servers'
import { waitFor } from '#tests/helpers/wait'

const SCRIPT = fileURLToPath(new URL('../../functional/mirror/mirror_process.ts', import.meta.url))

/**
 * A mirror in a process of its own, to be killed.
 */
export class MirrorProcess {
  readonly child: ChildProcess
  readonly messages: unknown[] = []

  constructor(settings: MirrorProcessSettings) {
    this.child = fork(SCRIPT, [JSON.stringify(settings)], {
      execArgv: ['--import=./bin/typescript.js'],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    this.child.on('message', (message) => this.messages.push(message))
  }

  get isAlive(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null
  }

  get leads(): number | undefined {
    const message = this.messages.find(
      (one) => typeof one === 'object' && one !== null && 'leads' in one
    )
    return (message as { leads: number } | undefined)?.leads
  }

  /** Lets one begin that was told to wait. */
  begin(): void {
    this.child.send('begin')
  }

  ready(): Promise<unknown> {
    return waitFor('a mirror process to start', () => this.messages.includes('ready'))
  }

  /** Waits for its end, whatever ends it. */
  async ended(): Promise<void> {
    if (this.isAlive) await once(this.child, 'exit')
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL')
    await this.ended()
  }

  async ask<T>(question: 'lag' | 'stop'): Promise<T> {
    const before = this.messages.length
    this.child.send(question)
    await waitFor('an answer of a mirror process', () => this.messages.length > before)
    return this.messages.at(-1) as T
  }
}

export type OwnDatabase = {
  connection: TestDatabase['connection']
  /** Takes no writes from now on. */
  away(): Promise<void>
  back(): Promise<void>
  stop(): Promise<void>
}

/**
 * A database that a test may stop. SQLite, which has no server, is locked by another connection instead.
 *
 * @param folder where SQLite's file is to be; default: one that is made for it
 */
export async function ownDatabase(kind: DatabaseKind, folder?: string): Promise<OwnDatabase> {
  if (kind === 'sqlite') return ownSqlite(folder)
  const server =
    kind === 'pg' ? await postgresServer({ own: true }) : await mariadbServer({ own: true })
  const { host, port } = server
  const user = kind === 'pg' ? 'postgres' : 'root'
  if (kind === 'pg') {
    const client = new pg.Client({ host, port, user, database: 'postgres' })
    await client.connect()
    await client.query('create database records')
    await client.end()
  } else {
    const client = await mysql.createConnection({ host, port, user })
    await client.query('create database records character set utf8mb4')
    await client.end()
  }
  return {
    connection: {
      client: kind === 'pg' ? 'pg' : 'mysql2',
      connection: { host, port, user, password: '', database: 'records' },
    },
    away: () => server.kill(),
    back: async () => void (await server.start()),
    stop: () => server.stop(),
  }
}

function ownSqlite(folder = mkdtempSync(join(tmpdir(), 'queuedeck-fire-'))): OwnDatabase {
  const filename = join(folder, 'records.sqlite')
  let lock: Sqlite.Database | undefined
  return {
    connection: { client: 'better-sqlite3', connection: { filename }, useNullAsDefault: true },
    async away() {
      lock = new Sqlite(filename, { timeout: 20_000 })
      lock.exec('begin immediate')
    },
    async back() {
      lock?.exec('rollback')
      lock?.close()
    },
    async stop() {
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
