import { InvalidInputException } from '../errors.ts'
import { isTerminal } from '../statuses.ts'
import type { Actor, JobDetails } from '../types.ts'
import { findJob, jobOnce, type OperationAnswer, type OperationDependencies } from './job_lookup.ts'

/** Longest reason that a person may give, UTF-16 units. */
const LONGEST_REASON = 500

/**
 * Cancels a job, whatever its status: one that waits has ended then; the worker of one that runs is told, and it can only end as
 * cancelled. One that another kind of worker runs is refused.
 */
export class CancelJob {
  constructor(private dependencies: OperationDependencies) {}

  /**
   * @param reason  Why, in words; shown on the job's page.
   * @throws InvalidInputException, E_JOB_NOT_FOUND, E_REDIS_UNAVAILABLE, E_DATABASE_UNAVAILABLE
   */
  async handle(id: string, actor: Actor, reason?: unknown): Promise<OperationAnswer> {
    const said = checkReason(reason)
    const job = await findJob(this.dependencies, id)
    return this.dependencies.transport.trail.act(
      {
        actor,
        action: 'cancel',
        target: { kind: 'job', id: job.id },
        detail: { type: job.type, queue: job.queue, ...(said === null ? {} : { said }) },
      },
      () => this.#cancel(job, actor, said)
    )
  }

  async #cancel(job: JobDetails, actor: Actor, said: string | null): Promise<OperationAnswer> {
    const { outcome } = await this.dependencies.transport.cancel(job.queue, job.transportId, {
      by: actor.name ?? actor.id,
      reason: said ?? `cancelled by ${actor.name ?? actor.id}`,
    })
    if (outcome === 'done' || outcome === 'requested') {
      const cancelled = await jobOnce(this.dependencies, job, ({ status }) => isTerminal(status))
      return { outcome, reason: null, job: cancelled }
    }
    if (outcome === 'foreign') {
      const reason =
        'A worker of plain BullMQ runs this job and cannot be told to stop; it can be cancelled while it waits'
      return { outcome: 'refused', reason, job }
    }
    if (outcome === 'too_late' || isTerminal(job.status)) {
      const ended = await jobOnce(this.dependencies, job, ({ status }) => isTerminal(status))
      const how = isTerminal(ended.status) ? `is ${ended.status} already` : 'has ended already'
      return { outcome: 'too_late', reason: `The job ${how}`, job: ended }
    }
    return {
      outcome: 'refused',
      reason: 'Redis no longer knows this job; its record will say so soon',
      job,
    }
  }
}

function checkReason(value: unknown): string | null {
  if (value === undefined || value === null) return null
  if (typeof value === 'string' && value.length <= LONGEST_REASON) return value.trim() || null
  throw new InvalidInputException(
    `A reason is text of at most ${LONGEST_REASON} characters`,
    'reason'
  )
}
