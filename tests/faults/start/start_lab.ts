import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import type { Running } from '../../../bin/start/data_folder.ts'
import { STATUSES } from '../../../src/statuses.ts'
import { type AppProcess, spawnNode } from '#tests/helpers/app'
import { freePort, waitFor } from '#tests/helpers/wait'

/**
 * A folder and a port for one `npm start` after another.
 */
export class StartLab {
  readonly folder = mkdtempSync(join(tmpdir(), 'queuedeck-start-'))
  readonly port: number
  readonly #started: AppProcess[] = []

  private constructor(port: number) {
    this.port = port
  }

  static async create(): Promise<StartLab> {
    return new StartLab(await freePort())
  }

  /**
   * Runs what `npm start` runs once Node and the dependencies are there.
   */
  start(env: Record<string, string> = {}): AppProcess {
    const process = spawnNode(['--disable-warning=ExperimentalWarning', 'bin/start.ts'], {
      QUEUEDECK_FOLDER: this.folder,
      PORT: String(this.port),
      ...env,
    })
    this.#started.push(process)
    return process
  }

  /**
   * Starts, and answers when the documents were sent.
   */
  async startWhole(env: Record<string, string> = {}): Promise<AppProcess> {
    const process = this.start(env)
    await waitFor(
      'everything to run',
      () => process.child.exitCode !== null || process.output().includes('Everything runs'),
      { within: 90_000 }
    )
    if (process.child.exitCode !== null) throw new Error(process.output() + this.logs())
    return process
  }

  /** What the running start noted. */
  get running(): Running | null {
    const file = join(this.folder, 'running.json')
    return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : null
  }

  /** Variables for an Ace command beside the running start. */
  childEnv(): Record<string, string> {
    const { redis, database } = this.running!
    return {
      REDIS_HOST: redis.host,
      REDIS_PORT: String(redis.port),
      REDIS_PASSWORD: redis.password,
      DB_DATABASE: database!,
    }
  }

  logs(): string {
    return ['migration', 'web server', 'worker', 'documents']
      .map((name) => join(this.folder, `logs/${name}.log`))
      .filter((file) => existsSync(file))
      .map((file) => `\n-- ${file}\n${readFileSync(file, 'utf8').slice(-1_500)}`)
      .join('')
  }

  /** Jobs in the records, by status. */
  counts(): Record<string, number> & { total: number } {
    const database = new Database(join(this.folder, 'queuedeck.sqlite'), { readonly: true })
    try {
      const rows = database
        .prepare('select status, count(*) as jobs from queuedeck_jobs group by status')
        .all() as { status: number; jobs: number }[]
      const counts = Object.fromEntries(rows.map(({ status, jobs }) => [STATUSES[status], jobs]))
      return { ...counts, total: rows.reduce((sum, { jobs }) => sum + jobs, 0) }
    } finally {
      database.close()
    }
  }

  /**
   * Waits until no job is left to do, and answers the counts.
   */
  async allEnded(within = 120_000): Promise<Record<string, number> & { total: number }> {
    return waitFor(
      'all jobs to end',
      () => {
        const counts = this.counts()
        const { completed = 0, failed = 0, cancelled = 0, total } = counts
        return total > 200 && completed + failed + cancelled === total && counts
      },
      { within, every: 250 }
    ).catch((error) => {
      throw new Error(`${error.message}: ${JSON.stringify(this.counts())}${this.logs()}`)
    })
  }

  /** The records' ids with their run and status, for comparing histories. */
  history(): Map<string, string> {
    const database = new Database(join(this.folder, 'queuedeck.sqlite'), { readonly: true })
    try {
      const rows = database
        .prepare('select hex(id) as id, run, created_at from queuedeck_jobs')
        .all() as { id: string; run: number; created_at: number }[]
      return new Map(rows.map((row) => [row.id, `${row.run} ${row.created_at}`]))
    } finally {
      database.close()
    }
  }

  async end(): Promise<void> {
    for (const process of this.#started) await process.stop('SIGTERM', 60_000)
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

/**
 * A server that answers every command of Redis with one line.
 */
export async function answering(line: string): Promise<{ port: number; server: Server }> {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.on('data', (data) => {
      /** Several commands may come at once, and each wants its answer. Requests are arrays: `*<count>`. */
      const commands = String(data).match(/^\*\d+\r$/gm)?.length ?? 0
      socket.write(`${line}\r\n`.repeat(commands))
    })
  })
  const port = await freePort()
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  return { port, server }
}
