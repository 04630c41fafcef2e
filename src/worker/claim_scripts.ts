import type { RedisQueueBackend } from 'bullmq'
import type { ClaimedJob } from './claim.ts'

/**
 * What a claim brought: a job, or when to look again. Epoch ms; 0 when there is nothing to wait for.
 */
export type ClaimReply = {
  hash: string[] | null
  id: string
  /** A rate limit of the queue's own lets no job go for this long, ms. */
  limitedFor: number
  /** When the next delayed job is due, by this process' clock. */
  nextDue: number
  /** Moment of the worker's clock before which the claim was not made. */
  askedAt?: number
}

/**
 * How Redis took a write that ends an attempt.
 *
 * - `lease`: refused, another attempt or nobody holds the job
 * - `children`: refused to complete, children that another producer gave it have not ended, or have failed
 * - `cancel requested`: refused, the job was told to stop, it can only end as cancelled
 */
export type Settled = { refused: Refusal } | { next: ClaimReply | null }

export type Refusal = 'lease' | 'cancel requested' | 'children'

const NOTHING: ClaimReply = { hash: null, id: '', limitedFor: 0, nextDue: 0 }

/**
 * Codes with which the scripts refuse a write.
 */
const LEASE_CODES = new Set([-1, -2, -3, -6])
const CHILDREN_CODES = new Set([-4, -9])
const CANCEL_CODE = -101

/**
 * The members of BullMQ's backend that claim and end jobs. Its own methods of the same purpose drop the fields that are ours
 * and build an object per job that nobody here needs.
 */
type Backend = Pick<
  RedisQueueBackend,
  'execCommand' | 'keys' | 'client' | 'moveToDelayedArgs' | 'retryJobArgs'
> & {
  moveToFinishedArgs(
    job: { id: string; opts: object },
    value: string,
    field: 'returnvalue' | 'failedReason',
    remove: boolean,
    target: 'completed' | 'failed',
    token: string,
    timestamp: number,
    fetchNext: boolean,
    fields?: Record<string, unknown>
  ): unknown[]
}

/**
 * The writes of one queue's worker: claim, complete, fail, wait for another attempt, hand back. Each is one script, so one
 * round trip; those that end an attempt may claim the next job in the same one.
 */
export class ClaimScripts {
  #backend: Backend
  #keys: string[]
  #claimOptions = new Map<string, unknown>()
  #onlyWithLimits: string[]

  /**
   * @param backend of a BullMQ worker, whose name and length of a lease it uses
   * @param limited whether nothing may be claimed while Redis knows no limits
   */
  constructor(backend: unknown, limited: boolean) {
    this.#onlyWithLimits = limited ? ['1'] : []
    this.#backend = backend as Backend
    const keys = this.#backend.keys
    this.#keys = [
      keys.wait,
      keys.active,
      keys.prioritized,
      keys.events,
      keys.stalled,
      keys.limiter,
      keys.delayed,
      keys.paused,
      keys.meta,
      keys.pc,
      keys.marker,
    ]
  }

  async claim(token: string): Promise<ClaimReply> {
    const args = [
      ...this.#keys,
      this.#backend.keys[''],
      Date.now(),
      this.#packed(token),
      ...this.#onlyWithLimits,
    ]
    return readReply(await this.#run('moveToActive', args))
  }

  /**
   * @param result JSON
   */
  async complete(job: ClaimedJob, result: string, claimNext: boolean): Promise<Settled> {
    const args = this.#backend.moveToFinishedArgs(
      { id: job.id, opts: job.options },
      result,
      'returnvalue',
      false,
      'completed',
      job.token,
      Date.now(),
      claimNext
    )
    return settled(await this.#run('moveToFinished', args))
  }

  /**
   * Ends the job as failed, or as cancelled when its hash says that it was told to stop.
   */
  async fail(
    job: ClaimedJob,
    reason: string,
    stack: string | null,
    claimNext: boolean
  ): Promise<Settled> {
    const args = this.#backend.moveToFinishedArgs(
      { id: job.id, opts: job.options },
      reason,
      'failedReason',
      false,
      'failed',
      job.token,
      Date.now(),
      claimNext,
      failureFields(reason, stack)
    )
    return settled(await this.#run('moveToFinished', args))
  }

  /**
   * Ends the attempt as failed; the next one is due after `delay` ms. It never claims the next job: BullMQ tells waiting
   * workers of the new due moment only when it does not, and the retry could be late by a whole wait.
   */
  async retry(
    job: ClaimedJob,
    reason: string,
    stack: string | null,
    delay: number
  ): Promise<Settled> {
    const fieldsToUpdate = failureFields(reason, stack)
    if (delay <= 0) {
      const args = this.#backend.retryJobArgs(job.id, job.options.lifo === true, job.token, {
        fieldsToUpdate,
      })
      return settled(await this.#run('retryJob', args))
    }
    const args = this.#backend.moveToDelayedArgs(job.id, Date.now(), job.token, delay, {
      fieldsToUpdate,
      fetchNext: false,
    })
    return settled(await this.#run('moveToDelayed', args))
  }

  /**
   * Puts the job back to the front of its queue; the attempt counts neither as failed nor as lost.
   */
  async handBack(job: ClaimedJob): Promise<Settled> {
    const { active, wait, stalled, paused, meta, limiter, prioritized, marker, events } =
      this.#backend.keys
    const jobKey = `${this.#backend.keys['']}${job.id}`
    const args = [
      active,
      wait,
      stalled,
      paused,
      meta,
      limiter,
      prioritized,
      marker,
      events,
      job.id,
      job.token,
      jobKey,
    ]
    return settled(await this.#run('moveJobFromActiveToWait', args))
  }

  /**
   * Forgets what was kept for a token that is not used again.
   */
  forget(token: string): void {
    this.#claimOptions.delete(token)
  }

  async #run(script: string, args: unknown[]): Promise<unknown> {
    return this.#backend.execCommand(await this.#backend.client, script, args)
  }

  /**
   * The options of a claim, as BullMQ packs them: those for the next job, which moving one to `delayed` may claim.
   */
  #packed(token: string): unknown {
    let packed = this.#claimOptions.get(token)
    if (packed === undefined) {
      packed = this.#backend.moveToDelayedArgs('', 0, token, 0, { fetchNext: true }).at(-1)
      this.#claimOptions.set(token, packed)
    }
    return packed
  }
}

function failureFields(
  reason: string,
  stack: string | null
): { failedReason: string; stacktrace: string } {
  return { failedReason: reason, stacktrace: JSON.stringify(stack === null ? [] : [stack]) }
}

function settled(reply: unknown): Settled {
  if (typeof reply === 'number' && reply < 0) {
    if (reply === CANCEL_CODE) {
      return { refused: 'cancel requested' }
    }
    if (LEASE_CODES.has(reply)) {
      return { refused: 'lease' }
    }
    if (CHILDREN_CODES.has(reply)) {
      return { refused: 'children' }
    }
    throw new Error(`Redis refused to end the attempt, with code ${reply}`)
  }
  return { next: Array.isArray(reply) ? readReply(reply) : null }
}

function readReply(reply: unknown): ClaimReply {
  if (!Array.isArray(reply)) {
    return NOTHING
  }
  const [hash, id, limitedFor, nextDue] = reply as [string[] | 0, string | 0, number, number]
  return {
    hash: Array.isArray(hash) ? hash : null,
    id: String(id),
    limitedFor: Number(limitedFor) || 0,
    nextDue: Number(nextDue) || 0,
  }
}
