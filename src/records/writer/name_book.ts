import type { Session, Shape } from '../dialect/session.ts'
import { storedFold, storedName } from '../storable.ts'
import { NAME_COLUMNS, NAME_KINDS, type StoredNameKind } from '../tables.ts'

const NAMES: Shape = {
  table: { name: 'queuedeck_names', key: ['kind', 'name'] },
  columns: NAME_COLUMNS,
  existing: 'ignore',
}

/** Names remembered before all are forgotten: users may be without number. */
const MOST_NAMES = 200_000

/**
 * The numbers of names. What a transaction adds is remembered once it is committed.
 */
export class NameBook {
  #ids = new Map<string, number>()
  #names = new Map<number, string>()
  #fresh: [kind: number, name: string, id: number][] = []

  /** The name as given is looked up by, so that cutting and folding happen once. */
  id(kind: StoredNameKind, name: string): number {
    const id = this.#ids.get(`${NAME_KINDS[kind]}\0${name}`)
    if (id === undefined) throw new Error(`The name "${name}" (${kind}) has not been loaded`)
    return id
  }

  has(kind: StoredNameKind, name: string): boolean {
    return this.#ids.has(`${NAME_KINDS[kind]}\0${name}`)
  }

  name(id: number): string {
    return this.#names.get(id) ?? '?'
  }

  /**
   * Loads the names of numbers.
   */
  async loadIds(session: Session, ids: Iterable<number>): Promise<void> {
    const missing = [...new Set(ids)].filter((id) => !this.#names.has(id))
    if (missing.length === 0) return
    const select = 'select id, kind, name from queuedeck_names where'
    for (const { id, kind, name } of await session.allIn(select, 'id', 'int', missing)) {
      this.#remember(kind, name, id)
    }
  }

  /**
   * Loads the numbers of names, and gives numbers to new ones, in the order of kind and name, so that two writers wait for
   * each other and never in a circle.
   */
  async loadNames(session: Session, wanted: Map<StoredNameKind, Set<string>>): Promise<void> {
    for (const kind of [...wanted.keys()].sort()) {
      const given = [...wanted.get(kind)!].filter((name) => !this.has(kind, name))
      if (given.length === 0) continue
      const code = NAME_KINDS[kind]
      const stored = new Map(given.map((name) => [name, storedName(name)]))
      const select = `select id, name from queuedeck_names where kind = ${code} and`
      const look = async (names: string[]) => {
        const rows = await session.allIn(select, 'name', 'name', names)
        return new Map<string, number>(rows.map(({ id, name }) => [name, id]))
      }
      const names = [...new Set(stored.values())].sort()
      const found = await look(names)
      const missing = names.filter((name) => !found.has(name))
      if (missing.length > 0) {
        await session.put(
          NAMES,
          missing.map((name) => [code, name, storedFold(name)])
        )
        for (const [name, id] of await look(missing)) found.set(name, id)
      }
      for (const [name, text] of stored) {
        const id = found.get(text)!
        this.#remember(code, name, id)
        this.#fresh.push([code, name, id])
        if (!this.#names.has(id) || name !== text) this.#names.set(id, text)
      }
    }
  }

  #remember(kind: number, name: string, id: number): void {
    this.#ids.set(`${kind}\0${name}`, id)
    this.#names.set(id, name)
  }

  committed(): void {
    this.#fresh = []
    if (this.#ids.size > MOST_NAMES) this.forget()
  }

  /** What was added is gone with its transaction. */
  rolledBack(): void {
    for (const [kind, name, id] of this.#fresh) {
      this.#ids.delete(`${kind}\0${name}`)
      this.#names.delete(id)
    }
    this.#fresh = []
  }

  forget(): void {
    this.#ids.clear()
    this.#names.clear()
    this.#fresh = []
  }
}
