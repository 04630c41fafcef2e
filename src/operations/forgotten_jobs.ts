import { setTimeout as pause } from 'node:timers/promises'
import { compareIds, START } from '../mirror/entries.ts'
import { type Cursor, PATIENCE } from '../mirror/written.ts'
import type { JobView } from '../types.ts'
import { inParts } from '../in_parts.ts'
import type { OperationDependencies } from './job_lookup.ts'

/** Time between two looks at where the mirror is, ms. */
const LOOK = 20

/** Jobs that one question to Redis names. */
const AT_ONCE = 1_000

type Found = {
  /** As their records say once they have caught up. */
  forgotten: JobView[]
  /** Of these it is not known what their records will say. */
  behind: JobView[]
}

/**
 * Finds the jobs that Redis does not know any more, with what became of them.
 *
 * Jobs of plain BullMQ may be gone from Redis in the moment in which they end, before their records say so. So records count only once
 * the mirror has passed where the queue's stream stood when Redis was asked.
 */
export class ForgottenJobs {
  /** Queues that were waited for in vain: not once more for every page. */
  #behind = new Set<string>()

  /** Queues whose streams were gone. What Redis knew before nobody tells any more, and what came since tells nothing of it. */
  #emptied = new Set<string>()

  /** Looks that are about to be made: those that wait side by side for the mirror in a queue look together. */
  #looks = new Map<string, Promise<Cursor>>()

  constructor(private dependencies: OperationDependencies) {}

  /** @throws E_REDIS_UNAVAILABLE, E_DATABASE_UNAVAILABLE */
  async among(jobs: JobView[]): Promise<Found> {
    const queues = [...Map.groupBy(jobs, ({ queue }) => queue)]
    const found = await Promise.all(queues.map(([queue, list]) => this.#ofQueue(queue, list)))
    const [recorded, behind] = [true, false].map((isRecorded) => {
      const ids = new Set(found.flatMap((one) => (one.isRecorded === isRecorded ? one.ids : [])))
      return jobs.filter(({ id }) => ids.has(id))
    })
    const ids = recorded.map(({ id }) => id)
    return { forgotten: ids.length > 0 ? await this.dependencies.reader.rowsById(ids) : [], behind }
  }

  async #ofQueue(queue: string, jobs: JobView[]) {
    const { reader } = this.dependencies
    const deadline = performance.now() + (this.#behind.has(queue) ? 0 : PATIENCE)
    for (;;) {
      const cursor = await reader.cursor(queue)
      const { position, held, ids } = await this.#unknown(queue, jobs)
      if (position === START) this.#emptied.add(queue)
      if (ids.length === 0 || this.#emptied.has(queue)) return { ids, isRecorded: true }
      /** An older Redis came back: the mirror is about to find that out, and reads its stream once more. */
      const isOlder = compareIds(position, cursor?.lastId ?? START) < 0
      if (!isOlder && (await this.#isWritten(queue, held, deadline))) {
        this.#behind.delete(queue)
        return { ids, isRecorded: true }
      }
      if (performance.now() > deadline) {
        this.#behind.add(queue)
        return { ids, isRecorded: false }
      }
      await pause(LOOK)
    }
  }

  /** Waits until records say what a queue's stream held at a position. An audit under way is not waited for: entries are enough. */
  async #isWritten(queue: string, position: string, deadline: number): Promise<boolean> {
    let cursor = await this.dependencies.reader.cursor(queue)
    while (compareIds(cursor?.lastId ?? START, position) < 0) {
      if (performance.now() > deadline) return false
      cursor = await this.#look(queue)
    }
    return true
  }

  #look(queue: string): Promise<Cursor> {
    const next =
      this.#looks.get(queue) ??
      pause(LOOK).then(() => {
        this.#looks.delete(queue)
        return this.dependencies.reader.cursor(queue)
      })
    this.#looks.set(queue, next)
    return next
  }

  /** Those that Redis does not know, and where the stream stood then: the newest id it gave, and its last entry that is still there. */
  async #unknown(queue: string, jobs: JobView[]) {
    const { transport } = this.dependencies
    const { keys, connections } = transport
    const found = { position: START, held: START, ids: [] as string[] }
    for (const some of inParts(jobs, AT_ONCE)) {
      const places = some.map(({ transportId }) => transportId)
      const args = [keys.events(queue), keys.queue(queue), ...places]
      const [position, states, held] = (await connections.produce(
        'jobs cannot be looked up',
        (client) => transport.call(client, 'states', args)
      )) as [string, [string][], string]
      Object.assign(found, { position, held })
      found.ids.push(...some.filter((_, at) => states[at][0] === '').map(({ id }) => id))
    }
    return found
  }
}
