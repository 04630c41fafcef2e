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
  #counters = new Counts()
  #cube = new Counts()
  #timeline = new Counts()

  /**
   * Counts one row of jobs, with its tags: `sign` 1 as it is now, -1 as it was.
   */
  count(row: unknown[], tags: readonly number[], sign: 1 | -1): void {
    const status = row[AT.status] as number
    const createdAt = row[AT.createdAt] as number
    const counters = this.#counters
    counters.add(sign, 0, 0, status)
    for (const [kind, column] of COUNTED) {
      const id = row[column]
      if (id !== null) counters.add(sign, kind, id as number, status)
    }
    for (const tag of tags) counters.add(sign, NAME_KINDS.tag, tag, status)
    const day = Math.floor(createdAt / DAY)
    this.#cube.add(sign, day, row[AT.queue] as number, row[AT.type] as number, status)
    this.#timeline.add(sign, Math.floor(createdAt / TIMELINE_STEP), status)
  }

  async write(session: Session): Promise<void> {
    await put(session, COUNTERS, this.#counters)
    await put(session, CUBE, this.#cube)
    await put(session, TIMELINE, this.#timeline)
  }
}

type Level = Map<number, Level | number>

/**
 * Sums by keys of several numbers: a map of maps, because making a text of each key would cost more than all the counting.
 */
class Counts {
  #sums: Level = new Map()

  add(sign: number, ...key: number[]): void {
    let level = this.#sums
    const last = key.length - 1
    for (let index = 0; index < last; index++) {
      let next = level.get(key[index])
      if (next === undefined) level.set(key[index], (next = new Map()))
      level = next as Level
    }
    level.set(key[last], ((level.get(key[last]) as number | undefined) ?? 0) + sign)
  }

  /** Each key with its sum behind it, where that is not 0; in the order of the keys, so that writers that meet do so in one order. */
  rows(level = this.#sums): number[][] {
    const keys = [...level.keys()].sort((one, other) => one - other)
    return keys.flatMap((key) => {
      const value = level.get(key)!
      if (typeof value === 'number') return value === 0 ? [] : [[key, value]]
      return this.rows(value).map((row) => [key, ...row])
    })
  }
}

async function put(session: Session, shape: Shape, counts: Counts): Promise<void> {
  const rows = counts.rows()
  if (rows.length > 0) await session.put(shape, rows)
}
