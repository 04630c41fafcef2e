import { createHash } from 'node:crypto'
import { createRequire } from 'node:module'

/** One of BullMQ's scripts as installed. */
export type BullText = { name: string; keys: number; text: string }

const require = createRequire(import.meta.url)

/**
 * The scripts of the bullmq that is installed, by name. Read from its CommonJS build, which is the one place where every
 * script is one importable text.
 */
export function installedTexts(): Map<string, BullText> {
  const modules = require('bullmq/dist/cjs/scripts') as Record<
    string,
    { name: string; keys: number; content: string }
  >
  const texts = new Map<string, BullText>()
  for (const { name, keys, content } of Object.values(modules))
    texts.set(name, { name, keys, text: content })
  return texts
}

/** Version of the bullmq that is installed. */
export function installedVersion(): string {
  return (require('bullmq/package.json') as { version: string }).version
}

/** What is pinned of a script: its number of keys and its text. */
export function checksum(script: Pick<BullText, 'keys' | 'text'>): string {
  return createHash('sha256').update(`${script.keys}\n${script.text}`).digest('hex').slice(0, 16)
}
