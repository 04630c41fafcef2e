import type { Session, Shape } from '../dialect/session.ts'
import { DAY, NAME_KINDS, TABLES, TIMELINE_STEP } from '../tables.ts'
import { AT } from './job_row.ts'

const adding = (table: Shape['table'] & { columns: Shape['columns'] }): Shape => ({
  table,
  columns: table.columns,
  existing: { n: 'add' },
})

const COUNTERS = adding(TABLES.counters)
const CUBE = adding(TABLES.cube)
const TIMELINE = adding(TABLES.timeline)

const COUNTED = [
  [NAME_KINDS.type, AT.type],
  [NAME_KINDS.queue, AT.queue],
  [NAME_KINDS.user, AT.user],
  [NAME_KINDS.host, AT.host],
] as const

/**
 * How the counts of a batch change, kept exact by writing them in the same transaction.
 */
export class Tally {
  #counters = new Map<string, number>()
  #cube = new Map<string, number>()
  #timeline = new Map<string, number>()

  /**
   * Counts one row of jobs, with its tags: `sign` 1 as it is now, -1 as it was.
   */
  count(row: unknown[], tags: readonly number[], sign: 1 | -1): void {
    const status = row[AT.status] as number
    const createdAt = row[AT.createdAt] as number
    add(this.#counters, `0,0,${status}`, sign)
    for (const [kind, column] of COUNTED) {
      const id = row[column]
      if (id !== null) add(this.#counters, `${kind},${id},${status}`, sign)
    }
    for (const tag of tags) add(this.#counters, `${NAME_KINDS.tag},${tag},${status}`, sign)
    const day = Math.floor(createdAt / DAY)
    add(this.#cube, `${day},${row[AT.queue]},${row[AT.type]},${status}`, sign)
    add(this.#timeline, `${Math.floor(createdAt / TIMELINE_STEP)},${status}`, sign)
  }

  async write(session: Session): Promise<void> {
    await put(session, COUNTERS, this.#counters)
    await put(session, CUBE, this.#cube)
    await put(session, TIMELINE, this.#timeline)
  }
}

function add(counts: Map<string, number>, key: string, sign: number): void {
  counts.set(key, (counts.get(key) ?? 0) + sign)
}

/** In the order of the keys, so that writers that meet do so in one order. */
async function put(session: Session, shape: Shape, counts: Map<string, number>): Promise<void> {
  const rows: number[][] = []
  for (const [key, n] of counts) if (n !== 0) rows.push([...key.split(',').map(Number), n])
  if (rows.length === 0) return
  rows.sort((one, other) => {
    const place = one.findIndex((value, index) => value !== other[index])
    return place === -1 ? 0 : one[place] - other[place]
  })
  await session.put(shape, rows)
}
