import type { LogSink } from '../../jobs/job_context.ts'
import { after, type Clock } from '../../time/long_timer.ts'
import type { Attempt } from '../attempt.ts'
import { finalFailure, type Outcome, PROCESS_DIED, stoppedOutcome } from '../outcome.ts'
import type { Failure } from '../thrown.ts'
import { first, pause } from '../waiting.ts'
import { IsolatedProcess, type IsolationCommand, type ProcessEnd } from './isolated_process.ts'

/**
 * How long an application may take to boot, ms.
 */
const BOOT_WITHIN = 60_000

/**
 * How long a process without a job is kept for the next one, ms.
 */
const KEPT_IDLE = 300_000

/**
 * How long processes may take to end by themselves when the worker does, ms.
 */
const LEAVE_WITHIN = 1_000

/**
 * Runs isolated jobs: each in a process of its own that boots the application once and is used again by the next. There are as many as
 * isolated jobs run at once, so at most one for each slot.
 */
export class Isolation {
  #idle: { process: IsolatedProcess; dismiss: () => void }[] = []
  #processes = new Set<IsolatedProcess>()
  #closed = false

  constructor(
    private command: IsolationCommand | undefined,
    private clock: Clock,
    private logger: LogSink
  ) {}

  /** Ids of the processes that are there, with a job or without. */
  get pids(): number[] {
    return [...this.#processes].flatMap(({ pid }) => (pid === undefined ? [] : [pid]))
  }

  /**
   * Runs an attempt to the end of its code, or of its process. The process stays the attempt's, for its `failed` hook, until `release`.
   *
   * @param timeout of the code, ms; the time that the application takes to boot does not count
   */
  async perform(attempt: Attempt, timeout: number): Promise<Outcome> {
    const isolated = this.#assign(attempt)
    if (isolated === undefined) {
      return finalFailure(
        'ISOLATION_MISSING',
        `The type ${attempt.job.type} is isolated, and this worker was not told how to start a process for it: run it with queue:work`
      )
    }
    if (!(await this.#booted(isolated, attempt))) {
      return stoppedOutcome(attempt, false) ?? died(isolated.end!, 'before it was ready')
    }
    attempt.limit(timeout)
    const outcome = await isolated.run(attempt)
    const stopped = stoppedOutcome(attempt, outcome?.kind === 'completed')
    if (stopped !== undefined) {
      return stopped
    }
    switch (outcome?.kind) {
      case 'completed':
        return outcome
      case 'failed':
        return { ...outcome, error: undefined }
      default:
        return died(await isolated.gone, 'while the job ran')
    }
  }

  /**
   * Calls the `failed` hook of an attempt, in the process that ran it if that is still there, so that it finds its instance.
   */
  async hook(attempt: Attempt, failure: Failure): Promise<void> {
    if (attempt.process?.end !== undefined) {
      attempt.process = undefined
    }
    const isolated = this.#assign(attempt)
    if (isolated === undefined || !(await this.#booted(isolated))) {
      return
    }
    await isolated.hook(attempt, failure)
    if (isolated.end !== undefined) {
      const { job } = attempt
      this.logger.error(
        { jobId: job.id, jobType: job.type },
        `The failed() hook of a job ended its process: ${describe(isolated.end)}`
      )
    }
  }

  /**
   * Takes the process of an attempt that is over back for the next.
   */
  release(attempt: Attempt): void {
    const { process: isolated } = attempt
    attempt.process = undefined
    if (isolated === undefined || isolated.end !== undefined) {
      return
    }
    if (this.#closed) {
      isolated.leave()
      return
    }
    const dismiss = after(
      KEPT_IDLE,
      () => {
        this.#forget(isolated)
        isolated.leave()
      },
      this.clock
    )
    this.#idle.push({ process: isolated, dismiss })
  }

  /**
   * Ends all processes; those that do not end by themselves are killed.
   */
  async close(): Promise<void> {
    this.#closed = true
    this.#idle.splice(0).forEach(({ dismiss }) => dismiss())
    const processes = [...this.#processes]
    processes.forEach((isolated) => isolated.leave())
    const gone = Promise.all(processes.map((isolated) => isolated.gone))
    if (!(await first(gone, pause(LEAVE_WITHIN)))) {
      await Promise.all(processes.map((isolated) => isolated.kill()))
    }
  }

  #assign(attempt: Attempt): IsolatedProcess | undefined {
    if (attempt.process === undefined && this.command !== undefined) {
      /** The one used last: what was used long ago may go. */
      const idle = this.#idle.pop()
      idle?.dismiss()
      attempt.process = idle?.process ?? this.#start(this.command)
    }
    return attempt.process
  }

  #start(command: IsolationCommand): IsolatedProcess {
    const isolated = new IsolatedProcess(command)
    this.#processes.add(isolated)
    void isolated.gone.then((end) => {
      this.#processes.delete(isolated)
      if (this.#forget(isolated)) {
        this.logger.warn(
          { pid: isolated.pid },
          `A process for isolated jobs ended while it had none: ${describe(end)}`
        )
      }
    })
    return isolated
  }

  /** Whether it was idle. */
  #forget(isolated: IsolatedProcess): boolean {
    const place = this.#idle.findIndex(({ process: idle }) => idle === isolated)
    if (place === -1) {
      return false
    }
    const [{ dismiss }] = this.#idle.splice(place, 1)
    dismiss()
    return true
  }

  /** False when the process has ended, or its attempt was stopped meanwhile. */
  async #booted(isolated: IsolatedProcess, attempt?: Attempt): Promise<boolean> {
    const late = after(BOOT_WITHIN, () => void isolated.kill(), this.clock)
    const stopped = new Promise<void>((resolve) => {
      if (attempt?.aborted !== undefined) resolve()
      attempt?.signal.addEventListener('abort', () => resolve(), { once: true })
    })
    const ready = await first(isolated.ready, isolated.gone, stopped)
    late()
    return ready && isolated.end === undefined && attempt?.aborted === undefined
  }
}

/**
 * The failure of an attempt whose process ended by itself. Another attempt may fare better, so it is not final.
 */
function died(end: ProcessEnd, when: string): Outcome {
  const { threw } = end
  const said = threw === undefined ? '' : `: ${threw.message}`
  const failure: Failure = {
    code: PROCESS_DIED,
    message: `Its process ended ${when} (${describe(end)})${said}`,
    stack: threw?.stack ?? null,
  }
  return { kind: 'failed', failure, final: false, error: undefined }
}

function describe({ code, signal, error }: ProcessEnd): string {
  if (error !== undefined) return `it could not be started: ${error.message}`
  return signal === null ? `exit code ${code}` : `signal ${signal}`
}
