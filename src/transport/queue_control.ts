import { Queue } from 'bullmq'
import type { Transport } from './transport.ts'

/** Jobs that one call of the script looks at: it holds Redis for a few milliseconds. */
const AT_ONCE = 250

/** What draining did: jobs that have ended as cancelled, and such that end so when a worker takes them. */
export type DrainAnswer = { done: number; requested: number }

/**
 * Pausing, resuming and draining whole queues.
 */
export class QueueControl {
  constructor(private transport: Transport) {}

  /**
   * From now on no worker, ours or another, takes a job of the queue, one that a limit held back neither. What runs goes on.
   *
   * @returns whether that is new
   * @throws E_REDIS_UNAVAILABLE
   */
  pause(queue: string): Promise<boolean> {
    return this.#change(queue, `queue "${queue}" was not paused`, true)
  }

  /** Ends the pause; workers take jobs at once. Returns whether there was one. */
  resume(queue: string): Promise<boolean> {
    return this.#change(queue, `queue "${queue}" was not resumed`, false)
  }

  /**
   * Cancels what waits: pending jobs, those that a limit holds back too, and scheduled ones where asked for. At most as many as
   * waited at the beginning, so that it ends under producers that go on. Each ends as `cancelled`, or not at all.
   *
   * @param request.scheduled also jobs whose time has not come, and retries in backoff
   */
  async drain(
    queue: string,
    request: { by: string; reason: string; scheduled: boolean },
    onProgress: (answer: DrainAnswer) => void = () => {}
  ): Promise<DrainAnswer> {
    const { keys, connections } = this.transport
    const { pending, scheduled } = (await this.transport.depths([queue]))[queue]
    const most = pending + (request.scheduled ? scheduled : 0)
    const answer = { done: 0, requested: 0 }
    while (answer.done + answer.requested < most) {
      const left = most - answer.done - answer.requested
      const [done, requested] = (await connections.produce(
        `the last ${left} jobs of queue "${queue}" were not cancelled`,
        (client) =>
          this.transport.call(client, 'drain_waiting', [
            keys.events(queue),
            keys.queue(queue),
            request.by,
            request.reason,
            Math.min(AT_ONCE, left),
            request.scheduled ? 1 : 0,
          ])
      )) as [number, number]
      answer.done += done
      answer.requested += requested
      onProgress(answer)
      if (done + requested === 0) break
    }
    return answer
  }

  /** BullMQ's own pause, through our backend: its script moves what has to move, ours wakes those that a limit held back. */
  #change(name: string, action: string, pause: boolean): Promise<boolean> {
    const { keys, connections, backendFactory } = this.transport
    return connections.produce(action, async (client) => {
      const options = { connection: client as never, prefix: keys.prefix, skipMetasUpdate: true }
      const queue = new Queue(name, options, backendFactory)
      try {
        const was = await queue.isPaused()
        await (pause ? queue.pause() : queue.resume())
        return was !== pause
      } finally {
        await queue.close()
      }
    })
  }
}
