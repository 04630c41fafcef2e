import { Buffer } from 'node:buffer'

/** Further in front of its type than this no catalog begins. */
const FURTHEST = 2_000

/** A file that names more catalogs than this, from its end on, was made to do harm. */
const MOST = 20

const BEGINNING = /(\d{1,10})\s{1,9}(\d{1,5})\s{1,9}obj\b(?![\s\S]*\bendobj\b)/
const TYPE = /\/Type\s{0,9}$/
const END = 'endobj'

/**
 * A file that was cut behind its objects, inside of its table or in front of it, with a trailer that names the last catalog in it; null
 * where it holds none. The objects are then found without the table.
 */
export function withCatalogNamed(bytes: Uint8Array): Uint8Array | null {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const end = file.lastIndexOf(END) + END.length
  let at = file.length
  for (let found = 0; at > 0 && found < MOST; found++) {
    at = file.lastIndexOf('/Catalog', at - 1)
    if (at === -1) break
    const before = file.toString('latin1', Math.max(0, at - FURTHEST), at)
    const [, number, generation] = BEGINNING.exec(before) ?? []
    if (!TYPE.test(before) || number === undefined || at > end) continue
    const trailer = `\ntrailer\n<< /Root ${number} ${generation} R >>\nstartxref\n0\n%%EOF\n`
    return Buffer.concat([file.subarray(0, end), Buffer.from(trailer)])
  }
  return null
}
