import { InvalidInputException } from '../errors.ts'
import { LAST_PRIORITY } from '../jobs/options.ts'
import { isTerminal } from '../statuses.ts'
import type { PriorityAnswer } from '../transport/job_edits.ts'
import type { Actor, JobDetails, JobView } from '../types.ts'
import { findJob, jobOnce, type OperationAnswer, type OperationDependencies } from './job_lookup.ts'
import { shown } from '../shown.ts'

/**
 * Changes the priority of a job that is pending or scheduled.
 */
export class ChangePriority {
  constructor(private dependencies: OperationDependencies) {}

  /**
   * @param value 1 (first) to 2,097,151 (last); 0 comes before all of them. Forms send it as text.
   * @throws InvalidInputException, E_JOB_NOT_FOUND, E_REDIS_UNAVAILABLE, E_DATABASE_UNAVAILABLE
   */
  async handle(id: string, value: unknown, actor: Actor): Promise<OperationAnswer> {
    const priority = checkPriority(value)
    const job = await findJob(this.dependencies, id)
    const target = { kind: 'job', id: job.id } as const
    const detail = { type: job.type, queue: job.queue, from: job.priority, to: priority }
    return this.dependencies.transport.trail.act(
      { actor, action: 'priority', target, detail },
      () => this.#change(job, priority, actor)
    )
  }

  async #change(job: JobDetails, priority: number, actor: Actor): Promise<OperationAnswer> {
    const { transport } = this.dependencies
    const by = actor.name ?? actor.id
    const answer = await transport.edits.changePriority(job.queue, job.transportId, priority, by)
    if (answer === 'done' || answer === 'same') {
      const changed = await jobOnce(this.dependencies, job, (row) => row.priority === priority)
      const reason = answer === 'same' ? `The job has priority ${priority} already` : null
      return { outcome: 'done', reason, job: changed }
    }
    const now = await jobOnce(this.dependencies, job, (row) => hasSeen(row, answer))
    return { ...refusal(answer, now), job: now }
  }
}

/**
 * @throws InvalidInputException
 */
export function checkPriority(value: unknown): number {
  const text = typeof value === 'number' ? String(value) : value
  const number = typeof text === 'string' && /^\s*\d{1,7}\s*$/.test(text) ? Number(text) : -1
  if (number >= 0 && number <= LAST_PRIORITY) return number
  throw new InvalidInputException(
    value === undefined
      ? `"priority" is missing: give a whole number from 0 to ${LAST_PRIORITY}`
      : `"${shown(value, 40)}" cannot be a priority: give a whole number from 0 to ${LAST_PRIORITY}`,
    'priority'
  )
}

function hasSeen({ status }: JobView, answer: PriorityAnswer): boolean {
  if (answer === 'running') return status === 'running' || isTerminal(status)
  return answer !== 'too_late' || isTerminal(status)
}

function refusal(answer: PriorityAnswer, job: JobView): Omit<OperationAnswer, 'job'> {
  if (answer === 'missing' && !isTerminal(job.status)) {
    const reason = 'Redis no longer knows this job; its record will say so soon'
    return { outcome: 'refused', reason }
  }
  if (answer === 'blocked') {
    return { outcome: 'refused', reason: 'The job waits for other jobs, and has no place in line' }
  }
  const state = answer === 'running' ? 'running' : job.status
  const how = isTerminal(job.status) ? `The job is ${job.status} already` : `The job is ${state}`
  return { outcome: 'too_late', reason: `${how}: it has no place in line any more` }
}
