import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import type { Running } from '../../../bin/start/data_folder.ts'
import { STATUSES } from '../../../src/statuses.ts'
import { type AppProcess, spawnNode } from '#tests/helpers/app'
import { freePort } from '#tests/helpers/ports'
import { waitFor } from '#tests/helpers/wait'

/**
 * A folder and a port for one `npm start` after another.
 */
export class StartLab {
  readonly folder = mkdtempSync(join(tmpdir(), 'queuedeck-start-'))
  readonly port: number
  readonly #started: AppProcess[] = []
  #whole: AppProcess | undefined

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
    this.#whole = process
    await waitFor(
      'everything to run',
      () => process.child.exitCode !== null || process.output().includes('Everything runs'),
      { within: 90_000 }
    )
    if (process.child.exitCode !== null) throw new Error(process.output() + this.logs())
    return process
  }

  /**
   * The start that runs, or a new one. Tests that need any share it: each costs ten seconds of a processor.
   */
  async whole(): Promise<AppProcess> {
    const last = this.#whole
    const runs = last && last.child.exitCode === null && last.child.signalCode === null
    return runs ? last : this.startWhole()
  }

  /** What the first start has written. */
  get firstOutput(): string {
    return this.#started[0]!.output()
  }

  /** What the running start noted. */
  get running(): Running | null {
    const file = join(this.folder, 'running.json')
    return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : null
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
    const rows = this.#read<{ status: number; jobs: number }>(
      'select status, count(*) as jobs from queuedeck_jobs group by status'
    )
    const counts = Object.fromEntries(rows.map(({ status, jobs }) => [STATUSES[status], jobs]))
    return { ...counts, total: rows.reduce((sum, { jobs }) => sum + jobs, 0) }
  }

  /** The status of one job. */
  status(id: string): string | undefined {
    const [row] = this.#read<{ status: number }>(
      'select status from queuedeck_jobs where lower(hex(id)) = ?',
      id.replaceAll('-', '')
    )
    return row && STATUSES[row.status]
  }

  /**
   * Waits until no job is left to do, and answers the counts.
   */
  async allEnded(): Promise<Record<string, number> & { total: number }> {
    return waitFor(
      'all jobs to end',
      () => {
        const counts = this.counts()
        const { completed = 0, failed = 0, cancelled = 0, total } = counts
        return total > 200 && completed + failed + cancelled === total && counts
      },
      { within: 120_000, every: 250 }
    ).catch((error) => {
      throw new Error(`${error.message}: ${JSON.stringify(this.counts())}${this.logs()}`)
    })
  }

  /** The records' ids with their run and moment, for comparing histories. */
  history(): Map<string, string> {
    const rows = this.#read<{ id: string; run: number; created_at: number }>(
      'select hex(id) as id, run, created_at from queuedeck_jobs'
    )
    return new Map(rows.map((row) => [row.id, `${row.run} ${row.created_at}`]))
  }

  /** Sends a job that sleeps, as the running start's pages do, and answers its id. */
  async sleep(ms: number): Promise<string> {
    const { job } = await this.#act('/jobs', { type: 'demo.sleep', payload: { ms } })
    return job.id
  }

  async cancel(id: string): Promise<void> {
    await this.#act(`/jobs/${id}/cancel`, {})
  }

  async #act(path: string, body: object): Promise<any> {
    const { address } = this.running!
    const page = await fetch(address)
    const [, token] = /name="csrf-token" content="([^"]+)"/.exec(await page.text())!
    const cookies = page.headers.getSetCookie().map((one) => one.split(';')[0])
    const answer = await fetch(address + path, {
      method: 'POST',
      headers: {
        'accept': 'application/json',
        'content-type': 'application/json',
        'cookie': cookies.join('; '),
        'x-csrf-token': token!,
      },
      body: JSON.stringify(body),
    })
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
    return answer.json()
  }

  #read<Row>(sql: string, ...values: unknown[]): Row[] {
    const database = new Database(join(this.folder, 'queuedeck.sqlite'), { readonly: true })
    try {
      return database.prepare(sql).all(...values) as Row[]
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
