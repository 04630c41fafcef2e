import { InvalidInputException } from '../../errors.ts'
import type { Db } from '../dialect/db.ts'
import { shorten } from '../query/moments.ts'
import { storable, storedFold, storedName } from '../storable.ts'
import { NAME_KINDS, type StoredNameKind } from '../tables.ts'
import { inParts } from '../../in_parts.ts'

/** Most names that one filter value with `*` may stand for. */
const MOST_MATCHES = 1000

/**
 * Names kept in memory, and for how long, ms: a name never changes, so forgetting one only costs a query, but where the tables were made
 * anew, or come from a copy, another one has its number.
 */
const KEPT = { most: 50_000, time: 5_000 }

/** Sorts behind every text that begins with what stands before it. */
const LAST = '\u{10ffff}'

/**
 * The names of types, queues, users, hosts, workers and tags, which jobs hold as numbers.
 */
export class NameReader {
  /** Text by number; and those before, which somebody may be about to read. */
  #texts = new Map<number, string>()
  #before = this.#texts
  #since = performance.now()

  /** @param kept  For tests. */
  constructor(
    private db: Db,
    private kept = KEPT
  ) {}

  /**
   * Puts the texts of these numbers within reach of `text`.
   */
  async load(ids: Iterable<number | null>): Promise<void> {
    const now = performance.now()
    if (this.#texts.size > this.kept.most || now - this.#since >= this.kept.time) {
      this.#before = this.#texts
      this.#texts = new Map()
      this.#since = now
    }
    const missing = [...new Set(ids)].filter(
      (id): id is number => id !== null && !this.#texts.has(id)
    )
    for (const some of inParts(missing, 500)) {
      const rows = await this.db.all(
        `select id, name from queuedeck_names where id in (${some.map(() => '?').join(', ')})`,
        some
      )
      for (const { id, name } of rows) this.#texts.set(id, name)
    }
  }

  /** The text of a number that was loaded. */
  text(id: number): string {
    return this.#texts.get(id) ?? this.#before.get(id) ?? '?'
  }

  /** The same for a column that may be empty. */
  textOrNull(id: number | null): string | null {
    return id === null ? null : this.text(id)
  }

  /**
   * The numbers that filter values stand for: the name itself, else names that differ in case only, or those that match
   * where the value holds `*`. Throws InvalidInputException for a value that stands for more than 1,000.
   */
  async resolve(
    kind: StoredNameKind,
    values: readonly string[],
    field: string = kind
  ): Promise<number[]> {
    if (values.length === 0) return []
    const stored = values.map(storedName)
    const rows = await this.db.all(
      `select id, name from queuedeck_names where kind = ? and name in (${values.map(() => '?').join(', ')})`,
      [NAME_KINDS[kind], ...stored]
    )
    const exact = new Set(rows.map(({ name }) => name))
    const found = new Set<number>(rows.map(({ id }) => id))
    for (const value of stored) {
      if (exact.has(value)) continue
      for (const id of await this.#match(kind, value, field)) found.add(id)
    }
    return [...found].sort((one, other) => one - other)
  }

  /**
   * Names that begin with a text, without case, in the order of their letters.
   */
  async complete(kind: StoredNameKind, prefix: string, limit: number): Promise<string[]> {
    const start = storedFold(storable(prefix))
    const rows = await this.db.all(
      `select name from queuedeck_names where kind = ? and fold >= ? and fold < ? order by fold, name limit ?`,
      [NAME_KINDS[kind], start, start + LAST, limit]
    )
    return rows.map(({ name }) => name)
  }

  /** All names of a kind that has few. */
  async all(kind: StoredNameKind): Promise<string[]> {
    const rows = await this.db.all(
      'select name from queuedeck_names where kind = ? order by name',
      [NAME_KINDS[kind]]
    )
    return rows.map(({ name }) => name)
  }

  async #match(kind: StoredNameKind, value: string, field: string): Promise<number[]> {
    const folded = storedFold(value)
    const start = folded.split('*', 1)[0]
    const [condition, bounds] = folded.includes('*')
      ? [
          `fold >= ? and fold < ? and fold like ? escape '!'`,
          [start, start + LAST, likePattern(folded)],
        ]
      : ['fold = ?', [folded]]
    const rows = await this.db.all(
      `select id from queuedeck_names where kind = ? and ${condition} limit ${MOST_MATCHES + 1}`,
      [NAME_KINDS[kind], ...bounds]
    )
    if (rows.length > MOST_MATCHES) {
      throw new InvalidInputException(
        `"${shorten(value)}" stands for more than ${MOST_MATCHES.toLocaleString('en')} names: write more of it`,
        field
      )
    }
    return rows.map(({ id }) => id)
  }
}

/** `*` is the only wildcard; `%` and `_` are letters. */
function likePattern(value: string): string {
  return value.replace(/[!%_]/g, '!$&').replaceAll('*', '%')
}
