import { setTimeout as delay } from 'node:timers/promises'
import type { DrainAnswer, DrainOptions } from '../transport/queue_control.ts'
import type { Actor } from '../types.ts'
import { answerOf, tellPages, type QueueAnswer } from './queue_answer.ts'
import { assertQueueKnown, findQueue, type QueueDependencies } from './queue_views.ts'

/**
 * `cancelled`: jobs that ended so. `requested`: jobs of another producer's flow, which a worker has to end. The outcome is `requested`
 * when it goes on in the background: the numbers are those until now.
 */
export type DrainedAnswer = Omit<QueueAnswer, 'outcome'> & {
  outcome: 'done' | 'requested'
  cancelled: number
  requested: number
}

/** How long whoever asks waits for the end, ms. */
const PATIENCE = 2_000

/** How long the end of the process may wait for the step under way and its note, ms. */
const GOODBYE = 2_000

/** Open pages look again this often while a queue is drained, ms. */
const TELL = 1_000

/**
 * Takes out of a queue what waits in it. Each job is cancelled like a single one: its record says by whom, and it can be
 * restarted. Jobs that run go on, and so do those that wait for others or come after the beginning.
 */
export class DrainQueue {
  /** Ends what goes on in the background with the process. */
  #closing = new AbortController()
  #running = new Set<Promise<unknown>>()

  constructor(private dependencies: QueueDependencies) {}

  /**
   * Drains, and answers when that has ended.
   *
   * @param options.scheduled also jobs whose time has not come, and retries in backoff
   * @throws InvalidInputException, E_QUEUE_NOT_FOUND, E_REDIS_UNAVAILABLE
   */
  async handle(
    name: string,
    actor: Actor,
    options: DrainOptions & { scheduled: boolean }
  ): Promise<DrainedAnswer> {
    const { transport } = this.dependencies
    await assertQueueKnown(transport, name)
    const by = actor.name ?? actor.id
    const { scheduled, onProgress, signal = this.#closing.signal } = options
    const tells = this.#teller()
    const { done, requested } = await transport.trail.act(
      { actor, action: 'drain', target: { kind: 'queue', id: name }, detail: { scheduled } },
      () =>
        transport.queueControl.drain(
          name,
          { by, reason: `queue drained by ${by}`, scheduled },
          {
            signal,
            onProgress: (answer) => {
              onProgress?.(answer)
              tells()
            },
          }
        ),
      (drained) => ({
        reason: signal.aborted ? 'Its process was stopped meanwhile; what is left waits' : null,
        detail: { cancelled: drained.done, requested: drained.requested },
      })
    )
    const answer = await answerOf(this.dependencies, name, done + requested > 0)
    return { ...answer, cancelled: done, requested }
  }

  /**
   * The same for somebody who does not wait long: what takes longer goes on in this process. The audit says what came of it.
   *
   * @throws InvalidInputException, E_QUEUE_NOT_FOUND, E_REDIS_UNAVAILABLE
   */
  async start(
    name: string,
    actor: Actor,
    { scheduled, patience = PATIENCE }: { scheduled: boolean; patience?: number }
  ): Promise<DrainedAnswer> {
    let now: DrainAnswer = { done: 0, requested: 0 }
    const work = this.handle(name, actor, { scheduled, onProgress: (answer) => (now = answer) })
    const ended = await Promise.race([work, delay(patience, null, { ref: false })])
    if (ended) return ended
    /** Nobody waits for it any more: what it throws stands in the audit. */
    const running = work.catch(() => {}).finally(() => this.#running.delete(running))
    this.#running.add(running)
    const queue = await findQueue(this.dependencies, name)
    return {
      outcome: 'requested',
      changed: true,
      queue,
      cancelled: now.done,
      requested: now.requested,
    }
  }

  /** Ends what goes on in the background after the step under way, and notes how far it came; the rest waits as before. */
  async close(): Promise<void> {
    this.#closing.abort()
    if (this.#running.size === 0) return
    await Promise.race([Promise.all(this.#running), delay(GOODBYE, null, { ref: false })])
  }

  #teller(): () => void {
    let told = performance.now()
    return () => {
      if (performance.now() - told < TELL) return
      told = performance.now()
      tellPages(this.dependencies.transport).catch(() => {})
    }
  }
}
