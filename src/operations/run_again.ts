import { E_PAYLOAD_TOO_LARGE, InvalidInputException } from '../errors.ts'
import { assertPayload, validatePayload } from '../jobs/payload.ts'
import type { QueueManager } from '../jobs/queue_manager.ts'
import { uuidV7 } from '../jobs/uuid.ts'
import { recordId } from '../records/ids.ts'
import { isTerminal } from '../statuses.ts'
import { storedEdges, type FlowEdge } from '../transport/flow_edges.ts'
import type { NewTransportJob } from '../transport/types.ts'
import type { Actor, JobDetails, JobView } from '../types.ts'
import { findJob, jobOnce, type OperationAnswer, type OperationDependencies } from './job_lookup.ts'
import { recordedEdges, type RecordedEdges } from './job_edges.ts'
import { payloadRefusal, storedOptions } from './stored_options.ts'

/**
 * Makes a new job of one that has ended, linked to it: of the same type, with the same options but for delays, and the same payload or
 * another one. What ended stays as it is.
 */
export class RunAgain {
  constructor(
    private dependencies: OperationDependencies & {
      queue: Pick<QueueManager, 'registry' | 'config'>
    }
  ) {}

  /**
   * @param edited  Another payload, as JSON text; it is checked by the type's schema. Default: the very text that ran.
   * @returns the new job when it is done, else the old one
   * @throws InvalidInputException, E_JOB_NOT_FOUND, E_UNKNOWN_TYPE, E_PAYLOAD_INVALID, E_PAYLOAD_NOT_SERIALISABLE, E_PAYLOAD_TOO_LARGE,
   *   E_REDIS_UNAVAILABLE, E_DATABASE_UNAVAILABLE, E_MIRROR_BEHIND
   */
  async handle(id: string, actor: Actor, edited?: string): Promise<OperationAnswer> {
    const job = await findJob(this.dependencies, id)
    if (edited !== undefined) await this.#check(job.type, edited)
    const { type, queue } = job
    return this.dependencies.transport.trail.act(
      {
        actor,
        action: edited === undefined ? 'run_again' : 'edit_and_run',
        target: { kind: 'job', id: job.id },
        detail: { type, queue },
      },
      () => this.#run(job, actor, edited),
      ({ outcome, job: made }) => (outcome === 'done' ? { detail: { job: made.id } } : {})
    )
  }

  async #run(job: JobDetails, actor: Actor, edited?: string): Promise<OperationAnswer> {
    const data = edited ?? job.payload
    if (!isTerminal(job.status) || job.stopping) {
      const state = job.stopping ? 'being stopped' : job.status
      const reason = `The job is ${state}: only jobs that have ended run again`
      return { outcome: 'refused', reason, job }
    }
    const refusal = payloadRefusal(data)
    if (data === null || refusal !== null) return { outcome: 'refused', reason: refusal, job }
    const { transport } = this.dependencies
    const options = storedOptions(job.options)
    /** A list that is too long for the options is read of the record: without it the new job would find nothing by `awaited()`. */
    const { edges, known } =
      typeof options.qd?.waitFor === 'number'
        ? await recordedEdges(this.dependencies, job)
        : NO_EDGES
    const made = newJob(job, data, actor, options, edges)
    const duplicates = await transport.add([made], async (places) => {
      return new Map(
        places.map((of) => [of, known.get(transport.keys.job(of.queue, of.id)) ?? 'f'])
      )
    })
    const holder = duplicates?.get(made.id)
    if (holder) {
      const reason = `Its unique key is held by job ${recordId(holder.queue, holder.id)}`
      return { outcome: 'refused', reason, job }
    }
    const view = await jobOnce(this.dependencies, viewOf(job, made), () => true)
    return { outcome: 'done', reason: null, job: view }
  }

  async #check(type: string, text: string): Promise<void> {
    const { registry, config } = this.dependencies.queue
    const definition = await registry.find(type)
    let payload: unknown
    try {
      payload = JSON.parse(text)
    } catch (error) {
      throw new InvalidInputException(
        `The payload is no JSON: ${(error as Error).message.slice(0, 200)}`,
        'payload'
      )
    }
    const bytes = Buffer.byteLength(text)
    if (bytes > config.payloadLimit) {
      throw new E_PAYLOAD_TOO_LARGE([definition.name, bytes, config.payloadLimit])
    }
    assertPayload(definition.name, payload)
    if (definition.validator) await validatePayload(definition.name, definition.validator, payload)
  }
}

const NO_EDGES: RecordedEdges = { edges: [], known: new Map() }

function newJob(
  job: JobDetails,
  data: string,
  actor: Actor,
  { qd, ...options }: ReturnType<typeof storedOptions>,
  edges: FlowEdge[]
): NewTransportJob {
  const isLong = edges.length > 0
  const again = { queue: job.queue, id: job.transportId }
  return {
    queue: job.queue,
    id: uuidV7(),
    name: job.type,
    data,
    opts: {
      ...options,
      timestamp: Date.now(),
      ...(job.priority === 0 ? undefined : { priority: job.priority }),
      qd: {
        ...qd,
        ...(isLong ? { waitFor: storedEdges(edges) } : undefined),
        by: actor.name ?? actor.id,
        again,
      },
    },
    ...(isLong ? { waitFor: edges, ignoreEnded: true as const } : undefined),
  }
}

/** The new job as long as it has no record. */
function viewOf(job: JobDetails, { id, opts }: NewTransportJob): JobView {
  return {
    id,
    queue: job.queue,
    type: job.type,
    transportId: id,
    status: 'pending',
    stopping: false,
    signalIgnored: false,
    run: 1,
    attempts: { started: 0, max: job.attempts.max },
    priority: job.priority,
    user: job.user,
    host: null,
    worker: null,
    tags: job.tags,
    progress: { percent: 0 },
    error: null,
    createdAt: opts.timestamp,
    dueAt: null,
    startedAt: null,
    finishedAt: null,
    duration: null,
    sensitive: job.sensitive,
  }
}
