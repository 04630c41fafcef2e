import { cutText } from '../../cut_text.ts'
import { InvalidInputException } from '../../errors.ts'
import { zoneOffset } from '../../time/zone_offset.ts'

const DATE = /^(\d{4})-(\d{2})-(\d{2})$/
const LOCAL = /^(\d{4})-(\d{2})-(\d{2})[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,3})\d*)?)?$/
const ABSOLUTE = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})$/i
const AGO = /^(\d{1,6}) ?(s|m|min|h|d|w)$/
const UNITS: Record<string, number> = {
  s: 1000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
}

/** A day is a day of the zone; everything else is one moment. */
export type ReadMoment = { at: number; isDay: boolean; nextDay: number }

/**
 * Reads what a person or program may write as one end of a time range: `2026-11-01` (that day in `zone`),
 * `2026-11-01T21:00` (a moment in `zone`), the same with `Z` or `+01:00`, `2h`, `30m`, `7d` (that long before `now`), or `now`.
 * Throws InvalidInputException naming `field` for anything else.
 */
export function readMoment(text: string, field: string, zone: string, now: number): ReadMoment {
  const value = text.trim()
  const ago = AGO.exec(value)
  /** Nothing was made before, and years without four digits cannot be read again. */
  if (ago) return moment(Math.max(0, now - Number(ago[1]) * UNITS[ago[2]]))
  if (/^now$/i.test(value)) return moment(now)
  if (ABSOLUTE.test(value)) {
    const at = Date.parse(value.replace(' ', 'T'))
    if (Number.isFinite(at) && isRealDay(value)) return moment(at)
  }
  const day = DATE.exec(value)
  if (day && isRealDay(value)) {
    const [year, month, date] = day.slice(1).map(Number)
    const at = inZone(Date.UTC(year, month - 1, date), zone)
    return { at, isDay: true, nextDay: inZone(Date.UTC(year, month - 1, date + 1), zone) }
  }
  const local = LOCAL.exec(value)
  if (
    local &&
    isRealDay(value) &&
    Number(local[4]) < 24 &&
    Number(local[5]) < 60 &&
    Number(local[6] ?? 0) < 60
  ) {
    const [year, month, date, hour, minute, second] = local
      .slice(1, 7)
      .map((part) => Number(part ?? 0))
    const milliseconds = Number((local[7] ?? '0').padEnd(3, '0'))
    return moment(inZone(Date.UTC(year, month - 1, date, hour, minute, second, milliseconds), zone))
  }
  throw new InvalidInputException(
    `Cannot read "${shorten(text)}" as the moment of "${field}": write a day such as 2026-11-01, a moment such as 2026-11-01T21:00 or 2026-11-01T21:00:00Z, or how long ago such as 2h or 7d`,
    field
  )
}

/**
 * Checks the name of a time zone and hands it back as it was given. Throws InvalidInputException for one that it does not know.
 */
export function readZone(text: string, field: string): string {
  try {
    new Intl.DateTimeFormat('en', { timeZone: text })
    return text
  } catch {
    throw new InvalidInputException(
      `No time zone is called "${shorten(text)}": give a name such as UTC, Europe/Berlin or Asia/Kolkata`,
      field
    )
  }
}

/**
 * A text from outside as an error message may repeat it.
 */
export function shorten(text: string): string {
  return cutText(text, 60)
}

function moment(at: number): ReadMoment {
  return { at, isDay: false, nextDay: at }
}

/** Refuses 31 April and 29 February of most years, which `Date` would move to the next month, and the year 50, its 1950. */
function isRealDay(value: string): boolean {
  const [year, month, date] = value.slice(0, 10).split('-').map(Number)
  const day = new Date(Date.UTC(year, month - 1, date))
  return (
    day.getUTCFullYear() === year && day.getUTCMonth() === month - 1 && day.getUTCDate() === date
  )
}

/**
 * The moment at which clocks of `zone` show what UTC clocks show at `wall`. In the hour that a change of clocks skips it is
 * the moment of the change or later; in the one that comes twice, the first.
 */
function inZone(wall: number, zone: string): number {
  if (zone === 'UTC') return wall
  const before = zoneOffset(wall - 86_400_000, zone)
  const after = zoneOffset(wall + 86_400_000, zone)
  const candidates = [wall - before, wall - after]
    .filter((at) => at + zoneOffset(at, zone) === wall)
    .sort((one, other) => one - other)
  return candidates[0] ?? wall - before
}
