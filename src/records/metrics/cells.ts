import { Sketch } from './sketch.ts'
import { METRIC_COUNTS, type MetricCount } from './metric_types.ts'

/** Which series of which minute or hour: the numbers of names, 0 for all of them, and the slot. */
export type CellKey = readonly [queue: number, type: number, host: number, slot: number]

/**
 * What happened in one minute or hour to one series. Adding cells up gives what their jobs together would have given.
 */
export class Cell {
  readonly counts: Record<MetricCount, number> = {
    added: 0,
    completed: 0,
    failed: 0,
    cancelled: 0,
    retried: 0,
  }
  /** How long jobs were ready before an attempt began, and how long attempts ran that completed or failed. */
  readonly wait = new Sketch()
  readonly run = new Sketch()

  merge(other: Cell): this {
    for (const name of METRIC_COUNTS) this.counts[name] += other.counts[name]
    this.wait.merge(other.wait)
    this.run.merge(other.run)
    return this
  }

  /** Adds a stored row. */
  addRow(row: Record<string, any>): this {
    for (const name of METRIC_COUNTS) this.counts[name] += Number(row[name])
    this.wait.addText(row.wait)
    this.run.addText(row.run)
    return this
  }

  /** As stored, in the order of the table's columns. */
  toRow(key: CellKey): unknown[] {
    const counts = METRIC_COUNTS.map((name) => this.counts[name])
    return [...key, ...counts, this.wait.toText(), this.run.toText()]
  }
}

/**
 * Cells by their keys; maps of maps, because making a text of each key would cost more than all the counting.
 */
export class Cells {
  #cells = new Map<number, Map<number, Map<number, Map<number, Cell>>>>()

  at(queue: number, type: number, host: number, slot: number): Cell {
    const hosts = within(within(this.#cells, queue), type)
    const slots = within(hosts, host)
    let cell = slots.get(slot)
    if (!cell) slots.set(slot, (cell = new Cell()))
    return cell
  }

  /** All of them, in the order of the table's key. */
  *entries(): Generator<[CellKey, Cell]> {
    for (const [queue, types] of sorted(this.#cells)) {
      for (const [type, hosts] of sorted(types)) {
        for (const [host, slots] of sorted(hosts)) {
          for (const [slot, cell] of sorted(slots)) yield [[queue, type, host, slot], cell]
        }
      }
    }
  }

  /**
   * Adds the sums that are kept beside the series of one queue, type and host: of each queue, type and host, and of all.
   */
  withSums(): this {
    for (const [[queue, type, host, slot], cell] of [...this.entries()]) {
      this.at(queue, 0, 0, slot).merge(cell)
      this.at(0, type, 0, slot).merge(cell)
      if (host > 0) this.at(0, 0, host, slot).merge(cell)
      this.at(0, 0, 0, slot).merge(cell)
    }
    return this
  }
}

function within<K, V>(map: Map<K, Map<number, V>>, key: K): Map<number, V> {
  let inner = map.get(key)
  if (!inner) map.set(key, (inner = new Map()))
  return inner
}

function sorted<V>(map: Map<number, V>): [number, V][] {
  return [...map].sort(([one], [other]) => one - other)
}
