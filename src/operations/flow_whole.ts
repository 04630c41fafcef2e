import { setImmediate as breathe } from 'node:timers/promises'
import type { EdgeCounts } from '../records/reader/edges.ts'
import type { JobReader } from './job_lookup.ts'
import { inParts } from '../in_parts.ts'

/** Jobs, and edges between them, up to which a flow is counted as a whole. */
const MOST_JOBS = 25_000
const MOST_EDGES = 100_000

/** Jobs that are asked for at once: between two questions others have their turn. */
const AT_ONCE = 400

/** For so long it is remembered who belongs to a flow, and how its jobs stand, ms: pages ask again with every change. */
const MEMBERS = 30_000
const COUNTS = 2_000

/** Flows that are remembered. */
const MOST_KEPT = 20

type Known = { ids: string[] | null; readAt: number; counts?: EdgeCounts; countedAt: number }

export type WholeFlow = { total: number; counts: EdgeCounts }

/**
 * Counts the jobs of flows that are larger than a page looks through. What it found is remembered for a while.
 */
export class FlowWhole {
  #known = new Map<string, Promise<Known>>()

  constructor(
    private reader: Pick<JobReader, 'edges'>,
    private now: () => number = () => performance.now()
  ) {}

  /**
   * Everything that hangs together with a job, itself included; null where that is more than is counted.
   *
   * @throws E_DATABASE_UNAVAILABLE
   */
  async of(id: string): Promise<WholeFlow | null> {
    const known = await this.#membersOf(id)
    const { ids } = known
    if (ids === null) return null
    if (known.counts === undefined || this.now() - known.countedAt > COUNTS) {
      known.countedAt = this.now()
      known.counts = await this.#count(ids)
    }
    return { total: ids.length, counts: known.counts }
  }

  async #membersOf(id: string): Promise<Known> {
    const before = await this.#known.get(id)?.catch(() => undefined)
    if (before && this.now() - before.readAt <= MEMBERS) return before
    this.#known.delete(id)
    if (this.#known.size >= MOST_KEPT) this.#known.delete(this.#known.keys().next().value!)
    const reading = this.#read(id)
    this.#known.set(id, reading)
    return reading
  }

  async #read(from: string): Promise<Known> {
    const ids = new Set([from])
    let left = MOST_EDGES
    const known = { readAt: this.now(), countedAt: 0 }
    for (let level = [from]; level.length > 0;) {
      const next: string[] = []
      for (const some of inParts(level, AT_ONCE)) {
        for (const side of ['awaited', 'waiting'] as const) {
          const edges = await this.reader.edges.of(side, some, left)
          await breathe()
          left -= edges.length
          for (const edge of edges) {
            if (ids.has(edge[side])) continue
            ids.add(edge[side])
            next.push(edge[side])
          }
          if (left <= 0 || ids.size > MOST_JOBS) return { ...known, ids: null }
        }
      }
      level = next
    }
    return { ...known, ids: [...ids] }
  }

  async #count(ids: string[]): Promise<EdgeCounts> {
    const counts: EdgeCounts = {}
    for (const some of inParts(ids, AT_ONCE)) {
      const found = await this.reader.edges.statuses(some)
      await breathe()
      for (const [status, n] of Object.entries(found) as [keyof EdgeCounts, number][]) {
        counts[status] = (counts[status] ?? 0) + n
      }
    }
    return counts
  }
}
