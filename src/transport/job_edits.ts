import type { Transport } from './transport.ts'
import type { StreamPosition } from './transport_audit.ts'

/** What changing a priority came to. */
export type PriorityAnswer = 'done' | 'same' | 'running' | 'blocked' | 'too_late' | 'missing'

/** A job that had ended, or was unknown to Redis, when the stream stood at a position. */
export type NotedEnd = { mark: string; position: StreamPosition }

const NO_CLAIM = { mark: '', milliseconds: 0, parent: null }

/**
 * Changes of single jobs beside their cancelling and restarting.
 */
export class JobEdits {
  constructor(private transport: Transport) {}

  /**
   * Gives a job that waits, or whose time has not come, another priority.
   *
   * @param priority 1 (first) to 2,097,151 (last); 0 comes before all of them
   * @throws E_REDIS_UNAVAILABLE
   */
  async changePriority(
    queue: string,
    id: string,
    priority: number,
    by: string
  ): Promise<PriorityAnswer> {
    const { keys, connections } = this.transport
    const args = [
      keys.job(queue, id),
      keys.events(queue),
      keys.queue(queue),
      id,
      String(priority),
      by,
    ]
    return (await connections.produce(`the priority of job ${id} was not changed`, (client) =>
      this.transport.call(client, 'change_priority', args)
    )) as PriorityAnswer
  }

  /**
   * First half of deleting: notes a job that has ended, or that Redis does not hold. When the mirror has written all up to
   * `position`, the record says everything that ever happened to it.
   *
   * @returns null when the job has not ended
   */
  async noteEnd(queue: string, id: string): Promise<NotedEnd | null> {
    const [outcome, mark, position] = await this.#delete(queue, id, NO_CLAIM)
    return outcome === 'alive' ? null : { mark, position }
  }

  /**
   * Second half: removes the job from Redis and claims its record for so long, unless something happened to it since.
   *
   * @param claim.parent  key of its parent in another producer's flow, which waits for it no more
   * @returns where the stream stood; null when it is not claimed. Give the claim back with `audit.endErasure`
   */
  async claimEnd(
    queue: string,
    id: string,
    claim: { mark: string; milliseconds: number; parent: string | null }
  ): Promise<StreamPosition | null> {
    const [outcome, , position] = await this.#delete(queue, id, claim)
    return outcome === 'claimed' ? position : null
  }

  async #delete(
    queue: string,
    id: string,
    { mark, milliseconds, parent }: { mark: string; milliseconds: number; parent: string | null }
  ) {
    const { keys, connections } = this.transport
    const args = [
      keys.job(queue, id),
      keys.erasing,
      keys.events(queue),
      keys.queue(queue),
      id,
      mark,
      milliseconds,
      parent ?? '',
    ]
    return (await connections.produce(`job ${id} was not deleted`, (client) =>
      this.transport.call(client, 'delete_ended', args)
    )) as ['noted' | 'claimed' | 'changed' | 'alive', string, StreamPosition]
  }
}
