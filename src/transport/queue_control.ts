import { Queue } from 'bullmq'
import type { Transport } from './transport.ts'

/** Jobs that one call of the script looks at: it holds Redis for about 2 ms. */
const AT_ONCE = 50

/** Where jobs wait that are pending. */
const PENDING = ['wait', 'paused', 'prioritized', 'held']

/** What draining did: jobs that have ended as cancelled, and such that end so when a worker takes them. */
export type DrainAnswer = { done: number; requested: number }

export type DrainOptions = { onProgress?: (answer: DrainAnswer) => void; signal?: AbortSignal }

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
   * Cancels what waits: pending jobs, those that a limit holds back too, and scheduled ones where asked for. What comes after the
   * beginning stays, so that it ends under producers that go on. Each job ends as `cancelled`, or not at all.
   *
   * @param request.scheduled also jobs whose time has not come, and retries in backoff
   * @param options.signal ends it between two steps: what was done stays done
   * @throws E_REDIS_UNAVAILABLE
   */
  async drain(
    queue: string,
    request: { by: string; reason: string; scheduled: boolean },
    { onProgress = () => {}, signal }: DrainOptions = {}
  ): Promise<DrainAnswer> {
    const began = await this.transport.connections.produce(
      `queue "${queue}" was not drained`,
      (client) => this.transport.time(client)
    )
    const lists = request.scheduled ? [...PENDING, 'scheduled'] : PENDING
    const answer = { done: 0, requested: 0 }
    /** A worker that takes jobs meanwhile moves the others along, past where we looked: until a pass finds none that is left. */
    for (let before = -1; before < answer.done + answer.requested && !signal?.aborted;) {
      before = answer.done + answer.requested
      for (const list of lists) {
        let left = 0
        for (let looked = 1; looked > 0 && !signal?.aborted;) {
          const step = await this.#drainStep(queue, request, { list, left, began })
          looked = step.looked
          /** What a worker has to end stands in line for one, at the end of `wait`. */
          left += looked - step.done - (list === 'wait' ? 0 : step.requested)
          answer.done += step.done
          answer.requested += step.requested
          if (step.done + step.requested > 0) onProgress({ ...answer })
        }
      }
    }
    return answer
  }

  async #drainStep(
    queue: string,
    { by, reason }: { by: string; reason: string },
    { list, left, began }: { list: string; left: number; began: number }
  ): Promise<DrainAnswer & { looked: number }> {
    const { keys, connections } = this.transport
    const [done, requested, looked] = (await connections.produce(
      `the jobs of queue "${queue}" that are left were not cancelled`,
      (client) =>
        this.transport.call(client, 'drain_waiting', [
          keys.events(queue),
          keys.queue(queue),
          by,
          reason,
          list,
          left,
          AT_ONCE,
          began,
        ])
    )) as [number, number, number]
    return { done, requested, looked }
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
