import type { Edge, EdgeCounts } from '../records/reader/edges.ts'
import type { JobView } from '../types.ts'
import type { FlowWhole, WholeFlow } from './flow_whole.ts'
import type { FamilyMember } from './job_family.ts'
import type { JobReader } from './job_lookup.ts'

/** Jobs that a walk through a flow goes to. Of a larger flow what stands next to the job is shown, and all is counted. */
const MOST_WALKED = 1_000

/** Jobs that are named on each side. */
const MOST_NAMED = 100

export type FlowSide = {
  total: number
  counts: EdgeCounts
  /** The first of them; `onFailure` is the policy of the edge. */
  jobs: (FamilyMember & { onFailure: Edge['onFailure'] })[]
}

/** The jobs around one, by what waits for what. */
export type JobFlow = {
  /** What the job waits for, or waited for. */
  awaited: FlowSide
  /** What waits for it. */
  waiting: FlowSide
  /** Everything that hangs together with it, itself included; null where that is more than is counted. */
  whole: WholeFlow | null
  /** The nearest jobs first, the job itself among them. */
  nodes: FamilyMember[]
  /** Between those. */
  edges: Edge[]
}

/**
 * The flow around a job; null where it waits for nobody and nobody waits for it.
 *
 * @param larger counts flows that a page does not look through
 * @throws E_DATABASE_UNAVAILABLE
 */
export async function flowOf(
  reader: Pick<JobReader, 'rowsById' | 'edges'>,
  job: JobView,
  larger: Pick<FlowWhole, 'of'>
): Promise<JobFlow | null> {
  const [before, after] = await Promise.all([
    reader.edges.counts('awaited', job.id),
    reader.edges.counts('waiting', job.id),
  ])
  const [awaited, waiting] = [sum(before), sum(after)]
  if (awaited + waiting === 0) return null
  const { ids, edges, isWhole } = await walk(reader, job.id)
  const rows = new Map((await reader.rowsById(ids)).map((row) => [row.id, row]))
  const nodes = ids.map((id) => member(id, rows.get(id)))
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const side = (mine: Edge[], other: (edge: Edge) => string) =>
    mine.slice(0, MOST_NAMED).flatMap((edge) => {
      const node = byId.get(other(edge))
      return node ? [{ ...node, onFailure: edge.onFailure }] : []
    })
  return {
    awaited: {
      total: awaited,
      counts: before,
      jobs: side(
        edges.filter((edge) => edge.waiting === job.id),
        (edge) => edge.awaited
      ),
    },
    waiting: {
      total: waiting,
      counts: after,
      jobs: side(
        edges.filter((edge) => edge.awaited === job.id),
        (edge) => edge.waiting
      ),
    },
    whole: isWhole ? { total: nodes.length, counts: countsOf(nodes) } : await larger.of(job.id),
    nodes,
    edges: edges.filter((edge) => byId.has(edge.awaited) && byId.has(edge.waiting)),
  }
}

/** The nearest jobs of a flow, step by step, as far as a page looks. */
async function walk({ edges: reader }: Pick<JobReader, 'edges'>, from: string) {
  const ids = new Set([from])
  const edges = new Map<string, Edge>()
  let level = [from]
  let isWhole = true
  while (level.length > 0 && isWhole) {
    const next: string[] = []
    const [before, after] = [
      await reader.of('awaited', level, 2 * MOST_WALKED),
      await reader.of('waiting', level, 2 * MOST_WALKED),
    ]
    if (Math.max(before.length, after.length) === 2 * MOST_WALKED) isWhole = false
    for (const { side, edge } of inTurns(before, after)) {
      const other = edge[side]
      if (!ids.has(other)) {
        if (ids.size >= MOST_WALKED) {
          isWhole = false
          continue
        }
        ids.add(other)
        next.push(other)
      }
      edges.set(`${edge.waiting} ${edge.awaited}`, edge)
    }
    level = next
  }
  return { ids: [...ids], edges: [...edges.values()], isWhole }
}

/** One of each side in turn: where there are more than a page goes to, neither side hides the other. */
function* inTurns(before: Edge[], after: Edge[]) {
  for (let at = 0; at < Math.max(before.length, after.length); at++) {
    if (at < before.length) yield { side: 'awaited', edge: before[at] } as const
    if (at < after.length) yield { side: 'waiting', edge: after[at] } as const
  }
}

function member(id: string, row: JobView | undefined): FamilyMember {
  return {
    id,
    queue: row?.queue ?? '',
    type: row?.type ?? null,
    status: row?.status ?? null,
  }
}

function countsOf(nodes: FamilyMember[]): EdgeCounts {
  const counts: EdgeCounts = {}
  for (const { status } of nodes) {
    const key = status ?? 'missing'
    counts[key] = (counts[key] ?? 0) + 1
  }
  return counts
}

function sum(counts: EdgeCounts): number {
  return Object.values(counts).reduce((total, n) => total + n, 0)
}
