import type { Session, Shape } from '../dialect/session.ts'
import { storedFold, storedName } from '../storable.ts'
import { NAME_COLUMNS, NAME_KINDS, type StoredNameKind } from '../tables.ts'

const NAMES: Shape = {
  table: { name: 'queuedeck_names', key: ['kind', 'name'] },
  columns: NAME_COLUMNS,
  existing: 'ignore',
}

const KINDS = new Map(
  Object.entries(NAME_KINDS).map(([kind, code]) => [code as number, kind as StoredNameKind])
)

/** Names remembered before all are forgotten: users may be without number. */
const MOST_NAMES = 200_000

/** Host of a worker id: `<host>:<pid>:<random>`. */
export function hostOf(worker: string): string {
  const parts = worker.split(':')
  return (parts.length > 2 ? parts.slice(0, -2).join(':') : worker) || '?'
}

/**
 * The numbers of names. What a transaction adds is remembered once it is committed.
 */
export class NameBook {
  /** By kind; as given, so that cutting and folding happen once. */
  #ids = makeIds()
  #names = new Map<number, string>()
  #fresh: [kind: StoredNameKind, name: string, id: number][] = []

  /** Numbers of the hosts of workers, which are asked for with each of their jobs. */
  #hosts = new Map<string, number>()

  id(kind: StoredNameKind, name: string): number {
    const id = this.#ids[kind].get(name)
    if (id === undefined) throw new Error(`The name "${name}" (${kind}) has not been loaded`)
    return id
  }

  /** Number of a worker's host. */
  hostId(worker: string): number {
    let id = this.#hosts.get(worker)
    if (id === undefined) {
      id = this.id('host', hostOf(worker))
      this.#hosts.set(worker, id)
    }
    return id
  }

  hasHost(worker: string): boolean {
    return this.#hosts.has(worker) || this.has('host', hostOf(worker))
  }

  has(kind: StoredNameKind, name: string): boolean {
    return this.#ids[kind].has(name)
  }

  /** Whether the name of a number has been loaded. */
  knows(id: number): boolean {
    return this.#names.has(id)
  }

  name(id: number): string {
    return this.#names.get(id) ?? '?'
  }

  /**
   * Loads the names of numbers.
   */
  async loadIds(session: Session, ids: Iterable<number>): Promise<void> {
    const missing = [...new Set(ids)].filter((id) => !this.knows(id))
    if (missing.length === 0) return
    const select = 'select id, kind, name from queuedeck_names where'
    for (const { id, kind, name } of await session.allIn(select, 'id', 'int', missing)) {
      this.#remember(KINDS.get(kind)!, name, id)
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
        this.#remember(kind, name, id)
        this.#fresh.push([kind, name, id])
        if (!this.#names.has(id) || name !== text) this.#names.set(id, text)
      }
    }
  }

  #remember(kind: StoredNameKind, name: string, id: number): void {
    this.#ids[kind].set(name, id)
    this.#names.set(id, name)
  }

  committed(): void {
    this.#fresh = []
    if (this.#names.size > MOST_NAMES) this.forget()
  }

  /** What was added is gone with its transaction. */
  rolledBack(): void {
    for (const [kind, name, id] of this.#fresh) {
      this.#ids[kind].delete(name)
      this.#names.delete(id)
    }
    if (this.#fresh.length > 0) this.#hosts.clear()
    this.#fresh = []
  }

  forget(): void {
    this.#ids = makeIds()
    this.#names.clear()
    this.#hosts.clear()
    this.#fresh = []
  }
}

function makeIds(): Record<StoredNameKind, Map<string, number>> {
  return {
    type: new Map(),
    queue: new Map(),
    user: new Map(),
    host: new Map(),
    worker: new Map(),
    tag: new Map(),
  }
}
