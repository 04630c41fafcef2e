import { createHash, randomBytes } from 'node:crypto'
import { mkdir, open, readdir, readFile, rm, stat, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { deserialize, serialize } from 'node:v8'
import { Breather } from '../breather.ts'
import type { PageLines } from './types.ts'

/** What a thread read of one page. */
export type ReadPage = { content: PageLines | null; unknown: boolean }

/** Pages are written in groups of this size: fewer than that are quickly read again. */
const GROUP = 50

/** Files of jobs that never came back are removed after this time, ms. */
const OLD = 7 * 24 * 60 * 60 * 1_000

/** Bytes that are hashed in one step. */
const STEP = 1_048_576

/** What a job keeps of this: the document's number in its list and its digest, the file, and how many pages are in it. */
type Saved = { document: number; digest: string; file: string; pages: number }

export type KeptPagesOptions = {
  /** Folder of the files. */
  folder: string
  /** The document's number in the list of the job. */
  document: number
  bytes: Uint8Array
  /** What an earlier attempt saved, whatever it is. */
  saved: unknown
  save: (value: Saved) => Promise<void>
}

/**
 * Pages of a long PDF file on disk while it is read, so that an attempt that follows a killed one goes on behind them.
 */
export class KeptPages {
  #known = new Map<number, ReadPage>()
  #group: [number, ReadPage][] = []
  #file: FileHandle | null = null
  #pages = 0
  #closed = false
  /** The last write: two threads may fill two groups at the same time. */
  #last: Promise<void> = Promise.resolve()

  private constructor(
    private options: KeptPagesOptions,
    private digest: string,
    private name: string
  ) {}

  /** With the pages of the attempt before, where there was one and its file is still there. */
  static async open(options: KeptPagesOptions): Promise<KeptPages> {
    const digest = await digestOf(options.bytes)
    const saved = options.saved as Partial<Saved> | null | undefined
    const same =
      saved?.digest === digest &&
      saved.document === options.document &&
      /^[0-9a-f]{24}$/.test(saved.file ?? '')
    const kept = new KeptPages(
      options,
      digest,
      same ? saved.file! : randomBytes(12).toString('hex')
    )
    if (same) await kept.#load()
    return kept
  }

  /** A page that was read before. */
  known(number: number): ReadPage | undefined {
    return this.#known.get(number)
  }

  /** Pages that were read before. */
  get size(): number {
    return this.#known.size
  }

  /** Keeps a page; returns a promise only where a group is full. */
  add(number: number, page: ReadPage): Promise<void> | undefined {
    if (this.#closed) return undefined
    this.#group.push([number, page])
    if (this.#group.length < GROUP) return undefined
    const group = this.#group
    this.#group = []
    return (this.#last = this.#last.then(() => this.#write(group)))
  }

  /** Lets go of the file, which stays for the next attempt. Nothing is kept from now on. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#last.catch(() => {})
    await this.#file?.close().catch(() => {})
    this.#file = null
  }

  /** Forgets all: the document is read. */
  async discard(): Promise<void> {
    await this.close()
    await rm(this.#path, { force: true })
  }

  get #path(): string {
    return join(this.options.folder, this.name)
  }

  async #write(group: [number, ReadPage][]): Promise<void> {
    this.#file ??= await this.#open()
    const bytes = serialize(group)
    const length = Buffer.alloc(4)
    length.writeUInt32LE(bytes.length)
    await this.#file.appendFile(Buffer.concat([length, bytes]))
    this.#pages += group.length
    const { document, save } = this.options
    await save({ document, digest: this.digest, file: this.name, pages: this.#pages })
  }

  async #open(): Promise<FileHandle> {
    await mkdir(this.options.folder, { recursive: true })
    await this.#sweep()
    return open(this.#path, 'a')
  }

  /** What a kill cut off at the end of the file is cut off of it. */
  async #load(): Promise<void> {
    const bytes = await readFile(this.#path).catch(() => Buffer.alloc(0))
    const breather = new Breather()
    let end = 0
    while (end + 4 <= bytes.length) {
      const next = end + 4 + bytes.readUInt32LE(end)
      if (next > bytes.length) break
      try {
        const group = deserialize(bytes.subarray(end + 4, next)) as [number, ReadPage][]
        for (const [number, page] of group) this.#known.set(number, page)
      } catch {
        break
      }
      end = next
      await breather.breathe()
    }
    this.#pages = this.#known.size
    if (bytes.length === 0) return
    this.#file = await open(this.#path, 'r+')
    await this.#file.truncate(end)
    await this.#file.close()
    this.#file = await open(this.#path, 'a')
  }

  async #sweep(): Promise<void> {
    const before = Date.now() - OLD
    for (const name of await readdir(this.options.folder)) {
      const path = join(this.options.folder, name)
      const found = await stat(path).catch(() => null)
      if (found !== null && found.mtimeMs < before) await rm(path, { force: true })
    }
  }
}

async function digestOf(bytes: Uint8Array): Promise<string> {
  const breather = new Breather()
  const hash = createHash('sha256')
  for (let start = 0; start < bytes.length; start += STEP) {
    hash.update(bytes.subarray(start, start + STEP))
    await breather.breathe()
  }
  return hash.digest('hex')
}
