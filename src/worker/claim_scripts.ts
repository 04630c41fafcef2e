import type { RedisQueueBackend } from 'bullmq'
import { CLAIM_FIELDS, type ClaimedJob, readClaim } from './claim.ts'
import type { SendWindow } from './send_window.ts'

/**
 * What a claim brought: a job, or when to look again. Epoch ms; 0 when there is nothing to wait for.
 */
export type ClaimReply = {
  /** For each of `CLAIM_FIELDS` what the job's hash holds. */
  values: (string | null)[] | null
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
 * - `gone`: refused, Redis does not know the job
 * - `lease`: refused, another attempt or nobody holds the job
 * - `children`: refused to complete, children that another producer gave it have not ended, or have failed
 * - `cancel requested`: refused, the job was told to stop, it can only end as cancelled
 */
export type Settled = { refused: Refusal } | { next: ClaimReply | null }

export type Refusal = 'gone' | 'lease' | 'cancel requested' | 'children'

const NOTHING: ClaimReply = { values: null, id: '', limitedFor: 0, nextDue: 0 }

/**
 * Codes with which the scripts refuse a write.
 */
const GONE_CODE = -1
const LEASE_CODES = new Set([-2, -3, -6])
const CHILDREN_CODES = new Set([-4, -9])
const CANCEL_CODE = -101

/**
 * The members of BullMQ's backend that claim and end jobs. Its own methods of the same purpose drop the fields that are ours
 * and build an object per job that nobody here needs.
 */
type Backend = Pick<
  RedisQueueBackend,
  'execCommand' | 'keys' | 'client' | 'moveToDelayedArgs' | 'retryJobArgs'
>

/**
 * The writes of one queue's worker: claim, complete, fail, wait for another attempt, hand back. Each is one script, so one
 * round trip; those that end an attempt may claim the next job in the same one.
 */
export class ClaimScripts {
  #backend: Backend
  #keys: string[]
  #onlyWithLimits: string[]

  /** Calls under way that were sent since `answered` was last called. */
  #open: { calls: number; over?: () => void } = { calls: 0 }

  /**
   * @param backend of a BullMQ worker
   * @param worker.workerId stored in the jobs that it claims
   * @param worker.lease of a claimed job, ms
   * @param worker.limited whether nothing may be claimed while Redis knows no limits
   * @param worker.sendWindow what the calls that end attempts pass, those of all queues of the worker
   */
  constructor(
    backend: unknown,
    private worker: { workerId: string; lease: number; limited: boolean; sendWindow: SendWindow }
  ) {
    this.#onlyWithLimits = worker.limited ? ['1'] : []
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
      this.#options(token),
      ...this.#onlyWithLimits,
    ]
    return readReply(await this.#run('moveToActive', args))
  }

  /**
   * @param result JSON
   * @param claimNext asked when the call leaves
   */
  complete(job: ClaimedJob, result: string, claimNext: () => boolean): Promise<Settled> {
    return this.#finish(job, ['completed', 'returnvalue', result], claimNext)
  }

  /**
   * Ends the job as failed, or as cancelled when its hash says that it was told to stop.
   *
   * @param claimNext asked when the call leaves
   */
  fail(
    job: ClaimedJob,
    reason: string,
    stack: string | null,
    claimNext: () => boolean
  ): Promise<Settled> {
    const fieldsToUpdate = failureFields(reason, stack)
    /** BullMQ packs them; what it makes of the job is not used. */
    const fields = this.#backend.retryJobArgs(job.id, false, job.token, { fieldsToUpdate }).at(-1)
    return this.#finish(job, ['failed', 'failedReason', reason], claimNext, fields)
  }

  /**
   * Ends the attempt as failed; the next one is due after `delay` ms. It never claims the next job: BullMQ tells waiting
   * workers of the new due moment only when it does not, and the retry could be late by a whole wait.
   */
  retry(job: ClaimedJob, reason: string, stack: string | null, delay: number): Promise<Settled> {
    const fieldsToUpdate = failureFields(reason, stack)
    if (delay <= 0) {
      const args = this.#backend.retryJobArgs(job.id, job.options.lifo === true, job.token, {
        fieldsToUpdate,
      })
      return this.#end(job, 'retryJob', () => args, ['failedReason', reason])
    }
    const args = this.#backend.moveToDelayedArgs(job.id, Date.now(), job.token, delay, {
      fieldsToUpdate,
      fetchNext: false,
    })
    return this.#end(job, 'moveToDelayed', () => args, ['failedReason', reason])
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
      job.attempt,
    ]
    return settled(await this.#runInWindow('moveJobFromActiveToWait', () => args))
  }

  /**
   * Lets the job wait for so many milliseconds; the attempt counts neither as failed nor as lost.
   */
  async postpone(job: ClaimedJob, delay: number): Promise<Settled> {
    const args = this.#backend.moveToDelayedArgs(job.id, Date.now(), job.token, delay, {
      skipAttempt: true,
      fetchNext: false,
    })
    return settled(await this.#runInWindow('moveToDelayed', () => args))
  }

  /**
   * The jobs that this worker holds, as Redis knows it.
   */
  async held(): Promise<ClaimedJob[]> {
    const { keys } = this.#backend
    const args = [keys.active, keys[''], this.worker.workerId, ...CLAIM_FIELDS]
    const found = (await this.#run('held', args)) as [string, string, (string | null)[]][]
    return found.map(([id, token, values]) => readClaim(values, id, token))
  }

  /**
   * Resolves when every call that is under way now has been answered, or has failed. One after the other may wait for that.
   */
  async answered(): Promise<void> {
    const open = this.#open
    this.#open = { calls: 0 }
    if (open.calls > 0) await new Promise<void>((resolve) => (open.over = resolve))
  }

  async #run(script: string, args: unknown[]): Promise<unknown> {
    const open = this.#open
    open.calls++
    try {
      return await this.#backend.execCommand(await this.#backend.client, script, args)
    } finally {
      if (--open.calls === 0) open.over?.()
    }
  }

  /** In the order of the calls, so that what ends an attempt first is what counts. */
  #runInWindow(script: string, args: () => unknown[]): Promise<unknown> {
    return this.worker.sendWindow.send(() => this.#run(script, args()))
  }

  #finish(
    job: ClaimedJob,
    [state, field, value]: [state: 'completed' | 'failed', field: string, value: string],
    claimNext: () => boolean,
    fields?: unknown
  ): Promise<Settled> {
    const { keys } = this.#backend
    const endedAt = Date.now()
    const args = () => [
      `${keys['']}${job.id}`,
      job.id,
      endedAt,
      field,
      value,
      state,
      claimNext() ? 1 : 0,
      keys[''],
      this.#options(job.token),
      fields,
      isUnique(job) ? 1 : 0,
    ]
    return this.#end(job, 'finish', args, [field, value])
  }

  /**
   * Ends an attempt. That is refused when it has happened, but its answer was lost and it was sent again: then the job's hash says so.
   */
  async #end(
    job: ClaimedJob,
    script: string,
    args: () => unknown[],
    said: [field: string, value: string]
  ): Promise<Settled> {
    const answer = settled(await this.#runInWindow(script, args))
    if (!('refused' in answer) || answer.refused !== 'lease') return answer
    return (await this.#hasEnded(job, said)) ? { next: null } : answer
  }

  /**
   * Whether this very attempt ended so, and none has begun since.
   */
  async #hasEnded(job: ClaimedJob, [field, value]: [string, string]): Promise<boolean> {
    const { keys } = this.#backend
    const client = (await this.#backend.client) as unknown as {
      hmget(key: string, ...fields: string[]): Promise<(string | null)[]>
    }
    const found = await client.hmget(`${keys['']}${job.id}`, 'ats', 'atm', 'processedOn', field)
    const own = [job.attempt, job.attemptsFailed + 1, job.startedAt, value]
    return own.every((one, index) => String(one) === found[index])
  }

  /**
   * What the scripts have to know of a worker; see `qd.options` of transport/scripts/lua/entries.lua.
   */
  #options(token: string): string {
    const { workerId, lease } = this.worker
    return `qd\n${token}\n${workerId}\n${Math.round(lease)}`
  }
}

/** Whether it may hold a key that is given back when it ends. */
function isUnique({ options }: ClaimedJob): boolean {
  return (options.qd as { unique?: unknown } | undefined)?.unique !== undefined
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
    if (reply === GONE_CODE) {
      return { refused: 'gone' }
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
  const [values, id, limitedFor, nextDue] = reply as [
    ClaimReply['values'] | 0,
    string | 0,
    number,
    number,
  ]
  return {
    values: Array.isArray(values) ? values : null,
    id: String(id),
    limitedFor: Number(limitedFor) || 0,
    nextDue: Number(nextDue) || 0,
  }
}
