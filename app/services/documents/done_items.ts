/** Items of one checkpoint: few enough to be written after each, and together within what a job may keep. */
const GROUP = 100

/**
 * What this needs of a job.
 */
type Keeper = {
  readonly checkpoints: Readonly<Record<string, unknown>>
  checkpoint(name: string, value: unknown): Promise<void>
}

/**
 * Which items of a job's list are done, and as what each is kept: an attempt that follows another one need not do them again.
 */
export class DoneItems {
  constructor(private job: Keeper) {}

  /**
   * What `load` gives of an item that an earlier attempt has done; undefined where it is not done, or what was kept is gone.
   */
  async of<Value>(index: number, load: (id: string) => Promise<Value>): Promise<Value | undefined> {
    const id = this.#group(index)[index % GROUP]
    return typeof id === 'string' ? load(id).catch(() => undefined) : undefined
  }

  /** Keeps that an item is done. */
  async add(index: number, id: string): Promise<void> {
    const group = [...this.#group(index)]
    while (group.length < index % GROUP) group.push(null)
    group[index % GROUP] = id
    await this.job.checkpoint(nameOf(index), group)
  }

  #group(index: number): (string | null)[] {
    const group = this.job.checkpoints[nameOf(index)]
    return Array.isArray(group) ? group : []
  }
}

function nameOf(index: number): string {
  return `items from ${Math.floor(index / GROUP) * GROUP}`
}
