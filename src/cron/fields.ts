import { cutText } from '../cut_text.ts'
import { InvalidInputException } from '../errors.ts'

/** The fields of an expression, in their order; five-field expressions have no seconds. */
export const FIELDS = ['second', 'minute', 'hour', 'day of month', 'month', 'day of week'] as const

export type FieldName = (typeof FIELDS)[number]

/**
 * What one field says. `values` are sorted; days of the week are 0 (Sunday) to 6.
 */
export type Field = {
  name: FieldName
  values: number[]
  /** It is `*`: nothing is asked of it. */
  any: boolean
  /** It holds `*` or a step. */
  stepped: boolean
  /** The step of a field that is `*` and a step, and nothing else. */
  every: number | null
  /** The last day of the month (`L`). */
  last: boolean
  /** Days of the week that count once a month: `[5, 2]` is the second Friday, `[5, 'last']` the last. */
  nth: [day: number, nth: number | 'last'][]
  /** As croner takes it. */
  text: string
}

export type Fields = Record<FieldName, Field>

const RANGES: Record<FieldName, [least: number, most: number]> = {
  'second': [0, 59],
  'minute': [0, 59],
  'hour': [0, 23],
  'day of month': [1, 31],
  'month': [1, 12],
  /** 7 is Sunday too. */
  'day of week': [0, 7],
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']

const NICKNAMES: Record<string, string> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
}

/** Longest days of each month, from January. */
const LONGEST = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

const LONGEST_TEXT = 250

/**
 * Reads a cron expression of five or six fields, or a nickname such as `@hourly`.
 *
 * @throws InvalidInputException with the field `cron`, naming the part that is wrong and the remedy
 */
export function readFields(expression: unknown): Fields {
  if (typeof expression !== 'string' || expression.trim() === '') {
    throw refused('The cron expression must be a text such as "0 3 * * *"')
  }
  const text = expression.trim().toLowerCase()
  if (text.length > LONGEST_TEXT) {
    throw refused(
      `The cron expression has ${text.length} characters; at most ${LONGEST_TEXT} are read`
    )
  }
  if (text.startsWith('@') && !Object.hasOwn(NICKNAMES, text)) {
    throw refused(
      `"${cutText(text, 40)}" is not known; known: ${Object.keys(NICKNAMES).join(', ')}. For other intervals use "every"`
    )
  }
  const parts = (Object.hasOwn(NICKNAMES, text) ? NICKNAMES[text] : text).split(/\s+/)
  if (parts.length !== 5 && parts.length !== 6) {
    throw refused(
      `"${cutText(expression.trim(), 80)}" has ${parts.length} ${parts.length === 1 ? 'field' : 'fields'}; give five (minute, hour, day of month, month, day of week), or six with the second in front`
    )
  }
  const all = parts.length === 6 ? parts : ['0', ...parts]
  const fields = Object.fromEntries(
    FIELDS.map((name, index) => [name, readField(name, all[index])])
  ) as Fields
  assertPossible(fields)
  return fields
}

function readField(name: FieldName, text: string): Field {
  const values = new Set<number>()
  const field: Field = {
    name,
    values: [],
    any: text === '*',
    stepped: false,
    every: null,
    last: false,
    nth: [],
    text: '',
  }
  const read = text.split(',').map((part) => readPart(field, part, values))
  field.values = [...values].sort((one, other) => one - other)
  field.text = read.join(',')
  const [only] = read
  if (read.length === 1 && only.startsWith('*/')) field.every = Number(only.slice(2))
  return field
}

/** Adds what one element of a field's list says; answers it as croner takes it. */
function readPart(field: Field, part: string, values: Set<number>): string {
  const { name } = field
  const special = name === 'day of month' ? readLast(field, part) : readNth(field, part)
  if (special !== undefined) return special
  const [, range, , step] = part.match(/^([^/]*)(\/(.*))?$/s)!
  const [least, most] = RANGES[name]
  const isStepped = part.includes('/')
  let from = least
  let to = name === 'day of week' ? 6 : most
  if (range !== '*') {
    const ends = range.split('-')
    if (ends.length > 2 || ends.includes('')) throw wrongPart(field, part)
    from = readNumber(field, ends[0], part)
    to = ends.length === 1 || ends[1] === ends[0] ? from : readNumber(field, ends[1], part, true)
    if (to < from) {
      throw wrongPart(
        field,
        part,
        `the range ends before it begins: write "${rangeText(from, most === 7 ? 6 : most)},${rangeText(least, to)}"`
      )
    }
    if (isStepped && ends.length === 1) {
      throw wrongPart(
        field,
        part,
        `a step needs "*" or a range: write "${from}-${most === 7 ? 6 : most}/${cutText(step, 10)}"`
      )
    }
  }
  const by = isStepped ? readStep(field, step, part) : 1
  for (let value = from; value <= to; value += by) {
    values.add(name === 'day of week' ? value % 7 : value)
  }
  if (range === '*' || isStepped) field.stepped = true
  const ends = range === '*' ? '*' : rangeText(from, to)
  return isStepped ? `${ends}/${by}` : ends
}

function rangeText(from: number, to: number): string {
  return from === to ? `${from}` : `${from}-${to}`
}

function readLast(field: Field, part: string): string | undefined {
  if (part === 'l') {
    field.last = true
    return 'L'
  }
  if (/w$/.test(part) || part === 'lw') throw withoutW(field, part)
  if (part.startsWith('l')) {
    throw wrongPart(field, part, '"L" stands alone here: the last day of the month')
  }
  return undefined
}

function readNth(field: Field, part: string): string | undefined {
  if (field.name !== 'day of week') {
    if (/^\d+w$/.test(part)) throw withoutW(field, part)
    return undefined
  }
  if (part === 'l' || part === '#') {
    throw wrongPart(field, part, 'say which day: "5L" or "FRIL" is the last Friday of the month')
  }
  const last = part.match(/^([a-z]+|\d+)#?l$/)
  if (last && !DAYS.includes(part)) {
    const day = readNumber(field, last[1], part)
    field.nth.push([day, 'last'])
    return `${day}#L`
  }
  if (!part.includes('#')) {
    return undefined
  }
  const [day, nth, ...rest] = part.split('#')
  if (rest.length > 0 || !/^[1-5]$/.test(nth)) {
    throw wrongPart(field, part, 'after "#" give 1 to 5, or L: "FRI#2" is the second Friday')
  }
  const number = readNumber(field, day, part)
  field.nth.push([number, Number(nth)])
  return `${number}#${nth}`
}

/** @param isEnd of a range: there Sunday is 7, elsewhere 0 */
function readNumber(field: Field, text: string, part: string, isEnd = false): number {
  const [least, most] = RANGES[field.name]
  const names = field.name === 'month' ? MONTHS : field.name === 'day of week' ? DAYS : []
  const place = names.indexOf(text)
  if (place !== -1) {
    if (field.name === 'month') return place + 1
    return place === 0 && isEnd ? 7 : place
  }
  if (!/^\d{1,4}$/.test(text)) throw wrongPart(field, part)
  const value = Number(text)
  if (value < least || value > most) throw wrongPart(field, part)
  return field.name === 'day of week' && !isEnd ? value % 7 : value
}

function readStep(field: Field, text: string, part: string): number {
  const [least, most] = RANGES[field.name]
  const largest = most - least
  const step = /^\d{1,4}$/.test(text) ? Number(text) : 0
  if (step < 1 || step > largest) {
    throw wrongPart(
      field,
      part,
      `a step is a whole number from 1 to ${largest}; for longer intervals use "every"`
    )
  }
  return step
}

/** Refuses days that no month among those asked for has. */
function assertPossible(fields: Fields): void {
  const days = fields['day of month']
  const months = fields['month']
  if (days.any || days.last || !fields['day of week'].any) return
  if (months.values.some((month) => days.values[0] <= LONGEST[month - 1])) return
  const names = months.values.map(
    (month) => MONTHS[month - 1][0].toUpperCase() + MONTHS[month - 1].slice(1)
  )
  throw refused(
    `It can never be due: the day of month is ${days.values.join(', ')}, and no ${names.join(', ')} has one. "L" is the last day of a month`
  )
}

function withoutW(field: Field, part: string): InvalidInputException {
  return wrongPart(field, part, '"W" (the nearest weekday) is not known here')
}

function wrongPart(field: Field, part: string, remedy?: string): InvalidInputException {
  const [least, most] = RANGES[field.name]
  const names =
    field.name === 'month'
      ? ', or JAN to DEC'
      : field.name === 'day of week'
        ? ' (0 and 7 are Sunday), or SUN to SAT'
        : ''
  return refused(
    `The ${field.name} cannot be "${cutText(part, 40)}": ${remedy ?? `give numbers from ${least} to ${most}${names}, as in "1", "1-5", "1,3" or "*/2"`}`
  )
}

function refused(message: string): InvalidInputException {
  return new InvalidInputException(message, 'cron')
}
