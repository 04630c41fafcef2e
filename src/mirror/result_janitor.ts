import type { EndedTransport } from '../transport/transport_audit.ts'
import { compareIds } from './entries.ts'
import type { MirrorDependencies } from './ports.ts'
import type { Position } from './position.ts'

/** Results looked at in one call, and in one round of one queue. */
const PAGE = 500
const MOST_PAGES = 20

type Noted = { epoch: number; position: string; ended: EndedTransport[]; next: number }

/**
 * Notes in Redis, for the record of the next cleanup, that something was removed. Redis being full must not keep anybody from
 * removing, so a count that it does not take is given up.
 */
export async function countRemoved(
  { transport, redis }: MirrorDependencies,
  kind: string,
  removed: number
): Promise<void> {
  if (removed > 0) await redis.hincrby(transport.keys.removed, kind, removed).catch(() => {})
}

/**
 * Forgets results of completed jobs in Redis when their time is over, in two phases as transports go: see `Janitor`. Whoever
 * asks for a result later finds it in the record.
 */
export class ResultJanitor {
  #dependencies: MirrorDependencies
  #kept: number
  #noted = new Map<string, Noted>()

  /** Per queue: the moment until which results have been looked at. */
  #done = new Map<string, number>()

  /** @param kept  Milliseconds after the end. */
  constructor(dependencies: MirrorDependencies, kept: number) {
    this.#dependencies = dependencies
    this.#kept = kept
  }

  async strip(position: Position): Promise<void> {
    const { queue, notes } = position
    if (notes.audit) {
      this.#noted.delete(queue)
      return
    }
    for (let page = 0; page < MOST_PAGES; page++) {
      const noted = this.#noted.get(queue)
      if (noted && noted.epoch === position.epoch) {
        if (compareIds(position.lastId, noted.position) < 0) return
        const { transport, redis } = this.#dependencies
        const stripped = await transport.audit.stripResults(queue, noted.ended, redis)
        await countRemoved(this.#dependencies, 'results', stripped)
        this.#done.set(queue, noted.next)
      }
      this.#noted.delete(queue)
      const next = await this.#note(position)
      if (!next) return
      this.#noted.set(queue, next)
    }
  }

  async #note({ queue, epoch, lastId }: Position): Promise<Noted | null> {
    const { transport, redis } = this.#dependencies
    const before = (await transport.time(redis)) - this.#kept
    const after = this.#done.get(queue) ?? 0
    if (before < after) return null
    const options = { before, after, limit: PAGE }
    const page = await transport.audit.ended(queue, 'completed', options, redis)
    if (page.ended.length === 0 || compareIds(page.position, lastId) < 0) return null
    const first = page.ended[0].finishedOn
    const last = page.ended.at(-1)!.finishedOn
    /** A page of one millisecond alone would be noted for ever. */
    const next = page.ended.length < PAGE || first === last ? last + 1 : last
    return { epoch, position: page.position, ended: page.ended, next }
  }
}
