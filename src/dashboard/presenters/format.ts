import type { Figure, Moment } from './types.ts'

const COUNT = new Intl.NumberFormat('en-US')

/**
 * A whole number with its thousands grouped: `1,482,906`.
 */
export function count(value: number): string {
  return COUNT.format(value)
}

/**
 * A duration as people read it, never more than two units: `310 ms`, `12.4 s`, `2 min 06 s`, `3 h 12 min`, `4 d 6 h`.
 */
export function duration(milliseconds: number): string {
  return durationFigures(milliseconds)
    .map((figure) => `${figure.value} ${figure.unit}`)
    .join(' ')
}

export function durationFigures(milliseconds: number): Figure[] {
  const ms = Math.max(0, Math.round(milliseconds))
  if (ms < 1_000) return [{ value: String(ms), unit: 'ms' }]
  if (ms < 59_950) return [{ value: (ms / 1_000).toFixed(1), unit: 's' }]
  const seconds = Math.round(ms / 1_000)
  if (seconds < 3_600) return pair(Math.floor(seconds / 60), 'min', seconds % 60, 's')
  const minutes = Math.round(seconds / 60)
  if (minutes < 24 * 60) return pair(Math.floor(minutes / 60), 'h', minutes % 60, 'min')
  const hours = Math.round(minutes / 60)
  return pair(Math.floor(hours / 24), 'd', hours % 24, 'h')
}

function pair(large: number, unit: string, small: number, smallUnit: string): Figure[] {
  const figures = [{ value: count(large), unit }]
  if (small > 0) figures.push({ value: String(small).padStart(2, '0'), unit: smallUnit })
  return figures
}

/**
 * Without decimals and with one unit, for distances in time: `14 s`, `2 min`, `3 h`, `5 d`.
 */
export function roughDuration(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1_000))
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min`
  if (seconds < 48 * 3_600) return `${Math.floor(seconds / 3_600)} h`
  return `${count(Math.floor(seconds / 86_400))} d`
}

export function bytes(value: number): string {
  const figure = bytesFigure(value)
  return `${figure.value} ${figure.unit}`
}

export function bytesFigure(value: number): Figure {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let index = 0
  while (value >= 1_000 && index < units.length - 1) {
    value /= 1_000
    index++
  }
  return {
    value: index === 0 || value >= 100 ? String(Math.round(value)) : value.toFixed(1),
    unit: units[index],
  }
}

/** The last moment that a date can hold; other producers may write any number. */
const LAST_MOMENT = 8_640_000_000_000_000

/** Since 1980 every zone is whole minutes from UTC, so seconds are the same everywhere. */
const WHOLE_MINUTES_SINCE = Date.UTC(1980, 0, 1)

type Parts = { date: string; time: string; milliseconds: string }

/**
 * A moment that a date can hold: the nearest one to what was written.
 */
export function dateOf(at: number): Date {
  return new Date(Math.max(-LAST_MOMENT, Math.min(LAST_MOMENT, at)))
}

/**
 * How far a zone's clocks are ahead, as ISO 8601 writes it: `+02:00`; nothing for UTC itself. Without it the hour that comes twice in autumn
 * cannot be told from its twin.
 */
function aheadOfUtc(milliseconds: number): string {
  const minutes = Math.round(milliseconds / 60_000)
  if (!Number.isFinite(minutes) || minutes === 0) return ''
  const [hour, minute] = [Math.trunc(Math.abs(minutes) / 60), Math.abs(minutes) % 60]
  return `${minutes < 0 ? '-' : '+'}${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`
}

/**
 * Shows moments in one zone, as seen at one instant.
 */
export class Clock {
  static #formats = new Map<string, Intl.DateTimeFormat>()

  #format: Intl.DateTimeFormat
  #today: string
  #minutes = new Map<number, Parts>()

  constructor(
    public readonly zone: string,
    public readonly now: number = Date.now()
  ) {
    this.#format = Clock.#forZone(zone)
    this.#today = this.#parts(now).date
  }

  /**
   * Whether a name is a zone that this machine knows.
   */
  static knows(zone: string): boolean {
    try {
      Clock.#forZone(zone)
      return true
    } catch {
      return false
    }
  }

  static #forZone(zone: string): Intl.DateTimeFormat {
    /** Names of zones are read in any case: without this a visitor could make the map grow without end. */
    const key = zone.toLowerCase()
    let format = this.#formats.get(key)
    if (!format) {
      format = new Intl.DateTimeFormat('en-GB', {
        timeZone: zone,
        hourCycle: 'h23',
        year: 'numeric',
        month: '2-digit',
        day: '2-digit',
        hour: '2-digit',
        minute: '2-digit',
        second: '2-digit',
        fractionalSecondDigits: 3,
      })
      this.#formats.set(key, format)
    }
    return format
  }

  moment(at: number): Moment {
    const { date, time, milliseconds } = this.#parts(at)
    const moment = dateOf(at)
    const ahead = aheadOfUtc(Date.parse(`${date}T${time}.${milliseconds}Z`) - moment.getTime())
    return {
      at,
      iso: moment.toISOString(),
      exact: `${date} ${time}.${milliseconds}${ahead} ${this.zone}`,
      clock: date === this.#today ? time : `${date} ${time}`,
      relative: this.relative(at),
    }
  }

  maybe(at: number | null): Moment | null {
    return at === null ? null : this.moment(at)
  }

  relative(at: number): string {
    const distance = this.now - at
    // Clocks of two hosts differ a little; nothing that has happened is "in 1 s".
    if (distance > -1_000 && distance < 1_000) return 'now'
    return distance > 0 ? `${roughDuration(distance)} ago` : `in ${roughDuration(-distance)}`
  }

  /** For narrow columns: `14:31:18` of today, `11-28 14:31` of another day of this year, `2025-11-28` of an earlier or later one. */
  short(at: number): string {
    const { date, time } = this.#parts(at)
    if (date === this.#today) return time
    return date.slice(0, 4) === this.#today.slice(0, 4)
      ? `${date.slice(5)} ${time.slice(0, 5)}`
      : date
  }

  /** Whether two moments are of one day. */
  isSameDay(one: number, other: number): boolean {
    return this.#parts(one).date === this.#parts(other).date
  }

  /** `14:31` */
  hourAndMinute(at: number): string {
    return this.#parts(at).time.slice(0, 5)
  }

  /** `14:31:18`, or with milliseconds. */
  time(at: number, exact = false): string {
    const { time, milliseconds } = this.#parts(at)
    return exact ? `${time}.${milliseconds}` : time
  }

  /** `2026-11-25` */
  day(at: number): string {
    return this.#parts(at).date
  }

  /**
   * A page shows hundreds of moments, many of the same minutes; asking the platform for each takes several milliseconds.
   */
  #parts(at: number): Parts {
    if (!(at >= WHOLE_MINUTES_SINCE && at <= LAST_MOMENT)) return this.#read(at)
    const minute = Math.floor(at / 60_000)
    let parts = this.#minutes.get(minute)
    if (!parts) {
      parts = this.#read(minute * 60_000)
      this.#minutes.set(minute, parts)
    }
    const rest = Math.floor(at) - minute * 60_000
    return {
      date: parts.date,
      time: parts.time.slice(0, 6) + String(Math.floor(rest / 1_000)).padStart(2, '0'),
      milliseconds: String(rest % 1_000).padStart(3, '0'),
    }
  }

  #read(at: number): Parts {
    const found: Record<string, string> = {}
    for (const { type, value } of this.#format.formatToParts(dateOf(at))) found[type] = value
    return {
      date: `${found.year.padStart(4, '0')}-${found.month}-${found.day}`,
      time: `${found.hour}:${found.minute}:${found.second}`,
      milliseconds: found.fractionalSecond,
    }
  }
}
