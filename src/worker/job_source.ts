import type { RedisQueueBackend } from 'bullmq'
import type { Clock } from '../time/long_timer.ts'
import { LATE, within } from '../time/within.ts'
import type { ClaimReply, ClaimScripts } from './claim_scripts.ts'
import type { RedisTrouble } from './redis_trouble.ts'

/**
 * How long one blocking wait lasts at most, s: after it the queue is looked at even when nobody said that there is a job.
 * Markers can get lost with a worker that dies in the wrong moment.
 */
const LONGEST_WAIT = 5

/**
 * A wait whose answer comes this much later than it should is given up, ms. BullMQ gives up a second after the time itself, but then waits
 * until its connection has ended and begun anew, which that of a cluster may never do whose node died in the wrong moment.
 */
const OVERDUE = 4_000

/**
 * How long a connection may take to begin anew, ms.
 */
const CONNECT = 5_000

/**
 * How long a queue's rate limit is waited for without looking again, ms.
 */
const LONGEST_LIMIT = 5_000

/**
 * Waits between tries while Redis refuses or fails, ms.
 */
const RETRY_WAITS = [100, 200, 400, 800, 1_000]

type MarkerClient = {
  zadd(key: string, score: number, member: string): Promise<unknown>
  zrem(key: string, member: string): Promise<unknown>
}

/**
 * Where one queue's jobs come from: claims them, and waits without polling while there are none.
 *
 * BullMQ wakes its workers by a member in the sorted set `marker`: 0 for "there is a job", else the epoch ms at which the next
 * delayed job is due. Whoever pops it must look, then and when that job is due, or put it back for others. That moment is Redis',
 * and hosts' clocks differ: only a look tells it in this process' own time.
 */
export class JobSource {
  /** When the next delayed job is due, by this process' clock; 0 for none. */
  #nextDue = 0
  #limitedUntil = 0
  #failures = 0
  #stopped = false
  #wake: (() => void) | undefined

  constructor(
    private backend: RedisQueueBackend,
    private scripts: ClaimScripts,
    private clock: Clock,
    private trouble: RedisTrouble
  ) {}

  get stopped(): boolean {
    return this.#stopped
  }

  /**
   * Claims a job if there is one. Errors of Redis count as "none", and the next wait is a short pause.
   */
  async claim(token: string): Promise<ClaimReply | undefined> {
    try {
      const reply = await this.scripts.claim(token)
      this.#failures = 0
      this.trouble.over()
      this.note(reply)
      return reply.values === null ? undefined : reply
    } catch (error) {
      this.#failed(error)
      return undefined
    }
  }

  /**
   * Takes note of what a reply says about the next look.
   */
  note(reply: ClaimReply): void {
    this.#nextDue = reply.nextDue
    this.#limitedUntil = reply.limitedFor > 0 ? Date.now() + reply.limitedFor : 0
  }

  /**
   * Waits until there may be a job. Nobody else may know that, whether a marker said so or the time: a caller that cannot look now puts
   * a marker back.
   */
  async wait(): Promise<void> {
    if (this.#stopped) return
    if (this.#failures > 0) {
      return this.#pause(RETRY_WAITS[Math.min(this.#failures, RETRY_WAITS.length) - 1])
    }
    const limited = this.#limitedUntil - Date.now()
    if (limited > 0) return this.#pause(Math.min(limited, LONGEST_LIMIT))
    const due = this.#nextDue === 0 ? Number.POSITIVE_INFINITY : this.#nextDue - Date.now()
    if (due < 1) return
    while (!this.#stopped) {
      const popped = await this.#block(Math.min(due / 1_000, LONGEST_WAIT))
      if (popped || this.#failures > 0 || this.#nextDue !== 0) return
      if (await this.#mayHoldJobs()) return
    }
  }

  /**
   * Puts a marker back after a wait: another worker may have a slot for the job.
   */
  putBack(): Promise<void> {
    return this.#mark((client, key) => client.zadd(key, 0, '0'))
  }

  /**
   * Takes it away again, if nobody has, for the look that is sent right after: it would end the next wait at once, and queues that share
   * slots would keep each other from ever waiting.
   */
  takeBack(): Promise<void> {
    return this.#mark((client, key) => client.zrem(key, '0'))
  }

  async #mark(change: (client: MarkerClient, key: string) => Promise<unknown>): Promise<void> {
    try {
      const client = (await this.backend.client) as unknown as MarkerClient
      await change(client, this.backend.keys.marker)
    } catch (error) {
      this.#failed(error)
    }
  }

  /**
   * Ends waiting for good. What a marker has told only this worker is then told to others: that there is a job, or when one is due.
   */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#wake?.()
    try {
      /** Only closing its connection ends a blocking command at once, and until Redis has closed it too, it may take a marker. */
      await this.backend.disconnectBlocking()
    } finally {
      if (await this.#mayHoldJobs()) await this.putBack()
    }
  }

  /**
   * Whether a look can bring a job at all. Asked for each queue that is idle by each of its workers, so by a command that costs Redis a
   * tenth of a claim; jobs that a limit holds back stand in `delayed`.
   */
  async #mayHoldJobs(): Promise<boolean> {
    const { wait, prioritized, delayed } = this.backend.keys
    try {
      const client = (await this.backend.client) as unknown as {
        exists(...keys: string[]): Promise<number>
      }
      const found = await client.exists(wait, prioritized, delayed)
      this.trouble.over()
      return found > 0
    } catch (error) {
      this.#failed(error)
      return true
    }
  }

  /**
   * @returns whether there was a marker
   */
  async #block(seconds: number): Promise<boolean> {
    const longest = Math.max(seconds, this.backend.minimumBlockTimeout)
    const waited = this.backend.waitForJob(longest)
    try {
      return (await this.#within(longest * 1_000 + OVERDUE, waited, 'a wait for jobs')) !== null
    } catch (error) {
      void this.#putBackLate(waited)
      if (!this.#stopped) {
        this.#failed(error)
        await this.#reconnect()
      }
      return false
    }
  }

  /** A marker that a wait brings which was given up is for whoever waits now. */
  async #putBackLate(waited: Promise<unknown>): Promise<void> {
    const marker = await waited.catch(() => null)
    if (marker !== null && !this.#stopped) await this.putBack()
  }

  async #reconnect(): Promise<void> {
    try {
      await this.#within(CONNECT, this.backend.reconnectBlocking(), 'a connection to begin anew')
    } catch {
      await this.#renew().catch((error) => this.trouble.noticed(error))
    }
  }

  /** Of a connection that neither works nor ends. */
  async #renew(): Promise<void> {
    const client = await this.backend.blockingClient
    if (client === undefined || this.#stopped) return
    client.disconnect()
    await this.#within(CONNECT, client.connect(), 'a new connection')
  }

  /**
   * @throws when the promise takes longer, ms
   */
  async #within<T>(longest: number, promise: Promise<T>, what: string): Promise<T> {
    const answer = await within(longest, promise, this.clock)
    if (answer === LATE) throw new Error(`Redis let ${what} take over ${longest} ms`)
    return answer
  }

  #failed(error: unknown): void {
    this.#failures++
    if (!this.#stopped) {
      this.trouble.noticed(error)
    }
  }

  #pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.clock.setTimeout(resolve, milliseconds)
      this.#wake = () => {
        this.clock.clearTimeout(timer)
        resolve()
      }
      if (this.#stopped) {
        this.#wake()
      }
    })
  }
}
