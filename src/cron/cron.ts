import { Cron as Croner } from 'croner'
import { type Fields, readFields } from './fields.ts'
import { Gaps } from './gaps.ts'
import type { Timing } from './types.ts'
import { cronWords, oftenWords } from './words.ts'
import { readZone } from './zone.ts'

const LAST_HOUR = 23

/**
 * When a cron expression is due.
 *
 * croner finds the moments; which of them count when clocks change is said here:
 *
 * - a fixed time (no `*` and no step in second, minute and hour) that comes twice is due the first time
 * - with `*` or a step the elapsed time counts: a repeated hour is worked through twice
 * - a moment inside a gap is due once, at the first instant after the gap; only where every hour counts anyway, the next
 *   hour's own moments do
 */
export class Cron implements Timing {
  /** As it was given, in lower case and with single spaces. */
  readonly expression: string

  readonly zone: string

  readonly words: string

  readonly often: string | null

  #engine: Croner

  /** The same moments named one by one, which makes them fixed times: it alone knows those inside a gap. */
  #named: Croner | undefined

  /**
   * For times in the last hour of a day: where a gap ends at midnight, as in Greenland, croner passes over what lies in it. The same fields in
   * UTC find what the clock would have shown.
   */
  #lastHour: { gaps: Gaps; wall: Croner } | undefined

  /** Many schedules share one expression, and ask for the same moment. */
  #newest: { after: number; next: number | null } | undefined

  constructor(expression: string, zone: string = 'UTC') {
    const fields = readFields(expression)
    this.zone = readZone(zone)
    this.expression = expression.trim().replace(/\s+/g, ' ')
    this.words = cronWords(fields)
    this.often = oftenWords(shortest(fields))
    this.#engine = croner(fields, this.zone, ({ text }) => text)
    const { hour } = fields
    const isStepped = [fields['second'], fields['minute'], hour].some(({ stepped }) => stepped)
    if (isStepped && hour.values.length < 24) {
      this.#named = croner(fields, this.zone, ({ values }) => values.join(','))
    }
    if (hour.values.includes(LAST_HOUR) && hour.values.length < 24 && this.zone !== 'UTC') {
      const wall = croner(fields, 'UTC', ({ text }) => text)
      this.#lastHour = { gaps: new Gaps(this.zone), wall }
    }
  }

  next(after: number): number | null {
    if (this.#newest?.after !== after) this.#newest = { after, next: this.#find(after) }
    return this.#newest.next
  }

  #find(after: number): number | null {
    const from = new Date(after)
    const moment = this.#engine.nextRun(from)?.getTime() ?? null
    const named = this.#named?.nextRun(from)?.getTime()
    const found = named === undefined ? moment : Math.min(moment ?? named, named)
    return found === null ? null : (this.#inGap(after, found) ?? found)
  }

  /** The end of a gap before a moment, if something is due in it. */
  #inGap(after: number, before: number): number | undefined {
    if (this.#lastHour === undefined) return undefined
    const { gaps, wall } = this.#lastHour
    for (const { end, from, to } of gaps.between(after, before)) {
      const due = wall.nextRun(new Date(from - 1))?.getTime()
      if (due !== undefined && due < to) return end
    }
    return undefined
  }
}

function croner(fields: Fields, zone: string, clock: (field: Fields['hour']) => string): Croner {
  const pattern = [
    clock(fields['second']),
    clock(fields['minute']),
    clock(fields['hour']),
    fields['day of month'].text,
    fields['month'].text,
    fields['day of week'].text,
  ].join(' ')
  return new Croner(pattern, {
    timezone: zone,
    mode: '6-part',
    fixedTimeRule: 'no-wildcard',
    paused: true,
  })
}

/** Shortest time between two moments of the same minute, or a minute, ms. */
function shortest({ second }: Fields): number {
  const { values } = second
  const gaps = values.map((value, index) => (values[index + 1] ?? values[0] + 60) - value)
  return Math.min(...gaps) * 1_000
}
