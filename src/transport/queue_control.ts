import { randomUUID } from 'node:crypto'
import { Queue } from 'bullmq'
import type { Transport } from './transport.ts'

/** Jobs that one call of the script looks at: it holds Redis for about 2 ms. */
const AT_ONCE = 50

/** What a draining did is forgotten so long after its last step, ms. */
const COUNTED_FOR = 7 * 86_400_000

/** Where jobs wait that are pending. */
const PENDING = ['wait', 'paused', 'prioritized', 'held']

/** Where jobs wait for their moment: most before those that a limit holds back, behind them what another producer delays for decades. */
const SCHEDULED = ['scheduled', 'late']

export type DrainRequest = {
  by: string
  reason: string
  /** Also jobs whose time has not come, and retries in backoff. */
  scheduled: boolean
  /** When it began, epoch ms by Redis' clock: what came later stays. Default: now. */
  began?: number
  /** Of a draining that began before, here or in another process: it goes on, and counts on. Default: a new one. */
  id?: string
}

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
   * @param options.signal ends it between two steps: what was done stays done
   * @returns all that this draining did, before it was taken up too
   * @throws E_REDIS_UNAVAILABLE
   */
  async drain(
    queue: string,
    request: DrainRequest,
    { onProgress = () => {}, signal }: DrainOptions = {}
  ): Promise<DrainAnswer> {
    const id = request.id ?? randomUUID()
    const began = request.began ?? (await this.#now(queue))
    const lists = request.scheduled ? [...PENDING, ...SCHEDULED] : PENDING
    let answer = await this.#drained(queue, id)
    /** A worker that takes jobs meanwhile moves the others along, past where we looked: until a pass finds none that is left. */
    for (let before = -1; before < answer.done + answer.requested && !signal?.aborted;) {
      before = answer.done + answer.requested
      for (const list of lists) {
        let left = 0
        for (let looked = 1; looked > 0 && !signal?.aborted;) {
          const step = await this.#drainStep(queue, request, { id, list, left, began })
          looked = step.looked
          /** What a worker has to end stands in line for one, at the end of `wait`. */
          left += looked - step.done - (list === 'wait' ? 0 : step.requested)
          answer = step.sum
          if (step.done + step.requested > 0) onProgress(answer)
        }
      }
    }
    if (request.id === undefined) await this.forgetDraining(id)
    return answer
  }

  /** Forgets what a draining did, now that it is noted elsewhere. What Redis does not take now runs out by itself. */
  async forgetDraining(id: string): Promise<void> {
    const { keys, connections } = this.transport
    await connections
      .produce('nothing was forgotten', (client) => client.del(keys.draining(id)))
      .catch(() => {})
  }

  async #drainStep(
    queue: string,
    { by, reason }: { by: string; reason: string },
    { id, list, left, began }: { id: string; list: string; left: number; began: number }
  ): Promise<DrainAnswer & { looked: number; sum: DrainAnswer }> {
    const { keys, connections } = this.transport
    const [done, requested, looked, allDone, allRequested] = (await connections.produce(
      `the jobs of queue "${queue}" that are left were not cancelled`,
      (client) =>
        this.transport.call(client, 'drain_waiting', [
          keys.events(queue),
          keys.draining(id),
          keys.queue(queue),
          by,
          reason,
          list,
          left,
          AT_ONCE,
          began,
          COUNTED_FOR,
        ])
    )) as [number, number, number, number, number]
    return { done, requested, looked, sum: { done: allDone, requested: allRequested } }
  }

  /** What a draining did until now. */
  async #drained(queue: string, id: string): Promise<DrainAnswer> {
    const { keys, connections } = this.transport
    const counted = await connections.produce(`queue "${queue}" was not drained`, (client) =>
      client.hmget(keys.draining(id), 'done', 'requested')
    )
    const [done, requested] = counted.map(Number)
    return { done, requested }
  }

  #now(queue: string): Promise<number> {
    return this.transport.connections.produce(`queue "${queue}" was not drained`, (client) =>
      this.transport.time(client)
    )
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
