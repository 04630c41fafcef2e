import { ALL_STATUSES, NAME_COLUMNS, type FilterPart, type NameField } from './filter.ts'
import { sql, type Order, type Sql } from './sql.ts'

/** A job found, with its sort key (`seq` last). */
export type Found = { seq: number; key: number[] }

/**
 * An index read in its own order: one range for each combination of the values in `lists`, each in the order of `keys`.
 */
export type Walk = {
  /** Alias `j` is jobs; tags repeat status and moment, so they are walked like an index of jobs. */
  table: 'queuedeck_jobs' | 'queuedeck_tags'
  index: string | null
  lists: { column: string; values: number[] }[]
  keys: string[]
  /** Condition that comes with the index: a partial one is usable with it only. */
  extra: Sql | null
  /** The lowest first key that is read. */
  least: number | null
  /** Parts of the filter that the ranges answer. */
  answers: FilterPart[]
  /** Most entries of one job: it may have so many of the tags. */
  times: number
  /** The index has another order than `keys`, so all of it has to be read. */
  isLoose: boolean
}

/**
 * Where on a walk to read: behind `after`, up to and including `until`. Keys as in `Walk.keys`. `size`: how many entries of a
 * walk of one range that are, if that is known.
 */
export type Stretch = { after: number[] | null; until: number[] | null; size?: number }

/** More ranges than this are not merged one by one. */
export const MOST_RANGES = 64

const INDEX = 'queuedeck_jobs_'
const CREATED = ['created_at', 'seq']

function jobs(index: string, keys: string[], rest: Partial<Walk> = {}): Walk {
  return {
    table: 'queuedeck_jobs',
    index: INDEX + index,
    lists: [],
    keys,
    extra: null,
    least: null,
    answers: [],
    times: 1,
    isLoose: false,
    ...rest,
  }
}

/** Newest or oldest first, among everything. */
export function byCreated(): Walk {
  return jobs('created', CREATED, { answers: ['time'] })
}

/** Newest or oldest first, by status. */
export function byStatus(statuses: number[]): Walk {
  return jobs('status', CREATED, {
    lists: [{ column: 'status', values: statuses }],
    answers: ['status', 'time'],
  })
}

/** Newest or oldest first, by one of the name filters and status. */
export function byName(
  field: NameField,
  ids: number[],
  statuses: readonly number[] = ALL_STATUSES
): Walk {
  return jobs(field, CREATED, {
    lists: [
      { column: NAME_COLUMNS[field], values: ids },
      { column: 'status', values: [...statuses] },
    ],
    answers: [field, 'status', 'time'],
  })
}

/** Newest or oldest first, by tag and status. */
export function byTag(tags: number[], statuses: readonly number[] = ALL_STATUSES): Walk {
  return {
    table: 'queuedeck_tags',
    index: null,
    lists: [
      { column: 'tag_id', values: tags },
      { column: 'status', values: [...statuses] },
    ],
    keys: CREATED,
    extra: null,
    least: null,
    answers: ['tag', 'status', 'time'],
    times: tags.length,
    isLoose: false,
  }
}

/** By duration among those that have one; of some types only, where these are named. */
export function byDuration(types: number[] | null): Walk {
  if (!types) return jobs('duration', ['duration', 'seq'], { least: 0 })
  return jobs('type_duration', ['duration', 'seq'], {
    least: 0,
    lists: [{ column: 'type_id', values: types }],
    answers: ['type'],
  })
}

/** Those without a duration, in the order of their coming. */
export function withoutDuration(types: number[] | null): Walk {
  const none = { column: 'duration', values: [-1] }
  if (!types) return jobs('duration', ['seq'], { lists: [none] })
  return jobs('type_duration', ['seq'], {
    lists: [{ column: 'type_id', values: types }, none],
    answers: ['type'],
  })
}

/** By progress among those that are not completed. */
export function byProgress(completed: number): Walk {
  return jobs('progress', ['progress', 'created_at', 'seq'], {
    extra: sql(`progress < ${completed}`),
  })
}

/** Those whose ids a condition names, in no order of use: only good while they are few enough to be sorted. */
export function byIds(condition: Sql): Walk {
  return jobs('id', CREATED, { extra: condition, isLoose: true })
}

/** How many ranges it consists of. */
export function widthOf(walk: Walk): number {
  return walk.lists.reduce((ranges, { values }) => ranges * values.length, 1)
}

export function isBefore(one: readonly number[], other: readonly number[], order: Order): boolean {
  const at = one.findIndex((value, index) => value !== other[index])
  if (at === -1) return false
  return order === 'desc' ? one[at] > other[at] : one[at] < other[at]
}
