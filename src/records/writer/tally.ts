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

  /** Rows that count alike follow each other: the last one of each sign, and how many like it are still to be counted. */
  #like = { before: new Like(-1), now: new Like(1) }

  /**
   * Counts one row of jobs, with its tags: `sign` 1 as it is now, -1 as it was.
   */
  count(row: unknown[], tags: readonly number[], sign: 1 | -1): void {
    const like = sign === 1 ? this.#like.now : this.#like.before
    const slot = Math.floor((row[AT.createdAt] as number) / TIMELINE_STEP)
    if (!like.is(row, slot)) {
      this.#take(like)
      like.set(row, slot)
    }
    like.n++
    for (const tag of tags) this.#counters.add(sign, NAME_KINDS.tag, tag, row[AT.status] as number)
  }

  /** Counts what has gathered. */
  #take(like: Like): void {
    const { row, slot } = like
    if (like.n === 0) return
    const n = like.n * like.sign
    like.n = 0
    const status = row[AT.status] as number
    const counters = this.#counters
    counters.add(n, 0, 0, status)
    for (const [kind, column] of COUNTED) {
      const id = row[column]
      if (id !== null) counters.add(n, kind, id as number, status)
    }
    const day = Math.floor((slot * TIMELINE_STEP) / DAY)
    this.#cube.add(n, day, row[AT.queue] as number, row[AT.type] as number, status)
    this.#timeline.add(n, slot, status)
  }

  async write(session: Session): Promise<void> {
    this.#take(this.#like.before)
    this.#take(this.#like.now)
    await put(session, COUNTERS, this.#counters)
    await put(session, CUBE, this.#cube)
    await put(session, TIMELINE, this.#timeline)
  }
}

/** Columns that tell which counts a row belongs to, beside the moment of its creation. */
const COUNTED_BY = [AT.status, AT.queue, AT.type, AT.user, AT.host]

/**
 * Rows that belong to the same counts.
 */
class Like {
  row: unknown[] = []
  slot = 0
  n = 0

  constructor(readonly sign: 1 | -1) {}

  is(row: unknown[], slot: number): boolean {
    if (slot !== this.slot) return false
    for (const place of COUNTED_BY) if (row[place] !== this.row[place]) return false
    return true
  }

  set(row: unknown[], slot: number): void {
    this.row = row
    this.slot = slot
  }
}

type Level = Map<number, Level | number>

/**
 * Sums by keys of several numbers: a map of maps, because making a text of each key would cost more than all the counting.
 */
class Counts {
  #sums: Level = new Map()

  add(n: number, ...key: number[]): void {
    let level = this.#sums
    const last = key.length - 1
    for (let index = 0; index < last; index++) {
      let next = level.get(key[index])
      if (next === undefined) level.set(key[index], (next = new Map()))
      level = next as Level
    }
    level.set(key[last], ((level.get(key[last]) as number | undefined) ?? 0) + n)
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
