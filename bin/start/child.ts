import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Writable } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import { identify, type ProcessIdentity } from './process_identity.ts'
import { ROOT, type Variables } from './settings.ts'

/** How long a child may take to end after it was told: the worker's grace period (30 s) and what follows it. */
const LONGEST_FAREWELL = 45_000

/** Lines that say why something failed: `TypeError: ...`, `FATAL ERROR: ...`, `ℹ Exception: ...`, `[ error ] ...`. A cause is in brackets. */
const ERROR = /^\W*(?:FATAL )?\w*(?:error|exception)(?: \[\w+\])?(?: \]|:)\s+(\S.*)/i

/** As Ace commands say how they got on: `[ success ] sent 3 jobs`. */
const NEWS = /^\[ \w+ \]\s+(\S.*)/

/** Lines in which it is looked for: what an error shows of code and stack comes behind its message. */
const LAST_LINES = 50

export type ChildOptions = {
  name: string
  /** Arguments of Node. */
  args: string[]
  variables: Variables
  /** Folder for its log. */
  logs: string
  /** Held open while it lives; see PrivateRedis. */
  lifeline?: Writable
  /** Ends when this process ends, however that happens. */
  follows?: true
}

/**
 * A process of the application. It writes to a file rather than to a pipe: a pipe breaks when this process is killed, and then the
 * child would fail where it should hand back what it runs.
 */
export class Child {
  readonly name: string
  readonly log: string
  readonly identity: ProcessIdentity
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
  readonly #process: ChildProcess

  constructor(options: ChildOptions) {
    this.name = options.name
    this.log = join(options.logs, `${options.name}.log`)
    const output = openSync(this.log, 'a', 0o600)
    const follow = options.follows ? ['--import', join(ROOT, 'bin/start/follow_parent.ts')] : []
    this.#process = spawn(process.execPath, [...follow, ...options.args], {
      cwd: ROOT,
      env: options.variables,
      // A group of its own: Ctrl-C at the terminal is for this process, which tells its children in order.
      detached: true,
      stdio: [
        'ignore',
        output,
        output,
        options.follows ? 'ipc' : 'ignore',
        options.lifeline ?? 'ignore',
      ],
    })
    closeSync(output)
    this.ended = new Promise((resolve) => {
      this.#process.once('exit', (code, signal) => resolve({ code, signal }))
      this.#process.once('error', () => resolve({ code: 1, signal: null }))
    })
    const pid = this.#process.pid ?? 0
    this.identity = identify(pid) ?? { pid, started: '' }
  }

  /** Whether it has ended. */
  get isOver(): boolean {
    return this.#process.exitCode !== null || this.#process.signalCode !== null
  }

  tell(signal: NodeJS.Signals): void {
    this.#process.kill(signal)
  }

  /**
   * Asks it to end and waits for that; one that does not is ended.
   */
  async stop(): Promise<void> {
    if (this.isOver) return
    this.tell('SIGTERM')
    const patience = new AbortController()
    const tooLong = pause(LONGEST_FAREWELL, 'too long', { signal: patience.signal }).catch(() => '')
    if ((await Promise.race([this.ended, tooLong])) === 'too long') this.tell('SIGKILL')
    patience.abort()
    await this.ended
  }

  /** Why it failed, as it said itself: the message of its last error, else its last line with a word; null when it said nothing. */
  get complaint(): string | null {
    const lines = this.#lastLines()
    return lastMatch(lines, ERROR) ?? lastMatch(lines, /(.*\w.*)/)
  }

  /** What a command said last of how it got on; null when it said nothing. */
  get news(): string | null {
    return lastMatch(this.#lastLines(), NEWS)
  }

  /** Without colours. */
  #lastLines(): string[] {
    const text = readFileSync(this.log, 'utf8')
    // eslint-disable-next-line no-control-regex
    const plain = text.replaceAll(/\u001b\[[\d;]*m/g, '')
    return plain.trim().split('\n').filter(Boolean).slice(-LAST_LINES)
  }
}

function lastMatch(lines: string[], pattern: RegExp): string | null {
  for (const line of lines.toReversed()) {
    const [, said] = pattern.exec(line) ?? []
    if (said !== undefined) return said.trim()
  }
  return null
}
