import { randomBytes } from 'node:crypto'

/**
 * A prefix for keys in the shared Redis that no other test uses.
 */
export function uniquePrefix(): string {
  return `{qd-${randomBytes(4).toString('hex')}}`
}
