import { AsyncLocalStorage } from 'node:async_hooks'
import type { ContainerResolver } from '@adonisjs/core/container'
import { cutText } from '../cut_text.ts'
import type { Job } from '../jobs/job.ts'
import type { LogSink } from '../jobs/job_context.ts'
import { openJob, PayloadInvalidException } from '../jobs/open_job.ts'
import type { JobDefinition, JobRegistry } from '../jobs/registry.ts'
import { NotSerialisableError, resultToJson } from '../jobs/serialise.ts'
import { LONGEST_DELAY } from '../time/long_timer.ts'
import { LATE, within } from '../time/within.ts'
import type { Attempt } from './attempt.ts'
import type { Isolation } from './isolation/isolation.ts'
import { finalFailure, type Outcome, stoppedOutcome } from './outcome.ts'
import { describeThrown, type Failure, isInstance } from './thrown.ts'

/**
 * Largest result as JSON, in bytes. Redis refuses values of half a gigabyte, and everything that reads a job would carry it.
 */
const LARGEST_RESULT = 64 * 1_048_576

/** How long a `failed` hook may take at least, ms: a process may have to boot for it first. */
const LEAST_FOR_HOOK = 90_000

const running = new AsyncLocalStorage<Attempt>()

/**
 * The job whose code runs now, from anywhere below its `execute`; undefined outside of jobs.
 */
export function currentAttempt(): Attempt | undefined {
  return running.getStore()
}

/**
 * Runs the code of jobs: class from the container, payload checked, code run in its context, its end made an outcome.
 */
export class Execution {
  /**
   * @param isolation runs the types that ask for it; without it all code runs in this process
   */
  constructor(
    private registry: Pick<JobRegistry, 'get' | 'names' | 'problems'>,
    private container: Pick<ContainerResolver<any>, 'make'>,
    private logger: LogSink,
    private defaultTimeout: number,
    private isolation?: Isolation
  ) {}

  /**
   * Runs one attempt to the end of its code, here or in a process of its own. Never rejects.
   */
  async perform(attempt: Attempt): Promise<Outcome> {
    const { claim } = attempt
    const definition = this.registry.get(claim.type)
    if (definition === undefined) {
      return finalFailure('UNKNOWN_TYPE', this.#unknown(claim.type))
    }

    let payload: unknown
    try {
      payload = JSON.parse(claim.data)
    } catch (error) {
      return finalFailure(
        'PAYLOAD_INVALID',
        `The payload is no JSON: ${(error as Error).message}`,
        error
      )
    }

    const timeout = claim.timeout ?? definition.options.timeout ?? this.defaultTimeout
    if (definition.options.isolated && this.isolation !== undefined) {
      return this.isolation.perform(attempt, timeout)
    }
    attempt.limit(timeout)
    try {
      const result = await running.run(attempt, () => this.#execute(definition, payload, attempt))
      return this.#ended(attempt, result)
    } catch (error) {
      return this.#threw(attempt, error)
    }
  }

  /**
   * Whether a type wants to hear of its final failure. Only looks whether it is there: what a getter does belongs to the call.
   */
  hasFailedHook({ claim, instance }: Attempt): boolean {
    const job = instance ?? this.registry.get(claim.type)?.Class.prototype
    return job !== undefined && 'failed' in job
  }

  /**
   * Calls the type's `failed` hook as `callFailedHook` does, but waits no longer than the grace period, and 90 s at least: a place that is
   * held for good is one that no other job gets. A process of its own ends then; other code goes on beside the next job.
   */
  async hearFailed(attempt: Attempt, failure: Failure, thrown: unknown): Promise<void> {
    const { job, host } = attempt
    const longest = Math.min(Math.max(host.grace, LEAST_FOR_HOOK), LONGEST_DELAY)
    const called = this.callFailedHook(attempt, failure, thrown)
    if ((await within(longest, called, host.clock)) !== LATE) return
    const then = attempt.process ? 'its process is killed' : 'its place goes to the next job'
    this.logger.error(
      { jobId: job.id, jobType: job.type },
      `The failed() hook of a job has not returned within ${longest} ms; ${then}`
    )
    await attempt.process?.kill()
  }

  /**
   * Calls the type's `failed` hook after the last attempt. What goes wrong in it is logged and changes nothing.
   */
  async callFailedHook(attempt: Attempt, failure: Failure, thrown: unknown): Promise<void> {
    const definition = this.registry.get(attempt.claim.type)
    if (definition === undefined) {
      return
    }
    if (definition.options.isolated && this.isolation !== undefined) {
      return this.isolation.hook(attempt, failure)
    }
    try {
      await running.run(attempt, async () => {
        const job = await this.#openForHook(definition, attempt)
        await job.failed?.(asError(thrown, failure))
      })
    } catch (error) {
      this.logger.error(
        { err: describeThrown(error), jobId: attempt.job.id, jobType: attempt.job.type },
        'The failed() hook of a job failed itself'
      )
    }
  }

  async #execute(definition: JobDefinition, payload: unknown, attempt: Attempt): Promise<unknown> {
    const job = await openJob(definition, payload, attempt, this.container)
    attempt.instance = job
    const beginning = attempt.begin()
    if (beginning !== undefined) {
      await beginning
    }
    return job.execute()
  }

  #ended(attempt: Attempt, result: unknown): Outcome {
    const stopped = stoppedOutcome(attempt, true)
    if (stopped !== undefined) {
      return stopped
    }
    let json: string
    try {
      json = resultToJson(result)
    } catch (error) {
      const reason = isInstance(error, NotSerialisableError)
        ? error.reason
        : describeThrown(error).message
      return finalFailure(
        'RESULT_NOT_SERIALISABLE',
        `The result cannot be written as JSON: ${reason}`,
        error
      )
    }
    /** A character has at most three bytes in UTF-8 per UTF-16 unit, so that ordinary results need no count. */
    if (json.length * 3 > LARGEST_RESULT && Buffer.byteLength(json) > LARGEST_RESULT) {
      const message = `The result has ${Buffer.byteLength(json)} bytes; at most ${LARGEST_RESULT} are kept. Store the data and return a reference to it`
      return finalFailure('RESULT_TOO_LARGE', message)
    }
    return { kind: 'completed', result: json }
  }

  #threw(attempt: Attempt, error: unknown): Outcome {
    const stopped = stoppedOutcome(attempt, false)
    if (stopped !== undefined) {
      return stopped
    }
    const final = isInstance(error, PayloadInvalidException) || isUnrecoverable(error)
    return { kind: 'failed', failure: describeThrown(error), final, error }
  }

  /**
   * The instance that ran if there is one; else a new one, whose payload may be one that its validator refuses.
   */
  async #openForHook(definition: JobDefinition, attempt: Attempt): Promise<Job<any, any>> {
    if (attempt.instance !== undefined) {
      return attempt.instance
    }
    let payload: unknown
    try {
      payload = JSON.parse(attempt.claim.data)
    } catch {
      payload = attempt.claim.data
    }
    return openJob({ ...definition, validator: undefined }, payload, attempt, this.container)
  }

  #unknown(type: string): string {
    const known = this.registry.names()
    const files = this.registry.problems().map(({ file }) => file)
    const unusable = files.length === 0 ? '' : `; files that cannot be used: ${files.join(', ')}`
    return `No job type "${cutText(type, 200)}" is registered in this worker. Known types: ${known.join(', ') || 'none'}${unusable}`
  }
}

/**
 * BullMQ's way to say that no attempt will help; recognised by name, so that any copy of it counts.
 */
function isUnrecoverable(error: unknown): boolean {
  try {
    return (error as { name?: unknown } | null)?.name === 'UnrecoverableError'
  } catch {
    return false
  }
}

/**
 * `failed()` is promised an error, whatever was thrown. The code stands beside the message, as in errors that jobs throw.
 */
function asError(thrown: unknown, failure: Failure): Error {
  if (isInstance(thrown, Error)) {
    return thrown
  }
  return Object.assign(new Error(failure.message, { cause: thrown }), { code: failure.code })
}
