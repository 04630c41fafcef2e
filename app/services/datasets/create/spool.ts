import { createReadStream } from 'node:fs'
import { mkdir, open, rm, type FileHandle } from 'node:fs/promises'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { Example } from '../example.ts'

/** Written at once, in UTF-16 units, and read, in bytes. */
const PIECE = 65_536

/**
 * Examples on disk until it is known which of them go where: each is made once, and only its sketch stays in memory.
 */
export class Spool {
  #buffer = ''

  private constructor(
    private path: string,
    private handle: FileHandle
  ) {}

  static async open(folder: string): Promise<Spool> {
    await mkdir(folder, { recursive: true })
    const path = join(folder, `draft.${randomBytes(6).toString('hex')}`)
    return new Spool(path, await open(path, 'wx'))
  }

  /** Returns a promise only where the buffer is full. */
  add(example: Example): Promise<void> | undefined {
    this.#buffer += `${JSON.stringify(example)}\n`
    return this.#buffer.length >= PIECE ? this.#flush() : undefined
  }

  /** All examples in their order; none may be added any more. */
  async *examples(): AsyncGenerator<Example> {
    await this.#flush()
    let rest = ''
    const pieces = createReadStream(this.path, { encoding: 'utf8', highWaterMark: PIECE })
    for await (const piece of pieces as AsyncIterable<string>) {
      const lines = (rest + piece).split('\n')
      rest = lines.pop()!
      for (const line of lines) yield JSON.parse(line) as Example
    }
  }

  async discard(): Promise<void> {
    await this.handle.close().catch(() => {})
    await rm(this.path, { force: true })
  }

  async #flush(): Promise<void> {
    const text = this.#buffer
    this.#buffer = ''
    await this.handle.writeFile(text)
  }
}
