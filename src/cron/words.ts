import type { Field, Fields } from './fields.ts'

const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
]
const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']

/** More moments of a day than this are not named one by one. */
const MOST_TIMES = 6

/** More often than this a schedule says so before it is saved, ms. */
const OFTEN = 10_000

const UNITS: [word: string, milliseconds: number][] = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1_000],
  ['millisecond', 1],
]

/**
 * When an expression is due, in words: `At 06:00 on Friday, Saturday and Sunday`.
 */
export function cronWords(fields: Fields): string {
  const times = timeWords(fields)
  const days = dayWords(fields)
  const isOften = times.startsWith('Every') || fields['hour'].any
  return days === '' ? (isOften ? times : `${times} every day`) : `${times} ${days}`
}

/** `1 hour 30 minutes`; a single unit without its one: `hour`. */
export function durationWords(milliseconds: number): string {
  const parts: [number, string][] = []
  let left = milliseconds
  for (const [word, length] of UNITS) {
    const count = Math.floor(left / length)
    left -= count * length
    if (count > 0) parts.push([count, word])
  }
  if (parts.length === 1 && parts[0][0] === 1) return parts[0][1]
  return parts.map(([count, word]) => `${count} ${word}${count === 1 ? '' : 's'}`).join(' ')
}

/** The warning about a schedule that is due every so many milliseconds. */
export function oftenWords(milliseconds: number): string | null {
  if (milliseconds >= OFTEN) return null
  const aDay = Math.floor(86_400_000 / milliseconds)
  const every = milliseconds === 1_000 ? 'second' : durationWords(milliseconds)
  return `It is due every ${every}: ${aDay.toLocaleString('en-US')} jobs a day`
}

function timeWords({ second, minute, hour }: Fields): string {
  if (second.values.length > 1 || (second.values[0] !== 0 && isMany(minute, hour))) {
    return `${secondWords(second)}${inside(minute, hour)}`
  }
  if (!isMany(minute, hour)) {
    const times = hour.values.flatMap((h) =>
      minute.values.map((m) => clock(h, m, second.values[0]))
    )
    return `At ${list(times)}`
  }
  if (minute.any) return `Every minute${hoursWords(hour)}`
  if (minute.every !== null && minute.every > 1) {
    const isEven = 60 % minute.every === 0
    return `Every ${minute.every} minutes${isEven ? '' : ' from each full hour'}${hoursWords(hour)}`
  }
  if (hour.any && minute.values.length === 1 && minute.values[0] === 0) return 'Every hour'
  const which = minute.values.length === 1 ? 'minute' : 'minutes'
  const of = hour.any ? ' of every hour' : stepWords(hour, ' of') || ` of ${hourNames(hour)}`
  return `At ${which} ${ranges(minute.values)}${of}`
}

/** Too many moments of a day to name them. */
function isMany(minute: Field, hour: Field): boolean {
  return hour.any || minute.any || minute.values.length * hour.values.length > MOST_TIMES
}

function secondWords(second: Field): string {
  if (second.any) return 'Every second'
  if (second.every !== null && second.every > 1) return `Every ${second.every} seconds`
  return `At ${second.values.length === 1 ? 'second' : 'seconds'} ${ranges(second.values)}`
}

/** Within which minutes and hours seconds count. */
function inside(minute: Field, hour: Field): string {
  const every =
    minute.every !== null && minute.every > 1 ? ` of every ${ordinal(minute.every)} minute` : ''
  const which = minute.values.length === 1 ? 'minute' : 'minutes'
  const minutes = minute.any ? '' : every || ` of ${which} ${ranges(minute.values)}`
  const hours = hour.any && minutes !== '' && every === '' ? ' of every hour' : hoursWords(hour)
  return `${minutes}${hours}`
}

function hoursWords(hour: Field): string {
  if (hour.any) return ''
  return stepWords(hour, ' in') || ` in ${hourNames(hour)}`
}

function stepWords(hour: Field, word: string): string {
  if (hour.every === null || hour.every === 1) return ''
  return `${word} every ${ordinal(hour.every)} hour`
}

function hourNames({ values }: Field): string {
  return values.length === 1 ? `hour ${values[0]}` : `hours ${ranges(values)}`
}

function dayWords(fields: Fields): string {
  const months = fields['month']
  const days = fields['day of month']
  const weekdays = fields['day of week']
  const among = months.any ? '' : list(runs(months.values, (month) => MONTHS[month - 1]))
  const ofMonths = among === '' ? 'every month' : among
  const inMonths = among === '' ? '' : ` in ${among}`
  const ofMonth = days.any ? '' : `on ${monthDays(days)} of ${ofMonths}`
  const ofWeek = weekdays.any ? '' : `${weekDays(weekdays)}${inMonths}`
  if (ofMonth && ofWeek) return `${ofMonth} or ${ofWeek}`
  if (ofMonth || ofWeek) return ofMonth || ofWeek
  return among === '' ? '' : `every day in ${among}`
}

function monthDays({ values, last, every }: Field): string {
  if (every !== null && every > 1) return `every ${ordinal(every)} day, from the 1st,`
  const named = runs(values, ordinal)
  return `the ${list(last ? [...named, 'last day'] : named)}`
}

function weekDays({ values, nth }: Field): string {
  /** Monday first: Sunday ends the week that people speak of. */
  const sorted = values.map((day) => (day === 0 ? 7 : day)).sort((one, other) => one - other)
  const once = nth.map(
    ([day, which]) => `the ${which === 'last' ? 'last' : ordinal(which)} ${DAYS[day]} of the month`
  )
  const named = runs(sorted, (day) => DAYS[day % 7])
  const isRange = named.length === 1 && sorted.length > 1 && once.length === 0
  return `${isRange ? 'from' : 'on'} ${list([...named, ...once])}`
}

/** Consecutive values from four on as one range. */
function runs(values: number[], name: (value: number) => string): string[] {
  const named: string[] = []
  for (let at = 0; at < values.length;) {
    let end = at
    while (values[end + 1] === values[end] + 1) end++
    if (end - at >= 3) named.push(`${name(values[at])} to ${name(values[end])}`)
    else named.push(...values.slice(at, end + 1).map(name))
    at = end + 1
  }
  return named
}

function ranges(values: number[]): string {
  return list(runs(values, String))
}

function list(words: string[]): string {
  return words.length < 2 ? words.join() : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`
}

function clock(hour: number, minute: number, second: number): string {
  const parts = second === 0 ? [hour, minute] : [hour, minute, second]
  return parts.map((part) => String(part).padStart(2, '0')).join(':')
}

function ordinal(value: number): string {
  const tail = value % 100
  const ending = tail > 10 && tail < 14 ? 'th' : (['th', 'st', 'nd', 'rd'][value % 10] ?? 'th')
  return `${value}${ending}`
}
