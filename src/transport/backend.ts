import { createRedisBackend, type BackendFactory, type RedisQueueBackend } from 'bullmq'
import { E_DUPLICATE_JOB } from '../errors.ts'
import { CANCEL_REQUESTED, DUPLICATE_JOB } from './scripts/edits.ts'
import type { ScriptArgument, ScriptCall, ScriptDelivery } from './scripts/delivery.ts'
import { lastStack } from './stack.ts'

/**
 * The job was told to stop while its code ran on: it can no longer complete, be repeated, delayed or handed back. Whoever
 * runs it fails it, and the record says `cancelled`.
 */
export class CancelRequestedError extends Error {
  readonly code = 'CANCEL_REQUESTED'

  constructor(readonly jobId: string) {
    super(`Job ${jobId} was told to stop, so it can only end as cancelled`)
    this.name = 'CancelRequestedError'
  }
}

/** Stands where BullMQ expects a transaction: notes the calls instead of sending them. */
export class CallCollector {
  readonly calls: ScriptCall[] = []
}

type Fields = Record<string, unknown> | undefined

/**
 * What Queue, Worker and FlowProducer take as their last argument, so that everything they do goes through our scripts:
 * `new Worker(name, processor, options, backendFactory(delivery))`. A queue's workers must all have it.
 */
export function backendFactory(delivery: ScriptDelivery): BackendFactory<RedisQueueBackend> {
  return (name, options, how) => withOurScripts(createRedisBackend(name, options, how), delivery)
}

/**
 * Hooks a backend of BullMQ: scripts that we have are called through the delivery, the others as ever.
 */
export function withOurScripts(
  backend: RedisQueueBackend,
  delivery: ScriptDelivery
): RedisQueueBackend {
  const plain = {
    execCommand: backend.execCommand.bind(backend),
    forQueue: backend.forQueue.bind(backend),
    finishedErrors: backend.finishedErrors.bind(backend),
    moveToFailed: backend.moveToFailed.bind(backend),
    moveToDelayed: backend.moveToDelayed.bind(backend),
    retryJob: backend.retryJob.bind(backend),
  }

  backend.execCommand = (client, script, args) => {
    if (client instanceof CallCollector)
      return client.calls.push({ script, args: args as ScriptArgument[] })
    if (script === 'pause') return pauseOrResume(client as never, args as ScriptArgument[])
    if (!delivery.has(script)) return plain.execCommand(client, script, args)
    return delivery.call(client, script, args as ScriptArgument[])
  }

  /** BullMQ wakes workers only when `wait` holds jobs: those that a limit holds back would sleep on. */
  const pauseOrResume = async (client: never, args: ScriptArgument[]) => {
    const result = await plain.execCommand(client, 'pause', args as never)
    const [, base, queue] = /^(.*):([^:]*):[^:]*$/.exec(String(args[0]))!
    await delivery.call(client, 'sweep_limits', [`${base}~gate:limits`, `${base}:${queue}:`])
    return result
  }

  backend.forQueue = (queueName, prefix) =>
    withOurScripts(plain.forQueue(queueName, prefix) as RedisQueueBackend, delivery)

  backend.addJobs = async (entries) => {
    const collector = new CallCollector()
    for (const { job, jobId, parentKeyOpts } of entries)
      collect(backend, collector, job, jobId, parentKeyOpts)
    return (await delivery.pipeline(await backend.client, collector.calls)).map(([error, id]) => {
      if (error) throw error
      return id as string
    })
  }

  backend.addFlow = async (entries) => {
    const collector = new CallCollector()
    const parents = new Map<string, ScriptArgument[]>()
    for (const entry of entries) {
      const queue = backend.forQueue(entry.queueName, entry.prefix) as RedisQueueBackend
      collect(queue, collector, entry.jobData, entry.jobId, {
        ...entry.parentKeyOpts,
        deferParentRelease: true,
      })
      const { parent } = entry.jobData
      const parentKey = entry.parentKeyOpts?.parentKey
      if (parent && parentKey) {
        parents.set(parentKey, [
          parentKey,
          `${parentKey}:dependencies`,
          parent.queueKey,
          parent.id,
          Date.now(),
        ])
      }
    }
    for (const args of parents.values())
      collector.calls.push({ script: 'releaseParentIfNoPendingDependencies', args })
    const answers = await delivery.transaction(await backend.client, collector.calls)
    for (const [error] of answers.slice(entries.length)) if (error) throw error
    return answers.slice(0, entries.length) as [Error | null, string | number][]
  }

  backend.finishedErrors = (details) => {
    if (details.code === CANCEL_REQUESTED) return new CancelRequestedError(details.jobId ?? '')
    if (details.code === DUPLICATE_JOB) return new E_DUPLICATE_JOB([details.jobId ?? ''])
    return plain.finishedErrors(details)
  }

  // Each attempt's stack is in its own entry; the hash keeps the last, so that a job repeated a thousand times stays small.
  backend.moveToFailed = (job, reason, remove, token, fetchNext, fields) =>
    plain.moveToFailed(
      job,
      reason,
      remove,
      token,
      fetchNext,
      withLastStack(fields) as typeof fields
    )
  backend.moveToDelayed = (jobId, timestamp, delay, token, options = {}) =>
    plain.moveToDelayed(jobId, timestamp, delay, token, {
      ...options,
      fieldsToUpdate: withLastStack(options.fieldsToUpdate),
    })
  backend.retryJob = (jobId, lifo, token, options = {}) =>
    plain.retryJob(jobId, lifo, token, {
      ...options,
      fieldsToUpdate: withLastStack(options.fieldsToUpdate),
    })

  return backend
}

/** Notes the call that adds a job. */
export function collect(
  backend: RedisQueueBackend,
  collector: CallCollector,
  ...[job, jobId, parentKeyOpts, keys]: Parameters<
    RedisQueueBackend['addJobToTransaction']
  > extends [unknown, ...infer Rest]
    ? Rest
    : never
): void {
  // Everything up to the note happens before the first await.
  void backend.addJobToTransaction(collector as never, job, jobId, parentKeyOpts, keys)
}

function withLastStack(fields: Fields): Fields {
  if (typeof fields?.stacktrace !== 'string') return fields
  return { ...fields, stacktrace: lastStack(fields.stacktrace) }
}
