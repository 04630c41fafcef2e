import { setTimeout as pause } from 'node:timers/promises'
import { isWritten, PATIENCE } from '../mirror/written.ts'
import type { Records } from '../records/records.ts'
import { mayBeRunId } from '../records/schedules/run_id.ts'
import { isTerminal, type TerminalStatus } from '../statuses.ts'
import type { Actor, JobDetails } from '../types.ts'
import { tellPages } from './queue_answer.ts'
import { parentKey } from './stored_options.ts'
import { findJob, type OperationAnswer, type OperationDependencies } from './job_lookup.ts'

/** A process that ends in the middle keeps the job from being restarted for so long, ms. */
const CLAIM = 30_000

export type DeleteDependencies = OperationDependencies & {
  records: Pick<Records, 'deletion'>
}

/**
 * Deletes a job that has ended: its record with all that belongs to it, and what Redis still holds of it.
 *
 * The record may be behind, so it goes only once the mirror has written all that the queue's stream held when the job was seen to
 * have ended; Redis then removes the job only if nothing has happened to it since, and refuses to restart it meanwhile.
 */
export class DeleteJob {
  constructor(private dependencies: DeleteDependencies) {}

  /**
   * @returns the job as it was
   * @throws InvalidInputException, E_JOB_NOT_FOUND, E_REDIS_UNAVAILABLE, E_DATABASE_UNAVAILABLE
   */
  async handle(id: string, actor: Actor): Promise<OperationAnswer> {
    const job = await findJob(this.dependencies, id)
    const target = { kind: 'job', id: job.id } as const
    const detail = { type: job.type, queue: job.queue, status: job.status }
    const act = { actor, action: 'delete', target, detail } as const
    return this.dependencies.transport.trail.act(act, () => this.#delete(job))
  }

  async #delete(job: JobDetails): Promise<OperationAnswer> {
    const { transport, records } = this.dependencies
    if (job.stopping) {
      const reason = 'The job is being stopped: its code has not returned yet'
      return { outcome: 'refused', reason, job }
    }
    if (!isTerminal(job.status)) {
      const reason = `The job is ${job.status}: only jobs that have ended can be deleted. Cancel it first`
      return { outcome: 'refused', reason, job }
    }
    try {
      const refusal = await this.#claim(job)
      if (refusal !== null) return { outcome: 'refused', reason: refusal, job }
      /** How late it is matters of runs of schedules alone. */
      const now = mayBeRunId(job.id) ? await transport.time() : null
      if (!(await records.deletion.erase(job.id, job.status as TerminalStatus, now))) {
        return { outcome: 'too_late', reason: 'The job is deleted already', job }
      }
    } finally {
      await this.#release(job)
    }
    await tellPages(transport).catch(() => {})
    return { outcome: 'done', reason: null, job }
  }

  /** Removes the job from Redis and claims its record; answers why not. */
  async #claim(job: JobDetails): Promise<string | null> {
    const { transport, reader } = this.dependencies
    const { queue, transportId } = job
    const deadline = performance.now() + PATIENCE
    for (;;) {
      const cursor = await reader.cursor(queue)
      const isRead = (position: string) =>
        isWritten(() => reader.cursor(queue), position, cursor, {
          patience: Math.max(0, deadline - performance.now()),
        })
      const noted = await transport.edits.noteEnd(queue, transportId)
      if (noted === null) return 'The job runs again'
      if (await isRead(noted.position)) {
        const [row] = await reader.rowsById([job.id])
        if (row && row.run !== job.run) return 'The job ran again meanwhile'
        const claimed = await transport.edits.claimEnd(queue, transportId, {
          mark: noted.mark,
          milliseconds: CLAIM,
          parent: parentKey(job.options),
        })
        if (claimed !== null && (await isRead(claimed))) return null
      }
      if (performance.now() > deadline) {
        return 'The mirror has not yet written all that Redis said of this queue: try again in a moment'
      }
      await pause(20)
    }
  }

  /** A claim that Redis does not take back runs out. */
  async #release({ queue, transportId }: JobDetails): Promise<void> {
    const { connections, audit } = this.dependencies.transport
    await connections
      .produce('a claim was not given back', (client) =>
        audit.endErasure(queue, [transportId], client)
      )
      .catch(() => {})
  }
}
