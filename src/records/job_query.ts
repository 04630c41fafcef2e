import { InvalidInputException } from '../errors.ts'
import { isStatus, STATUSES, type JobStatus } from '../statuses.ts'
import { strangerIn } from '../strangers.ts'
import { decodeCursor, type Position } from './query/cursor.ts'
import { readMoment, readZone, shorten } from './query/moments.ts'

export const SORTS = ['created', 'status', 'progress', 'duration'] as const
export type Sort = (typeof SORTS)[number]

export const DIRECTIONS = ['asc', 'desc'] as const
export type Direction = (typeof DIRECTIONS)[number]

/** Most values of one filter, and letters of one value. */
const MOST_VALUES = 50
export const LONGEST_VALUE = 255
const LARGEST_PAGE = 200

const LISTS = {
  status: 'statuses',
  type: 'types',
  queue: 'queues',
  user: 'users',
  tag: 'tags',
  host: 'hosts',
} as const

type ListField = (typeof LISTS)[keyof typeof LISTS]

/** What `with` may change. Moments are epoch milliseconds, or texts as in an address. */
export type JobQueryChanges = {
  statuses?: readonly JobStatus[]
  types?: readonly string[]
  queues?: readonly string[]
  users?: readonly string[]
  tags?: readonly string[]
  hosts?: readonly string[]
  from?: number | string | null
  to?: number | string | null
  zone?: string
  q?: string
  sort?: Sort
  direction?: Direction
  cursor?: string | null
  limit?: number
}

type Params = Record<string, string | string[]>

/**
 * Which jobs, in which order, and which page of them: one immutable value that the page, the JSON, the command and the
 * stream share.
 *
 * Values within one filter are alternatives, filters restrict each other. Names are compared as they are, or without case
 * where no such name exists; `*` in a name stands for anything and is the only wildcard. `q` finds jobs whose id begins
 * with it, whose BullMQ id it is, or whose user it names, also as `user:42`.
 */
export class JobQuery {
  /** Names of the parameters that `from` takes; anything else is refused. */
  static readonly PARAMS = [
    'q',
    'status',
    'type',
    'queue',
    'user',
    'tag',
    'host',
    'from',
    'to',
    'tz',
    'sort',
    'direction',
    'cursor',
    'limit',
  ] as const

  readonly statuses: readonly JobStatus[]
  readonly types: readonly string[]
  readonly queues: readonly string[]
  readonly users: readonly string[]
  readonly tags: readonly string[]
  readonly hosts: readonly string[]
  /** Created at this moment or later; epoch milliseconds. */
  readonly from: number | null
  /** Created before this moment; epoch milliseconds. */
  readonly to: number | null
  /** IANA zone in which days and bare moments were read. */
  readonly zone: string
  readonly q: string
  readonly sort: Sort
  readonly direction: Direction
  readonly cursor: string | null
  /** Jobs a page, 1 to 200. */
  readonly limit: number
  /** What the cursor says; null on the first page. */
  readonly position: Position | null

  /** The ends of the range as they were written, for addresses and form fields. */
  readonly #given: { from: string; to: string }
  readonly #now: number

  private constructor(params: Params, now: number) {
    const one = (name: string) => single(params, name)
    const lists = Object.fromEntries(
      Object.entries(LISTS).map(([name, field]) => [field, list(params, name)])
    ) as Record<ListField, string[]>
    this.statuses = Object.freeze(readStatuses(lists.statuses))
    this.types = Object.freeze(lists.types)
    this.queues = Object.freeze(lists.queues)
    this.users = Object.freeze(lists.users)
    this.tags = Object.freeze(lists.tags)
    this.hosts = Object.freeze(lists.hosts)
    this.q = readSearch(one('q').trim())
    this.zone = one('tz') ? readZone(one('tz'), 'tz') : 'UTC'
    this.#given = { from: one('from'), to: one('to') }
    this.#now = now
    const { from, to } = this.#given
    this.from = from ? readMoment(from, 'from', this.zone, now).at : null
    this.to = to ? readEnd(to, this.zone, now) : null
    if (this.from !== null && this.to !== null && this.from >= this.to) {
      throw new InvalidInputException(
        `The range from "${shorten(from)}" to "${shorten(to)}" is empty: "to" must lie after "from"`,
        'to'
      )
    }
    this.sort = choice(one('sort') || 'created', SORTS, 'sort')
    this.direction = choice(one('direction') || 'desc', DIRECTIONS, 'direction')
    this.limit = readLimit(one('limit'))
    this.cursor = one('cursor') || null
    this.position = this.cursor ? decodeCursor(this.cursor, this.sort, this.direction) : null
    Object.freeze(this)
  }

  /**
   * Reads parameters of an address, a form or a command; each may be a text, a number or a list of them, and an empty one
   * counts as absent. `now` is what `2h` (ago) is counted from; default: the present. Throws InvalidInputException (422)
   * naming parameter, value and remedy.
   */
  static from(params: Record<string, unknown> = {}, now: number = Date.now()): JobQuery {
    const clean: Params = {}
    const stranger = strangerIn(params, JobQuery.PARAMS)
    if (stranger !== undefined) {
      throw new InvalidInputException(
        `No filter is called "${shorten(stranger)}": there are ${JobQuery.PARAMS.join(', ')}`,
        stranger.slice(0, 60)
      )
    }
    for (const [name, value] of Object.entries(params)) {
      const texts = (Array.isArray(value) ? value : [value]).filter(
        (item) => item !== undefined && item !== null
      )
      clean[name] = texts.map((item) => readText(item, name)).filter((text) => text !== '')
    }
    return new JobQuery(clean, now)
  }

  /**
   * The same query with something changed. A change begins again at the first page unless it gives a cursor.
   */
  with(changes: JobQueryChanges): JobQuery {
    const params: Params = { ...this.toParams(), cursor: changes.cursor ?? [] }
    for (const [name, field] of Object.entries(LISTS)) {
      const values = changes[field]
      if (values) params[name] = values.map(String)
    }
    const range = { from: changes.from, to: changes.to }
    for (const [name, value] of Object.entries(range)) {
      if (value === undefined) continue
      params[name] =
        value === null ? [] : typeof value === 'number' ? new Date(value).toISOString() : value
    }
    if (changes.zone !== undefined) params.tz = changes.zone
    if (changes.q !== undefined) params.q = changes.q
    if (changes.sort !== undefined) params.sort = changes.sort
    if (changes.direction !== undefined) params.direction = changes.direction
    if (changes.limit !== undefined) params.limit = String(changes.limit)
    return JobQuery.from(params, this.#now)
  }

  /**
   * The parameters that `from` reads back to this query, without those that stand at their default. Ranges are as the
   * person wrote them, so that `2h` goes on meaning the last two hours.
   */
  toParams(): Params {
    const params: Params = {}
    if (this.q) params.q = this.q
    for (const [name, field] of Object.entries(LISTS)) {
      if (this[field].length > 0) params[name] = [...this[field]]
    }
    if (this.#given.from) params.from = this.#given.from
    if (this.#given.to) params.to = this.#given.to
    if (this.zone !== 'UTC') params.tz = this.zone
    if (this.sort !== 'created') params.sort = this.sort
    if (this.direction !== 'desc') params.direction = this.direction
    if (this.cursor) params.cursor = this.cursor
    if (this.limit !== 50) params.limit = String(this.limit)
    return params
  }

  /** Whether anything but order and page is asked for. */
  get isFiltered(): boolean {
    return (
      this.q !== '' ||
      this.from !== null ||
      this.to !== null ||
      Object.values(LISTS).some((field) => this[field].length > 0)
    )
  }
}

function readText(value: unknown, name: string): string {
  if (typeof value !== 'string' && typeof value !== 'number') {
    throw new InvalidInputException(`"${name}" must be a text or a list of texts`, name)
  }
  const text = String(value)
  if (text.length > LONGEST_VALUE) {
    throw new InvalidInputException(
      `"${name}" has ${text.length} letters ("${shorten(text)}"); at most ${LONGEST_VALUE} are allowed`,
      name
    )
  }
  // No name in the records holds NUL, and PostgreSQL refuses it even in a question.
  if (text.includes('\0')) {
    throw new InvalidInputException(`"${name}" holds the character U+0000: remove it`, name)
  }
  return text.toWellFormed()
}

function list(params: Params, name: string): string[] {
  const values = [...new Set([params[name] ?? []].flat())]
  if (values.length <= MOST_VALUES) return values
  throw new InvalidInputException(
    `"${name}" has ${values.length} values; at most ${MOST_VALUES} are allowed: use "*" to name many at once`,
    name
  )
}

/** Filters of their own, for which other tools have words in the search. */
const FILTER_WORD = /^-?(status|type|queue|tag|host|from|to|sort|limit)\s*:/i

/** What no filter knows. */
const OTHER_WORD =
  /^-?(id|created|duration|attempts|error|data(?:\.[^\s:]{1,60})?|user(?=\s*:\s*$))\s*:/i

/** Searched for as an id or a user it would find nothing, and look as if there were no such jobs. */
function readSearch(q: string): string {
  const filter = FILTER_WORD.exec(q)?.[1].toLowerCase()
  if (filter !== undefined) {
    const option = filter === 'host' ? '' : `, --${filter}=... for queue:jobs`
    throw new InvalidInputException(
      `"${shorten(q)}" is no id and no user, which is what the search finds: choose the filter "${filter}" instead (${filter}=... in an address${option})`,
      'q'
    )
  }
  const other = OTHER_WORD.exec(q)?.[1]
  if (other !== undefined) {
    throw new InvalidInputException(
      `"${shorten(q)}" cannot be searched for: the search finds the beginning of an id, or a user. Give it without "${shorten(other)}:"; the filters are ${Object.keys(LISTS).join(', ')}, from and to`,
      'q'
    )
  }
  return q
}

function single(params: Params, name: string): string {
  const values = [params[name] ?? []].flat()
  if (values.length <= 1) return values[0] ?? ''
  throw new InvalidInputException(
    `"${name}" is given ${values.length} times ("${shorten(values.join('", "'))}"): give it once`,
    name
  )
}

/** Several statuses may also stand in one value: `failed,cancelled`. */
function readStatuses(values: string[]): JobStatus[] {
  const statuses = [
    ...new Set(
      values.flatMap((value) => value.split(',')).map((value) => value.trim().toLowerCase())
    ),
  ]
  for (const status of statuses) {
    if (!isStatus(status)) choice(status, STATUSES, 'status')
  }
  return statuses as JobStatus[]
}

function choice<T extends string>(value: string, known: readonly T[], name: string): T {
  if ((known as readonly string[]).includes(value)) return value as T
  throw new InvalidInputException(
    `"${shorten(value)}" is no value of "${name}": choose one of ${known.join(', ')}`,
    name
  )
}

function readEnd(text: string, zone: string, now: number): number {
  const { at, isDay, nextDay } = readMoment(text, 'to', zone, now)
  return isDay ? nextDay : at
}

function readLimit(text: string): number {
  if (text === '') return 50
  const limit = Number(text)
  if (/^\d{1,4}$/.test(text) && limit >= 1 && limit <= LARGEST_PAGE) return limit
  throw new InvalidInputException(
    `"${shorten(text)}" is no page size: give a whole number from 1 to ${LARGEST_PAGE} as "limit"`,
    'limit'
  )
}
