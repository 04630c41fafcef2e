import { randomFillSync } from 'node:crypto'

/**
 * Random bytes are drawn for many ids at once: one draw costs as much as the rest of a hundred ids.
 */
const pool = Buffer.allocUnsafe(10 * 512)
let used = pool.length

let lastMilliseconds = 0
let counter = 0

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/**
 * A UUID of version 7 (RFC 9562, section 5.7, method 1): 48 bits of Unix milliseconds, then a counter of 12 bits that makes
 * ids of one process strictly growing within a millisecond, then 62 random bits. Lower case.
 */
export function uuidV7(now: number = Date.now()): string {
  if (used + 10 > pool.length) {
    randomFillSync(pool)
    used = 0
  }
  const random = pool.subarray(used, used + 10)
  used += 10

  if (now > lastMilliseconds) {
    lastMilliseconds = now
    /** The counter starts in its lower half, so that it has room to grow. */
    counter = ((random[8] << 8) | random[9]) & 0x7ff
  } else {
    counter++
    if (counter > 0xfff) {
      /** More ids than the counter holds: borrow the next millisecond, as the RFC allows. */
      lastMilliseconds++
      counter = 0
    }
  }

  const high = Math.floor(lastMilliseconds / 65_536)
  const low = lastMilliseconds % 65_536

  return (
    high.toString(16).padStart(8, '0') +
    '-' +
    low.toString(16).padStart(4, '0') +
    '-7' +
    counter.toString(16).padStart(3, '0') +
    '-' +
    HEX[(random[0] & 0x3f) | 0x80] +
    HEX[random[1]] +
    '-' +
    HEX[random[2]] +
    HEX[random[3]] +
    HEX[random[4]] +
    HEX[random[5]] +
    HEX[random[6]] +
    HEX[random[7]]
  )
}
