import { readdir, readFile, stat, truncate } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * Size of the append-only log that a Redis keeps in a folder, in bytes.
 */
export async function logSize(directory: string): Promise<number> {
  return (await stat(await logPath(directory))).size
}

/**
 * Takes what was written after the log of a stopped Redis had a size, but for a share of it, 0 to 1: as if the last of it had never
 * reached the disk.
 *
 * The write that the share ends in goes as a whole, as Redis means it to. Left to itself, Redis forgets such a write at its next
 * start, but where the end lies inside a command of a transaction it leaves the commands before that one in the log; at the start
 * after that it does them, with the first transaction that was written behind. What a script writes is a transaction: a job that
 * half a script moves long after it has ended stands in two states, and is really run again.
 */
export async function cutLog(directory: string, from: number, kept: number): Promise<void> {
  const path = await logPath(directory)
  const log = await readFile(path)
  await truncate(path, lastWhole(log, Math.floor(from + kept * (log.length - from))))
}

async function logPath(directory: string): Promise<string> {
  const names = await readdir(directory, { recursive: true })
  /** Redis 7 keeps several files in a folder; before that it is one. */
  return join(directory, names.find((one) => one.endsWith('.incr.aof')) ?? 'appendonly.aof')
}

/**
 * Where the last write ends that is whole up to a place: a command, or a transaction with all its commands. Each command is
 * `*<words>`, then for each word `$<bytes>` and the word, all on lines that end in CRLF.
 */
function lastWhole(log: Buffer, until: number): number {
  let at = 0
  let whole = 0
  let isOpen = false
  const number = (sign: string): number => {
    const end = log.indexOf('\r\n', at)
    const text = log.toString('latin1', at, end)
    if (!/^.\d+$/.test(text) || text[0] !== sign)
      throw new Error(`The log of Redis has "${text}" at ${at}, and not ${sign} and a number`)
    at = end + 2
    return Number(text.slice(1))
  }
  while (at < until) {
    let name = ''
    for (let left = number('*'), word = 0; word < left; word++) {
      const length = number('$')
      if (word === 0) name = log.toString('latin1', at, at + length).toUpperCase()
      at += length + 2
    }
    if (name === 'MULTI') isOpen = true
    if (name === 'EXEC') isOpen = false
    if (!isOpen && at <= until) whole = at
  }
  return whole
}
