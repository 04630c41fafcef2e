import { type ChildProcess, fork } from 'node:child_process'
import type { Writable } from 'node:stream'
import { assertCheckpoint } from '../../jobs/checkpoints.ts'
import { LONGEST_DELAY } from '../../time/long_timer.ts'
import type { LogEntry } from '../../transport/types.ts'
import type { Progress } from '../../types.ts'
import type { JobAbortedError } from '../abort_reasons.ts'
import type { Attempt } from '../attempt.ts'
import type { ClaimedJob } from '../claim.ts'
import type { Failure } from '../thrown.ts'
import { first, pause } from '../waiting.ts'
import {
  type IsolatedClaim,
  type IsolatedOutcome,
  readFailure,
  readMessage,
  readOutcome,
  type ToProcess,
  type ToWorker,
} from './messages.ts'
import { type Lent, WATCHED } from './worker_watch.ts'

/**
 * How a process that runs isolated jobs is started: a program that boots the application and makes an `IsolatedJobs` of it.
 */
export type IsolationCommand = { file: string; args?: string[]; execArgv?: string[] }

/**
 * How long the last messages of a process that has ended may take to arrive, ms. Something that it started itself and left behind may
 * keep its channel open for ever.
 */
const LAST_MESSAGES = 200

/**
 * How a process ended. `threw` is the error that nobody caught, if it could still say so.
 */
export type ProcessEnd = {
  code: number | null
  signal: NodeJS.Signals | null
  error?: Error
  threw?: Failure
}

type Turn = {
  number: number
  attempt: Attempt
  ended: (outcome: IsolatedOutcome | undefined) => void
}

/**
 * The worker's side of one process that runs isolated jobs, one at a time.
 */
export class IsolatedProcess {
  /** Resolves when the application has booted there; never, when the process ends before. */
  readonly ready: Promise<void>

  /** Resolves when the process has ended and everything it said was heard. */
  readonly gone: Promise<ProcessEnd>

  /** Set once it has ended. */
  end: ProcessEnd | undefined

  #child: ChildProcess
  #pipe: Writable | null
  #becomesReady!: () => void
  #threw: Failure | undefined
  #turns = 0
  #turn: Turn | undefined

  constructor({ file, args = [], execArgv = [] }: IsolationCommand) {
    this.ready = new Promise((resolve) => (this.#becomesReady = resolve))
    /**
     * In a process group of its own: Ctrl-C in a terminal means the worker, which lets its jobs finish, and what a job has started is
     * killed with it. The pipe tells the process when the worker is gone.
     */
    this.#child = fork(file, args, {
      execArgv,
      detached: true,
      stdio: ['ignore', 'inherit', 'inherit', 'ipc', 'pipe'],
    })
    this.#pipe = this.#child.stdio[WATCHED] as Writable | null
    this.#pipe?.on('error', () => {})
    this.#child.on('message', (message) => this.#heard(readMessage<ToWorker>(message)))
    this.gone = this.#watch()
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  /**
   * Runs an attempt's code to its end.
   *
   * @returns undefined when the process ended without an outcome
   */
  run(attempt: Attempt): Promise<IsolatedOutcome | undefined> {
    const turn = ++this.#turns
    const ended = this.#begin(turn, attempt)
    const abort = () => this.abort(turn, attempt.aborted!)
    attempt.signal.addEventListener('abort', abort, { once: true })
    const { queue } = attempt.job
    const claim = withoutToken(attempt)
    this.renewed(attempt)
    this.#send({ queuedeck: 'run', turn, queue, claim, checkpoints: checkpointsOf(attempt) })
    if (attempt.aborted !== undefined) {
      abort()
    }
    return ended.finally(() => {
      attempt.signal.removeEventListener('abort', abort)
      this.#lend({ turn, left: null, grace: 0 })
    })
  }

  /**
   * Tells the process for how long its attempt may go on: it ends by itself then, however this one is held up.
   */
  renewed(attempt: Attempt): void {
    if (this.#turn?.attempt === attempt) {
      const grace = Math.min(attempt.host.grace, LONGEST_DELAY)
      this.#lend({ turn: this.#turn.number, left: attempt.leaseLeft, grace })
    }
  }

  /**
   * Calls the `failed` hook of an attempt; resolves when it has returned or the process has ended.
   */
  async hook(attempt: Attempt, failure: Failure): Promise<void> {
    const ended = this.#begin(this.#turns, attempt)
    const { queue } = attempt.job
    const claim = withoutToken(attempt)
    const checkpoints = checkpointsOf(attempt)
    this.#send({ queuedeck: 'hook', turn: this.#turns, queue, claim, checkpoints, failure })
    await ended
  }

  abort(turn: number, { kind, message }: JobAbortedError): void {
    this.#send({ queuedeck: 'abort', turn, kind, message })
  }

  /**
   * Lets the process end by itself, once its code has returned.
   */
  leave(): void {
    this.#send({ queuedeck: 'end' })
  }

  /**
   * Ends the process, and all that it has started, at once. Resolves when it has ended.
   */
  async kill(): Promise<void> {
    if (this.end === undefined && this.pid !== undefined) {
      try {
        process.kill(-this.pid, 'SIGKILL')
      } catch {
        this.#child.kill('SIGKILL')
      }
    }
    await this.gone
  }

  #begin(number: number, attempt: Attempt): Promise<IsolatedOutcome | undefined> {
    if (this.end !== undefined) {
      return Promise.resolve(undefined)
    }
    return new Promise((ended) => (this.#turn = { number, attempt, ended }))
  }

  #heard(message: ToWorker | undefined): void {
    switch (message?.queuedeck) {
      case 'ready':
        return this.#becomesReady()
      case 'threw':
        this.#threw = readFailure(message.failure)
        return
      case 'begins':
        return void this.#begins(message)
      case 'report':
        return void this.#report(message)
      case 'checkpoint':
        return void this.#keep(message)
      case 'ended':
        return this.#over(message.turn, readOutcome(message.outcome))
      case 'hook ended':
        return this.#over(message.turn, undefined)
    }
  }

  #over(turn: number, outcome: IsolatedOutcome | undefined): void {
    if (this.#turn?.number === turn) {
      const { ended } = this.#turn
      this.#turn = undefined
      ended(outcome)
    }
  }

  /** Asked when its code is about to begin: making ready for it may have taken long there, or its messages here. */
  async #begins({ turn, report }: { turn: number; report: number }): Promise<void> {
    const attempt = this.#turn?.number === turn ? this.#turn.attempt : undefined
    const accepted = attempt !== undefined && (await attempt.host.holds(attempt))
    this.#send({ queuedeck: 'written', turn, report, accepted })
  }

  /** Written with the attempt's own token, here: a process that outlives its lease has no say. */
  async #report(message: {
    turn: number
    report: number
    progress?: Progress
    log?: LogEntry[]
  }): Promise<void> {
    const { turn, report, progress, log } = message
    if (this.#turn?.number !== turn) {
      return
    }
    try {
      const accepted = await this.#turn.attempt.write({ progress, log })
      this.#send({ queuedeck: 'written', turn, report, accepted })
    } catch (error) {
      const said = String((error as Error)?.message ?? error)
      this.#send({ queuedeck: 'written', turn, report, accepted: true, error: said })
    }
  }

  /** As with reports; what the process says is checked again, because its code can write into the channel too. */
  async #keep(message: Extract<ToWorker, { queuedeck: 'checkpoint' }>): Promise<void> {
    const { turn, report, name, json } = message
    if (this.#turn?.number !== turn) {
      return
    }
    try {
      assertCheckpoint(name, json)
      const answer = await this.#turn.attempt.keep({ name: name as string, json: json as string })
      this.#send({ queuedeck: 'kept', turn, report, answer })
    } catch (error) {
      const said = String((error as Error)?.message ?? error)
      this.#send({ queuedeck: 'kept', turn, report, answer: null, error: said })
    }
  }

  #lend(lease: Lent): void {
    this.#pipe?.write(`${JSON.stringify(lease)}\n`)
  }

  #send(message: ToProcess): void {
    if (this.#child.connected) {
      /** A process that has just ended is noticed by its end. */
      this.#child.send(message, () => {})
    }
  }

  async #watch(): Promise<ProcessEnd> {
    const child = this.#child
    const end = await new Promise<ProcessEnd>((resolve) => {
      child.once('exit', (code, signal) => resolve({ code, signal }))
      child.on('error', (error) => {
        if (child.pid === undefined) {
          resolve({ code: null, signal: null, error })
        }
      })
    })
    if (child.connected) {
      await first(new Promise((resolve) => child.once('disconnect', resolve)), pause(LAST_MESSAGES))
    }
    this.end = { ...end, threw: this.#threw }
    this.#over(this.#turns, undefined)
    this.#pipe?.destroy()
    return this.end
  }
}

function checkpointsOf({ checkpoints }: Attempt): [string, string][] {
  return checkpoints === undefined ? [] : [...checkpoints]
}

function withoutToken({ claim }: Attempt): IsolatedClaim {
  const copy: Partial<ClaimedJob> = { ...claim }
  delete copy.token
  return copy as IsolatedClaim
}
