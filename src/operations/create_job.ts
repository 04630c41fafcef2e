import { toMilliseconds } from '../durations.ts'
import { E_JOB_NOT_FOUND, E_UNIQUE_KEY_HELD, InvalidInputException } from '../errors.ts'
import { checkQueueName, checkUser, joinTags } from '../jobs/names.ts'
import type { QueueManager } from '../jobs/queue_manager.ts'
import type { Actor, DispatchOptions, JobView } from '../types.ts'
import { recordId } from '../records/ids.ts'
import { strangerIn } from '../strangers.ts'
import { DispatchJob } from './dispatch_job.ts'
import { findJob, jobOnce, type OperationDependencies } from './job_lookup.ts'

/**
 * A job as programs ask for it; not checked yet.
 */
export type JobRequest = { type?: unknown; payload?: unknown; options?: unknown }

/** Queue and user of a job, by which applications say who may act. */
export type JobTarget = Pick<JobView, 'queue' | 'user'>

const FIELDS = ['type', 'payload', 'options']
const OPTIONS = [
  'queue',
  'priority',
  'delay',
  'user',
  'tags',
  'attempts',
  'timeout',
  'unique',
  'waitFor',
]

/**
 * Creates a job of a registered type, its payload checked as at any dispatch.
 */
export class CreateJob {
  #dispatch: DispatchJob

  constructor(private dependencies: OperationDependencies & { queue: QueueManager }) {
    this.#dispatch = new DispatchJob(dependencies.queue, dependencies.transport)
  }

  /**
   * @param authorise  Asked before anything is enqueued, with where the job would go; throws where this actor may not.
   * @returns the new job; with `duplicate` the one that has the unique key, and nothing was made
   * @throws InvalidInputException, E_UNIQUE_KEY_HELD, E_UNKNOWN_TYPE, E_PAYLOAD_INVALID, E_INVALID_OPTION, E_INVALID_DURATION, E_REDIS_UNAVAILABLE
   */
  async handle(
    request: JobRequest,
    actor: Actor,
    authorise: (target: JobTarget) => Promise<void> = async () => {}
  ): Promise<{ job: JobView; duplicate: boolean }> {
    const { type, payload, options } = check(request)
    const { queue } = this.dependencies
    const definition = await queue.registry.find(type)
    const user = options.user === undefined ? null : checkUser(options.user)
    const to = checkQueueName(
      options.queue ?? definition.options.queue ?? queue.config.defaultQueue
    )
    await authorise({ queue: to, user })
    const handle = await this.#dispatch.handle(type, payload, options, { actor, to })
    if (handle.duplicate) {
      const id = recordId(handle.queue!, handle.jobId)
      return { job: await holder(this.dependencies, id), duplicate: true }
    }
    const now = Date.now()
    const delay = options.delay === undefined ? 0 : toMilliseconds(options.delay, 'delay')
    const accepted: JobView = {
      id: handle.jobId,
      queue: handle.queue!,
      type: definition.name,
      transportId: handle.jobId,
      status: waitsForOthers(options) ? 'blocked' : delay === 0 ? 'pending' : 'scheduled',
      stopping: false,
      signalIgnored: false,
      run: 1,
      attempts: { started: 0, max: options.attempts ?? definition.options.attempts ?? 1 },
      priority: options.priority ?? definition.options.priority ?? 0,
      user,
      host: null,
      worker: null,
      tags: joinTags(definition.options.tags, options.tags),
      progress: { percent: 0 },
      error: null,
      createdAt: now,
      dueAt: delay === 0 ? null : now + delay,
      startedAt: null,
      finishedAt: null,
      duration: null,
      sensitive: definition.options.sensitive ?? false,
    }
    const job = await jobOnce(this.dependencies, accepted, () => true)
    return { job, duplicate: false }
  }
}

/** An empty list is waited for by nobody. */
function waitsForOthers({ waitFor }: DispatchOptions): boolean {
  return Array.isArray(waitFor) ? waitFor.length > 0 : waitFor !== undefined
}

/** A key that is held for a time may outlive the record of its job. */
async function holder(dependencies: OperationDependencies, id: string): Promise<JobView> {
  try {
    return await findJob(dependencies, id)
  } catch (error) {
    if (error instanceof E_JOB_NOT_FOUND) throw new E_UNIQUE_KEY_HELD([id])
    throw error
  }
}

function check(request: JobRequest) {
  assertKnown(request, FIELDS, '')
  const { type, payload, options = {} } = request
  if (typeof type !== 'string' || type === '') {
    throw new InvalidInputException('"type" must be the name of a registered job type', 'type')
  }
  assertKnown(options, OPTIONS, 'options')
  return { type, payload, options: options as DispatchOptions }
}

/**
 * @throws InvalidInputException when a request is no object, or has members that mean nothing
 */
function assertKnown(value: unknown, known: string[], place: string): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new InvalidInputException(
      `${place ? `"${place}"` : 'The request'} must be an object`,
      place
    )
  }
  const stranger = strangerIn(value, known)
  if (stranger === undefined) return
  const name = (place ? `${place}.${stranger}` : stranger).slice(0, 100)
  throw new InvalidInputException(
    `"${name}" is not known. Remove it or use one of: ${known.join(', ')}`,
    name
  )
}
