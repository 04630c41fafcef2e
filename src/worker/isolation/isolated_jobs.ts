import type { ContainerResolver } from '@adonisjs/core/container'
import type { LogSink } from '../../jobs/job_context.ts'
import type { JobRegistry } from '../../jobs/registry.ts'
import { systemClock } from '../../time/long_timer.ts'
import type { CheckpointAnswer } from '../../transport/checkpoints.ts'
import type { LogEntry } from '../../transport/types.ts'
import type { Progress } from '../../types.ts'
import { JobAbortedError, leaseLost } from '../abort_reasons.ts'
import { Attempt, type AttemptHost, type Checkpoint } from '../attempt.ts'
import { Execution } from '../execution.ts'
import type { Outcome } from '../outcome.ts'
import { describeThrown } from '../thrown.ts'
import { deferred } from '../waiting.ts'
import {
  type IsolatedOutcome,
  readFailure,
  readMessage,
  type ToProcess,
  type ToWorker,
} from './messages.ts'
import { watchWorker } from './worker_watch.ts'

/** Only the worker measures time, and counts the grace period. */
const FOR_EVER = Number.MAX_SAFE_INTEGER

type Waiting<Answer> = { resolve: (answer: Answer) => void; reject: (error: Error) => void }

type Assignment = Pick<
  Extract<ToProcess, { queuedeck: 'run' }>,
  'turn' | 'queue' | 'claim' | 'checkpoints'
>

type Turn = { number: number; attempt: Attempt; thrown?: unknown }

/**
 * The process's side of isolated jobs: runs one at a time as its worker says, with the application that has booted here.
 */
export class IsolatedJobs {
  /** Resolves when the worker wants this process to end. */
  readonly ended: Promise<void>

  #end = deferred()
  #execution: Execution
  #turn: Turn | undefined
  #reports = 0
  #written = new Map<number, Waiting<boolean>>()
  #kept = new Map<number, Waiting<CheckpointAnswer>>()

  constructor(
    private dependencies: {
      registry: JobRegistry
      container: Pick<ContainerResolver<any>, 'make'>
      logger: LogSink
    }
  ) {
    const { registry, container, logger } = dependencies
    this.ended = this.#end.promise
    this.#execution = new Execution(registry, container, logger, FOR_EVER)
  }

  /**
   * Whether this process was started by a worker.
   */
  static get wanted(): boolean {
    return typeof process.send === 'function'
  }

  /**
   * Takes jobs from now on.
   */
  async start(): Promise<void> {
    watchWorker((turn) => {
      if (this.#turn?.number === turn) {
        this.#turn.attempt.abort(leaseLost('its worker has not renewed its lease in time'))
      }
    })
    process.on('disconnect', () => process.exit(1))
    process.on('uncaughtExceptionMonitor', (error) =>
      send({ queuedeck: 'threw', failure: describeThrown(error) })
    )
    await this.dependencies.registry.load()
    process.on('message', (message) => this.#heard(readMessage<ToProcess>(message)))
    send({ queuedeck: 'ready' })
  }

  #heard(message: ToProcess | undefined): void {
    switch (message?.queuedeck) {
      case 'run':
        return void this.#run(message)
      case 'hook':
        return void this.#hook(message)
      case 'abort':
        if (this.#turn?.number === message.turn) {
          this.#turn.attempt.abort(new JobAbortedError(message.kind, message.message))
        }
        return
      case 'written':
        return this.#heardOf(message)
      case 'kept':
        return this.#heardOfCheckpoint(message)
      case 'end':
        return this.#end.resolve()
    }
  }

  async #run(message: Extract<ToProcess, { queuedeck: 'run' }>): Promise<void> {
    const { turn: number } = message
    const turn: Turn = { number, attempt: this.#attempt(message) }
    this.#turn = turn
    const outcome = await this.#execution.perform(turn.attempt)
    await turn.attempt.close()
    send({ queuedeck: 'ended', turn: number, outcome: withoutError(outcome) })
    if (outcome.kind === 'failed') {
      turn.thrown = outcome.error
    }
  }

  async #hook(message: Extract<ToProcess, { queuedeck: 'hook' }>): Promise<void> {
    const { turn: number } = message
    /** The instance that ran is asked, if it ran here. */
    const ran = this.#turn?.number === number ? this.#turn : undefined
    const attempt = ran?.attempt ?? this.#attempt(message)
    await this.#execution.callFailedHook(attempt, readFailure(message.failure), ran?.thrown)
    send({ queuedeck: 'hook ended', turn: number })
  }

  #attempt({ turn, queue, claim, checkpoints }: Assignment): Attempt {
    const host: AttemptHost = {
      queue,
      clock: systemClock,
      logger: this.dependencies.logger,
      lease: FOR_EVER,
      grace: FOR_EVER,
      holds: (attempt) => this.#mayBegin(turn, attempt),
      report: (_, what) => this.#report(turn, what),
      keep: (_, checkpoint) => this.#keep(turn, checkpoint),
      watch() {},
      signalIgnored() {},
    }
    const attempt = new Attempt({ ...claim, token: '' }, host, systemClock.now())
    if (checkpoints.length > 0) attempt.checkpoints = new Map(checkpoints)
    return attempt
  }

  async #mayBegin(turn: number, attempt: Attempt): Promise<boolean> {
    const held = await this.#ask((report) => ({ queuedeck: 'begins', turn, report }))
    if (!held) attempt.abort(leaseLost('its worker says so'))
    return held
  }

  #report(turn: number, what: { progress?: Progress; log?: LogEntry[] }): Promise<boolean> {
    return this.#ask((report) => ({ queuedeck: 'report', turn, report, ...what }))
  }

  /** Resolves with what the worker answers: whether it was accepted. */
  #ask(message: (report: number) => ToWorker): Promise<boolean> {
    const report = ++this.#reports
    return new Promise((resolve, reject) => {
      this.#written.set(report, { resolve, reject })
      send(message(report))
    })
  }

  #keep(turn: number, { name, json }: Checkpoint): Promise<CheckpointAnswer> {
    const report = ++this.#reports
    return new Promise((resolve, reject) => {
      this.#kept.set(report, { resolve, reject })
      send({ queuedeck: 'checkpoint', turn, report, name, json })
    })
  }

  #heardOfCheckpoint(message: Extract<ToProcess, { queuedeck: 'kept' }>): void {
    const { report, answer, error } = message
    const waiting = this.#kept.get(report)
    this.#kept.delete(report)
    if (answer === null) waiting?.reject(new Error(error))
    else waiting?.resolve(answer)
  }

  #heardOf(message: Extract<ToProcess, { queuedeck: 'written' }>): void {
    const waiting = this.#written.get(message.report)
    this.#written.delete(message.report)
    if (message.error === undefined) {
      waiting?.resolve(message.accepted)
    } else {
      waiting?.reject(new Error(message.error))
    }
  }
}

function withoutError(outcome: Outcome): IsolatedOutcome {
  if (outcome.kind !== 'failed') {
    return outcome
  }
  const { kind, failure, final } = outcome
  return { kind, failure, final }
}

/** When the channel is closed, the process is about to end. */
function send(message: ToWorker): void {
  if (process.connected) {
    process.send!(message, undefined, {}, () => {})
  }
}
