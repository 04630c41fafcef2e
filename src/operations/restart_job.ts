import { recordId } from '../records/ids.ts'
import { within } from '../time/within.ts'
import type { FlowRestart } from '../transport/flow_restarts.ts'
import type { NewTransportJob } from '../transport/types.ts'
import type { Actor, JobDetails } from '../types.ts'
import type { ForgottenJobs } from './forgotten_jobs.ts'
import { edgesOf } from './job_edges.ts'
import { restartBehind } from './restart_cascade.ts'
import { findJob, jobOnce, type OperationAnswer, type OperationDependencies } from './job_lookup.ts'
import { payloadRefusal } from './stored_options.ts'

/** How long an answer waits for the jobs behind, ms. */
const PATIENCE = 2_000

/**
 * Runs a failed or cancelled job again, with the same payload, as the next run of the same job. Works as long as the record is
 * there, long after Redis forgot the job. Of what it waits for it waits again for those that have not ended; the jobs that did not run
 * because of it run again too.
 */
export class RestartJob {
  /** @param gone  Where many jobs are restarted: what became of those that they waited for is asked together. */
  constructor(
    private dependencies: OperationDependencies,
    private gone?: ForgottenJobs
  ) {}

  /**
   * @throws InvalidInputException, E_JOB_NOT_FOUND, E_REDIS_UNAVAILABLE, E_DATABASE_UNAVAILABLE, E_MIRROR_BEHIND
   */
  async handle(id: string, actor: Actor): Promise<OperationAnswer> {
    const job = await findJob(this.dependencies, id)
    const { id: target, type, queue } = job
    return this.dependencies.transport.trail.act(
      { actor, action: 'restart', target: { kind: 'job', id: target }, detail: { type, queue } },
      () => this.#restart(job, actor)
    )
  }

  async #restart(job: JobDetails, actor: Actor): Promise<OperationAnswer> {
    const refusal = whyNot(job)
    if (refusal) return { ...refusal, job }

    const { transport, reader } = this.dependencies
    const isCut = payloadRefusal(job.payload)
    /** While Redis holds the job, it has the whole payload. */
    if (isCut !== null && (await transport.state(job.queue, job.transportId)) === 'missing') {
      return { outcome: 'refused', reason: isCut, job }
    }
    const by = actor.name ?? actor.id
    const { gone } = this
    const ignoreEnded = actor.bulk === undefined
    const waits = await edgesOf(this.dependencies, job, { ignoreEnded, gone })
    /** Before the restart, so that those behind are restarted whatever becomes of this process. */
    const isAwaited = (await reader.edges.of('waiting', [job.id], 1)).length > 0
    const behind = isAwaited
      ? await transport.flowRestarts.begin({ id: job.id, run: job.run, by })
      : undefined
    const answer = await transport.restart(job.queue, job.transportId, {
      ...{ by, run: job.run + 1, job: forgotten(job), waits },
      recordedRun: recordedRun(this.dependencies, job.id),
    })
    const { outcome, run: opened, holder } = answer
    if (behind && outcome !== 'done') await transport.flowRestarts.end([behind])
    if (outcome === 'too_late' && opened <= job.run) {
      const reason = 'The job has been kept long enough and is being deleted at this moment'
      return { outcome, reason, job }
    }
    if (outcome === 'taken') {
      const reason = `Its unique key is held by job ${recordId(holder!.queue, holder!.id)}`
      return { outcome: 'refused', reason, job }
    }
    if (behind && outcome === 'done') await this.#goOn(behind, actor)
    const restarted = await jobOnce(this.dependencies, job, ({ run }) => run > job.run)
    return outcome === 'done'
      ? { outcome, reason: null, job: restarted }
      : { outcome, reason: 'The job runs again already', job: restarted }
  }

  /**
   * The restart itself is done: a large flow goes on behind the answer, and what fails there is tried again. Out of many, those behind
   * come when all of these run again: one that waits for several would begin, and end, once for each.
   */
  async #goOn(cause: FlowRestart, { bulk }: Actor): Promise<void> {
    if (bulk !== undefined)
      return this.dependencies.transport.flowRestarts.leave(cause).catch(() => {})
    const going = restartBehind(this.dependencies, [cause]).catch(() => 0)
    await within(PATIENCE, going)
  }
}

function whyNot(job: JobDetails): Pick<OperationAnswer, 'outcome' | 'reason'> | null {
  if (job.stopping) {
    return { outcome: 'refused', reason: 'The job is being stopped: its code has not returned yet' }
  }
  if (job.status === 'completed') {
    return {
      outcome: 'refused',
      reason: 'The job is completed: only failed and cancelled jobs restart',
    }
  }
  if (job.status !== 'failed' && job.status !== 'cancelled') {
    return { outcome: 'too_late', reason: `The job is ${job.status}: it has not ended` }
  }
  if (job.payload === null) return { outcome: 'refused', reason: payloadRefusal(null) }
  return null
}

/** Which run a record is of at that moment, for `Transport.restart`. */
export function recordedRun({ reader }: Pick<OperationDependencies, 'reader'>, id: string) {
  return async (): Promise<number | null> => (await reader.rowsById([id]))[0]?.run ?? null
}

/**
 * The transport as it was dispatched, for when Redis no longer has it. A restart waits for nothing, so there is no delay.
 */
export function forgotten(job: JobDetails): NewTransportJob {
  return {
    queue: job.queue,
    id: job.transportId,
    name: job.type,
    data: job.payload ?? 'null',
    /** What was changed since the dispatch wins. */
    opts: {
      ...readOptions(job.options),
      timestamp: job.createdAt,
      priority: job.priority,
    },
  }
}

function readOptions(text: string | null): object {
  try {
    const options: unknown = JSON.parse(text ?? '{}')
    return typeof options === 'object' && options !== null ? options : {}
  } catch {
    return {}
  }
}
