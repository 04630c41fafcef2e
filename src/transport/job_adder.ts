import { QueueKeys, RedisQueueBackend, type KeysMap } from 'bullmq'
import { E_AWAITED_UNKNOWN, E_DUPLICATE_JOB, E_FLOW_CIRCLE, E_FOREIGN_KEY } from '../errors.ts'
import { CallCollector, collect, withOurScripts } from './backend.ts'
import type { RedisClient } from './client.ts'
import {
  closesCircle,
  EDGES_AT_ONCE,
  edgeArguments,
  storedEdges,
  unknownAwaited,
  unknownIn,
  type AwaitedLookup,
  type AwaitedOutcome,
} from './flow_edges.ts'
import { foreignKeys, metForeignKey } from './foreign_keys.ts'
import { assertQueueName, type Keys } from './keys.ts'
import { DUPLICATE_JOB } from './scripts/edits.ts'
import type { ScriptCall, ScriptDelivery } from './scripts/delivery.ts'
import { CLOSES_CIRCLE } from './scripts/flow_edits.ts'
import type { Transport } from './transport.ts'
import type { Duplicates, NewTransportJob } from './types.ts'

/** Jobs that are added in one round trip. */
const BATCH = 1_000

type Answer = { job: NewTransportJob; answer: unknown }

type Completing = {
  refused: Refused
  lookup?: AwaitedLookup
  /** How awaited jobs ended that Redis has forgotten, by their keys. */
  known?: Map<string, AwaitedOutcome>
}

/**
 * What Redis did not add of a dispatch: jobs whose unique key another one has, and ids that exist.
 */
class Refused {
  readonly duplicates: Duplicates = new Map()
  readonly taken: string[] = []
  #error?: Error

  constructor(private keys: Keys) {}

  /** Whether the answer refuses the job. */
  note(job: NewTransportJob, answer: unknown): boolean {
    if (answer === DUPLICATE_JOB) this.taken.push(job.id)
    else if (Array.isArray(answer)) this.duplicates.set(job.id, this.keys.placeOf(answer[0]))
    else return false
    return true
  }

  /** A job that was not added, or was cancelled at once. */
  because(error: Error): void {
    this.#error ??= error
  }

  /**
   * Told at the end: one job that is refused must keep none of the others out.
   *
   * @throws E_AWAITED_UNKNOWN, E_FLOW_CIRCLE, E_DUPLICATE_JOB
   */
  told(): Duplicates | undefined {
    if (this.#error) throw this.#error
    if (this.taken.length > 0) throw new E_DUPLICATE_JOB([this.taken[0]])
    return this.duplicates.size > 0 ? this.duplicates : undefined
  }
}

/**
 * Adds jobs through BullMQ's own scripts.
 */
export class JobAdder {
  #transport: Transport

  /** Builds the arguments of BullMQ's add scripts; has no connection of its own. */
  #argumentBuilder: RedisQueueBackend

  /** BullMQ's keys of each queue: twenty texts, which would cost every job as much as its id. */
  #queueKeys = new Map<string, KeysMap>()

  constructor(transport: Transport) {
    this.#transport = transport
    this.#argumentBuilder = argumentBuilder(transport.keys.prefix, transport.delivery)
  }

  /** See `Transport.add`. */
  async add(jobs: NewTransportJob[], lookup?: AwaitedLookup): Promise<Duplicates | undefined> {
    for (const job of jobs) assertQueueName(job.queue)
    const { connections, flows } = this.#transport
    const refused = new Refused(this.#transport.keys)
    if (jobs.length === 1) {
      const [job] = jobs
      const answer = await this.#send(job)
      if (job.waitFor) await this.#complete([{ job, answer }], { refused, lookup })
      else refused.note(job, answer)
      return refused.told()
    }
    const known = await flows.awaitedElsewhere(jobs, lookup)
    for (let from = 0; from < jobs.length; from += BATCH) {
      const part = jobs.slice(from, from + BATCH)
      const left = jobs.length - from
      const { waiting, failed, error } = await connections.produce(
        `the last ${left} of ${jobs.length} jobs were not dispatched`,
        (client) => this.#addPart(client, part, { refused, known })
      )
      if (error) {
        const count = failed.length + left - part.length
        const action = `${count} of ${jobs.length} jobs were not dispatched, job ${failed[0].id} first`
        throw await this.#withdrawn(connections.explained(error, action), failed)
      }
      await this.#complete(waiting, { refused, lookup, known })
    }
    return refused.told()
  }

  #send(job: NewTransportJob, known?: Map<string, AwaitedOutcome>): Promise<unknown> {
    const { connections, delivery } = this.#transport
    const { script, args } = this.#addCall(job, known)
    return connections
      .produce(`job ${job.id} was not dispatched`, (client) => delivery.call(client, script, args))
      .catch(async (error: Error) => {
        throw await this.#withdrawn(error, [job])
      })
  }

  /**
   * Where a key of another program stopped BullMQ's script half-way: takes back what it has written of the jobs, which would be
   * there for ever or run although they were refused, and names the key.
   */
  async #withdrawn(error: Error, jobs: NewTransportJob[]): Promise<Error> {
    if (!metForeignKey(error)) return error
    const { connections, keys } = this.#transport
    const queues = [...new Set(jobs.map(({ queue }) => queue))]
    const found = await connections
      .produce('keys cannot be looked at', (client) => foreignKeys(client, keys, queues))
      .catch(() => [])
    if (found.length === 0) return error
    const [{ key, holds, needs }] = found
    const told = new E_FOREIGN_KEY([key, holds, needs])
    for (const { queue, id } of jobs) {
      await this.#transport
        .cancel(queue, id, { by: '', reason: told.message })
        .catch(() => this.#forget(queue, id))
        .catch(() => {})
    }
    return told
  }

  /** The last resort, where the key stops that script too. */
  #forget(queue: string, id: string): Promise<unknown> {
    const { connections, keys } = this.#transport
    return connections.produce(`job ${id} was not removed`, (client) =>
      client
        .pipeline()
        .del(keys.job(queue, id))
        .xadd(keys.events(queue), '*', 'event', 'removed', 'jobId', id)
        .exec()
    )
  }

  /** Answers what Redis said of jobs that wait for others, and which it did not take: memory may end between two of them. */
  async #addPart(
    client: RedisClient,
    jobs: NewTransportJob[],
    { refused, known }: Completing
  ): Promise<{ waiting: Answer[]; failed: NewTransportJob[]; error?: Error }> {
    const answers = await this.#transport.delivery.pipeline(
      client,
      jobs.map((job) => this.#addCall(job, known))
    )
    const waiting: Answer[] = []
    answers.forEach(([error, answer], at) => {
      const job = jobs[at]
      if (job.waitFor && !error) waiting.push({ job, answer })
      else refused.note(job, answer)
    })
    const failed = jobs.filter((_, at) => answers[at][0])
    return { waiting, failed, error: answers.find(([error]) => error)?.[0] ?? undefined }
  }

  /**
   * What is left of jobs that wait for others: those whose awaited jobs Redis has forgotten are told by their records, long lists go on.
   */
  async #complete(answers: Answer[], context: Completing): Promise<void> {
    for (const { job, answer } of answers) {
      try {
        await this.#completeOne(job, answer, context)
      } catch (error) {
        if (!(error instanceof E_AWAITED_UNKNOWN || error instanceof E_FLOW_CIRCLE)) throw error
        context.refused.because(error)
      }
    }
  }

  async #completeOne(
    job: NewTransportJob,
    first: unknown,
    { refused, lookup, known: before }: Completing
  ): Promise<void> {
    const { keys, flows } = this.#transport
    const { duplicates } = refused
    let [answer, known] = [first, before]
    /** Also what follows after the first piece of a long list may name them. */
    waitForHolders(job, duplicates)
    for (let sends = 0; sends < 2; sends++) {
      const unknown = unknownIn(answer)
      if (!unknown) break
      /** Records are asked of no job that was not added: flows go to Redis while the database is away. */
      const missing = unknown.filter((key) => !duplicates.has(keys.placeOf(key).id))
      if (missing.length > 0) {
        const found = await flows.outcomesOf(missing, lookup)
        known = new Map([...(known ?? []), ...found])
      }
      answer = await this.#send(job, known)
    }
    const still = unknownIn(answer)
    if (still) throw unknownAwaited(keys, still)
    if (answer === CLOSES_CIRCLE) throw closesCircle(job.id)
    if (!refused.note(job, answer) && job.waitFor!.length > EDGES_AT_ONCE) {
      const edges = edgeArguments(keys, job.waitFor!, undefined, job.ignoreEnded)
      await flows.sendRest(job, edges, lookup)
    }
  }

  #addCall(
    { queue, id, name, data, opts, waitFor, ignoreEnded }: NewTransportJob,
    known?: Map<string, AwaitedOutcome>
  ): ScriptCall {
    const collector = new CallCollector()
    const keys = this.#keysOf(queue)
    /** Redis keeps the moment in a field of its own: in the options it would be there twice. */
    const { timestamp, ...others } = opts
    const job = { id, name, data, opts: others, timestamp }
    const how = waitFor ? { addToWaitingChildren: true } : {}
    collect(this.#argumentBuilder, collector, job as never, id, how, keys)
    const [call] = collector.calls
    call.args.push('1')
    if (waitFor) {
      const first = waitFor.slice(0, EDGES_AT_ONCE)
      call.args.push(waitFor.length > EDGES_AT_ONCE ? '1' : '0')
      call.args.push(...edgeArguments(this.#transport.keys, first, known, ignoreEnded))
    }
    return call
  }

  #keysOf(queue: string): KeysMap {
    let keys = this.#queueKeys.get(queue)
    if (keys === undefined) {
      /** Names of queues may come from users: what is kept of them is bounded. */
      if (this.#queueKeys.size === 1_000) this.#queueKeys.clear()
      keys = new QueueKeys(this.#transport.keys.prefix).getKeys(queue)
      this.#queueKeys.set(queue, keys)
    }
    return keys
  }
}

/** An awaited job of the same call was not added, because another one has its unique key: that one is awaited instead. */
function waitForHolders(job: NewTransportJob, duplicates: Duplicates): void {
  if (duplicates.size === 0 || !job.waitFor!.some(({ id }) => duplicates.has(id))) return
  const edges = job.waitFor!.map((edge) => ({ ...edge, ...duplicates.get(edge.id) }))
  job.waitFor = edges
  job.opts.qd = { ...job.opts.qd, waitFor: storedEdges(edges) }
}

function argumentBuilder(prefix: string, delivery: ScriptDelivery): RedisQueueBackend {
  const keys = new QueueKeys(prefix)
  const backend = new RedisQueueBackend(
    {} as never,
    '~',
    keys.getKeys('~'),
    (type) => keys.toKey('~', type),
    { prefix } as never,
    undefined,
    false
  )
  return withOurScripts(backend, delivery)
}
