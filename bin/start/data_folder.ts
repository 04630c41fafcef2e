import {
  accessSync,
  constants,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { StartError } from './messages.ts'
import type { ProcessIdentity } from './process_identity.ts'

/**
 * What runs out of a data folder: for other commands, and for the next start when this one was killed.
 */
export type Running = {
  address: string
  redis: { host: string; port: number; password: string }
  /** Of the database, as the children got it. */
  database: string | null
  processes: ({ name: string } & ProcessIdentity)[]
}

/**
 * The folder that holds everything `npm start` keeps. Only one start at a time owns it.
 */
export class DataFolder {
  readonly path: string
  #lock: Database.Database | undefined

  constructor(path: string) {
    this.path = path
  }

  /**
   * Makes the folder and takes it.
   *
   * @throws StartError when it cannot be written, or when another start owns it
   */
  open(): void {
    try {
      for (const folder of ['', 'redis', 'logs']) {
        mkdirSync(join(this.path, folder), { recursive: true, mode: 0o700 })
        accessSync(join(this.path, folder), constants.W_OK)
      }
    } catch (error) {
      throw this.#unwritable(error)
    }
    this.#takeLock()
  }

  /**
   * A database locked for as long as this process lives: the system gives the lock back however the process ends.
   */
  #takeLock(): void {
    try {
      const lock = new Database(join(this.path, 'start.lock'), { timeout: 0 })
      lock.exec('BEGIN EXCLUSIVE')
      // Only the owner takes back what is noted.
      this.#lock = lock
    } catch (error) {
      if ((error as { code?: string }).code !== 'SQLITE_BUSY') throw this.#unwritable(error)
      const address = this.running()?.address
      throw new StartError(
        `Queuedeck runs from this folder already${address ? `: ${address}` : ''}. Stop it first, or set QUEUEDECK_FOLDER and PORT for a second one.`
      )
    }
  }

  #unwritable(error: unknown): StartError {
    return new StartError(
      `Cannot write to ${this.path} (${(error as NodeJS.ErrnoException).code ?? (error as Error).message}): make it writable, or set QUEUEDECK_FOLDER to a folder that is.`
    )
  }

  /**
   * What the last start noted and did not take back.
   */
  running(): Running | null {
    try {
      return JSON.parse(readFileSync(join(this.path, 'running.json'), 'utf8'))
    } catch {
      // Never written, or taken back: nothing is known to run.
      return null
    }
  }

  /**
   * Notes what runs. It holds the password of Redis, so nobody else may read it.
   */
  note(running: Running): void {
    const file = join(this.path, 'running.json')
    writeFileSync(`${file}.new`, JSON.stringify(running, null, 2), { mode: 0o600 })
    renameSync(`${file}.new`, file)
  }

  /**
   * Nothing runs any more.
   */
  close(): void {
    if (!this.#lock) return
    rmSync(join(this.path, 'running.json'), { force: true })
    this.#lock.close()
    this.#lock = undefined
  }
}
