import { E_AWAITED_UNKNOWN } from '../errors.ts'
import { recordId } from '../records/ids.ts'
import { isTerminal } from '../statuses.ts'
import type { AwaitedOutcome } from '../transport/flow_edges.ts'
import type { JobPlace } from '../transport/keys.ts'
import type { Transport } from '../transport/transport.ts'
import type { JobView } from '../types.ts'
import { inParts } from '../in_parts.ts'

/** Jobs that one question to Redis names. */
const AT_ONCE = 1_000

type Rows = { rowsById(ids: readonly string[]): Promise<JobView[]> }

/** What an awaited job's record says: how it ended, that it has not, or that there is none. */
export type RecordedEnd = AwaitedOutcome | 'open' | 'missing'

/**
 * Finds the jobs that a dispatch waits for: Redis first, since it knows them first; records answer for those that it has forgotten.
 */
export class AwaitedJobs {
  constructor(
    private transport: Pick<Transport, 'call' | 'keys' | 'connections' | 'queueNames'>,
    private reader: () => Promise<Rows>
  ) {}

  /**
   * Where jobs are of which only the ids are given.
   *
   * @param ids  Of records, as pages and handles show them.
   * @throws E_AWAITED_UNKNOWN, E_REDIS_UNAVAILABLE, E_DATABASE_UNAVAILABLE
   */
  async places(ids: string[]): Promise<Map<string, JobPlace>> {
    const found = new Map<string, JobPlace>()
    if (ids.length === 0) return found
    let missing = ids
    for (const queue of await this.transport.queueNames()) {
      if (missing.length === 0) break
      for (const id of await this.#heldIn(queue, missing)) found.set(id, { queue, id })
      missing = missing.filter((id) => !found.has(id))
    }
    if (missing.length === 0) return found
    for (const { id, queue, transportId } of await (await this.reader()).rowsById(missing)) {
      found.set(id, { queue, id: transportId })
    }
    const unknown = missing.find((id) => !found.has(id))
    if (unknown !== undefined) throw new E_AWAITED_UNKNOWN([unknown])
    return found
  }

  /** How jobs ended, by their records. Those that have not, or that no record tells of, are absent. */
  async outcomes(places: JobPlace[]): Promise<Map<JobPlace, AwaitedOutcome>> {
    const ends = await this.ends(places)
    return new Map(
      places.flatMap((place, at) => {
        const end = ends[at]
        return end === 'open' || end === 'missing' ? [] : [[place, end] as const]
      })
    )
  }

  /** What records say of these jobs, in their order. */
  async ends(places: JobPlace[]): Promise<RecordedEnd[]> {
    const ids = places.map(({ queue, id }) => recordId(queue, id))
    const rows = new Map(
      (await (await this.reader()).rowsById(ids)).map((row) => [row.id, row] as const)
    )
    return places.map(({ queue }, at) => {
      const row = rows.get(ids[at])
      return row && row.queue === queue ? endOf(row) : 'missing'
    })
  }

  async #heldIn(queue: string, ids: string[]): Promise<string[]> {
    const { keys } = this.transport
    const held: string[] = []
    for (const some of inParts(ids, AT_ONCE)) {
      const [, states] = (await this.transport.connections.produce(
        'the jobs to wait for cannot be looked up',
        (client) =>
          this.transport.call(client, 'states', [keys.events(queue), keys.queue(queue), ...some])
      )) as [string, [string][]]
      held.push(...some.filter((_, index) => states[index][0] !== ''))
    }
    return held
  }
}

/** How a job ended, by its record. */
export function endOf({
  status,
  stopping,
  error,
}: Pick<JobView, 'status' | 'stopping' | 'error'>): AwaitedOutcome | 'open' {
  if (!isTerminal(status) || stopping) return 'open'
  if (status === 'completed') return 'c'
  if (status === 'failed') return 'f'
  return error?.code === 'SKIPPED' ? 's' : 'x'
}
