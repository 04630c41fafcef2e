import type { Db } from '../dialect/db.ts'
import { NAME_KINDS } from '../tables.ts'
import { NAME_FIELDS, type Filter } from './filter.ts'
import { every, joined, oneOf, run, sql } from './sql.ts'

/** Kinds of `queuedeck_counters`: 0 for all jobs, else that of the name. */
const ALL = 0

/**
 * How many jobs there are by status, over all and for each name of a filter: from counters that are kept in the
 * transactions that change jobs, so they are exact.
 */
export class Sizes {
  /** By kind and name, then by status. */
  #counts = new Map<string, number[]>()

  static async load(db: Db, filters: readonly Filter[]): Promise<Sizes> {
    const sizes = new Sizes()
    const wanted = [sql('kind = ?', ALL)]
    for (const field of [...NAME_FIELDS, 'tag'] as const) {
      const ids = [...new Set(filters.flatMap((filter) => filter[field] ?? []))]
      if (ids.length > 0)
        wanted.push(every([sql('kind = ?', NAME_KINDS[field]), oneOf('name_id', ids)]))
    }
    const where = joined(
      wanted.map(({ text, values }) => ({ text: `(${text})`, values })),
      ' or '
    )
    const rows = await run(db, {
      text: `select kind, name_id, status, n from queuedeck_counters where ${where.text}`,
      values: where.values,
    })
    for (const { kind, name_id: name, status, n } of rows) sizes.#of(kind, name)[status] = Number(n)
    return sizes
  }

  /** Jobs in some statuses. */
  all(statuses: readonly number[]): number {
    return this.#sum(ALL, [0], statuses)
  }

  /** Jobs with any of some names; one with two of the tags counts twice. */
  named(
    kind: keyof typeof NAME_KINDS,
    ids: readonly number[],
    statuses: readonly number[]
  ): number {
    return this.#sum(NAME_KINDS[kind], ids, statuses)
  }

  #sum(kind: number, ids: readonly number[], statuses: readonly number[]): number {
    let sum = 0
    for (const id of ids) {
      const counts = this.#counts.get(`${kind}:${id}`)
      if (counts) for (const status of statuses) sum += counts[status] ?? 0
    }
    return sum
  }

  #of(kind: number, name: number): number[] {
    const key = `${kind}:${name}`
    const counts = this.#counts.get(key) ?? []
    this.#counts.set(key, counts)
    return counts
  }
}
