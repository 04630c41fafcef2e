import { zoneOffset } from '../time/zone_offset.ts'

const HOUR = 3_600_000

/** Clocks do not go on and back again within less time than this, ms. */
const STEP = 5 * 24 * HOUR

/**
 * An hour, or another time, that a clock leaves out: `end` is the instant at which it goes on, `from` and `to` are what it would have
 * shown, as if that were UTC.
 */
export type Gap = { end: number; from: number; to: number }

/**
 * When the clocks of a zone go forward.
 */
export class Gaps {
  constructor(private zone: string) {}

  /**
   * The gaps that end after the one and not after the other moment.
   */
  *between(after: number, until: number): Generator<Gap> {
    let from = after
    let shift = zoneOffset(from, this.zone)
    while (from < until) {
      const to = Math.min(from + STEP, until)
      const next = zoneOffset(to, this.zone)
      if (next > shift) {
        const end = this.#change(from, to, shift)
        yield { end, from: end + shift, to: end + next }
      }
      from = to
      shift = next
    }
  }

  /** The first instant at which the clock no longer differs from UTC by so much. */
  #change(from: number, to: number, shift: number): number {
    let [before, since] = [Math.floor(from / 1_000), Math.ceil(to / 1_000)]
    while (since - before > 1) {
      const middle = Math.floor((before + since) / 2)
      if (zoneOffset(middle * 1_000, this.zone) === shift) before = middle
      else since = middle
    }
    return since * 1_000
  }
}
