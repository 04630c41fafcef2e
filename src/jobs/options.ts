import { E_INVALID_OPTION } from '../errors.ts'
import type { BackoffOptions, DispatchOptions, Duration, JobOptions } from '../types.ts'
import type { ResolvedBackoff } from './backoff.ts'
import { toMilliseconds } from '../durations.ts'
import type { UniqueOption } from '../transport/types.ts'
import { assertMembers, checkName, checkQueueName, checkTags, checkUser } from './names.ts'
import { isUuid } from '../records/ids.ts'
import { resolveWaitFor, type WaitedFor } from './wait_for.ts'
import type { ScheduleMark } from '../schedule_types.ts'
import { shown, shownWithKind } from '../shown.ts'

/**
 * BullMQ's lowest priority.
 */
export const LAST_PRIORITY = 2_097_151

/**
 * BullMQ orders delayed jobs by `moment * 4096`, which numbers hold exactly up to here: 2039-09-07.
 */
const LATEST_MOMENT = 2 ** 41

const MOST_ATTEMPTS = 10_000

/**
 * What a job class says, checked, with durations in milliseconds.
 */
export type ResolvedJobOptions = {
  queue?: string
  attempts?: number
  backoff?: ResolvedBackoff
  timeout?: number
  priority?: number
  tags?: string[]
  sensitive?: boolean
  isolated?: boolean
}

/**
 * What one dispatch says, checked, with durations in milliseconds. `delay` is counted from the dispatch.
 */
export type ResolvedDispatchOptions = ResolvedJobOptions & {
  delay?: number
  at?: Date
  user?: string
  jobId?: string
  unique?: UniqueOption
  /** At least one. */
  waitFor?: WaitedFor[]
  schedule?: ScheduleMark
}

type Checks = Record<string, (value: never, resolved: ResolvedDispatchOptions) => void>

const SHARED: Checks = {
  queue: (value: unknown, to) => (to.queue = checkQueueName(value)),
  attempts: (value: unknown, to) => (to.attempts = whole(value, 'attempts', 1, MOST_ATTEMPTS)),
  backoff: (value: BackoffOptions | Duration, to) => (to.backoff = resolveBackoff(value)),
  timeout: (value: Duration, to) => (to.timeout = positive(value, 'timeout')),
  priority: (value: unknown, to) => (to.priority = whole(value, 'priority', 0, LAST_PRIORITY)),
  tags: (value: unknown, to) => (to.tags = checkTags(value)),
  sensitive: (value: unknown, to) => (to.sensitive = yesOrNo(value, 'sensitive')),
}

const OF_JOB: Checks = {
  ...SHARED,
  name: (value: unknown) => void checkName(value, 'name'),
  isolated: (value: unknown, to) => (to.isolated = yesOrNo(value, 'isolated')),
}

const OF_DISPATCH: Checks = {
  ...SHARED,
  delay: (value: Duration, to) => (to.delay = toMilliseconds(value, 'delay')),
  at: (value: unknown, to) => (to.at = moment(value)),
  user: (value: unknown, to) => (to.user = checkUser(value)),
  jobId: (value: unknown, to) => (to.jobId = uuid(value)),
  unique: (value: unknown, to) => (to.unique = unique(value)),
  waitFor: (value: never, to) => {
    const list = resolveWaitFor(value)
    if (list.length > 0) to.waitFor = list
  },
}

/**
 * Checks `static options` of a job class.
 *
 * @throws E_INVALID_OPTION, E_INVALID_DURATION
 */
export function resolveJobOptions(options: JobOptions): ResolvedJobOptions {
  return resolve(options, OF_JOB)
}

/**
 * Checks what a dispatch says. Members that are `undefined` count as not given.
 *
 * @throws E_INVALID_OPTION, E_INVALID_DURATION
 */
export function resolveDispatchOptions(options: DispatchOptions): ResolvedDispatchOptions {
  const resolved = resolve(options, OF_DISPATCH)
  if (resolved.delay !== undefined && resolved.at !== undefined) {
    throw new E_INVALID_OPTION(['at', 'excludes "delay": give one of them'])
  }
  return resolved
}

/**
 * How long a job created at `now` has to wait for its time, ms. For a moment that has passed by this process' clock it is 1: whether it
 * has passed Redis decides.
 *
 * @throws E_INVALID_OPTION when it would be due later than BullMQ can order
 */
export function delayOf(options: ResolvedDispatchOptions, now: number): number {
  const delay =
    options.at !== undefined ? Math.max(1, options.at.getTime() - now) : (options.delay ?? 0)
  if (now + delay >= LATEST_MOMENT) {
    throw new E_INVALID_OPTION([
      options.at !== undefined ? 'at' : 'delay',
      `must be due before ${new Date(LATEST_MOMENT).toISOString()}, the last moment that Redis can order exactly`,
    ])
  }
  return delay
}

function resolve(options: object, checks: Checks): ResolvedDispatchOptions {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new E_INVALID_OPTION(['options', 'must be an object'])
  }
  const resolved: ResolvedDispatchOptions = {}
  for (const [key, value] of Object.entries(options)) {
    if (!Object.hasOwn(checks, key)) {
      throw new E_INVALID_OPTION([
        key,
        `is not known; known options: ${Object.keys(checks).join(', ')}`,
      ])
    }
    if (value !== undefined) {
      checks[key](value as never, resolved)
    }
  }
  return resolved
}

function resolveBackoff(value: BackoffOptions | Duration): ResolvedBackoff {
  if (typeof value !== 'object' || value === null) {
    return { type: 'fixed', delay: toMilliseconds(value, 'backoff') }
  }
  for (const key of Object.keys(value)) {
    if (!['type', 'delay', 'max', 'jitter'].includes(key)) {
      throw new E_INVALID_OPTION([
        `backoff.${key}`,
        'is not known; known: type, delay, max, jitter',
      ])
    }
  }
  if (value.type !== 'exponential' && value.type !== 'fixed') {
    throw new E_INVALID_OPTION([
      'backoff.type',
      `must be "exponential" or "fixed", not "${shown(value.type, 100)}"`,
    ])
  }
  const { jitter } = value
  if (jitter !== undefined && !(typeof jitter === 'number' && jitter >= 0 && jitter <= 1)) {
    throw new E_INVALID_OPTION([
      'backoff.jitter',
      `must be a number from 0 to 1, not ${shownWithKind(jitter, 100)}`,
    ])
  }
  return {
    type: value.type,
    delay: toMilliseconds(value.delay, 'backoff.delay'),
    ...(value.max === undefined ? {} : { max: toMilliseconds(value.max, 'backoff.max') }),
    ...(jitter === undefined ? {} : { jitter }),
  }
}

function whole(value: unknown, option: string, least: number, most: number): number {
  if (!Number.isSafeInteger(value) || (value as number) < least || (value as number) > most) {
    throw new E_INVALID_OPTION([
      option,
      `must be a whole number from ${least} to ${most}, not ${shownWithKind(value, 100)}`,
    ])
  }
  return value as number
}

function positive(value: Duration, option: string): number {
  const milliseconds = toMilliseconds(value, option)
  if (milliseconds === 0) {
    throw new E_INVALID_OPTION([option, 'must be longer than 0'])
  }
  return milliseconds
}

function yesOrNo(value: unknown, option: string): boolean {
  if (typeof value !== 'boolean') {
    throw new E_INVALID_OPTION([option, `must be true or false, not ${shownWithKind(value, 100)}`])
  }
  return value
}

function moment(value: unknown): Date {
  if (!(value instanceof Date) || Number.isNaN(value.getTime())) {
    throw new E_INVALID_OPTION(['at', `must be a valid Date, not ${shownWithKind(value, 100)}`])
  }
  /** Redis and the records count moments from 1970 on. */
  return new Date(Math.max(0, value.getTime()))
}

function unique(value: unknown): UniqueOption {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new E_INVALID_OPTION([
      'unique',
      'must be an object such as { key: "invoice:7", until: "finished" }',
    ])
  }
  assertMembers(value, 'unique', ['key', 'until'])
  const { key, until = 'finished' } = value as Record<string, unknown>
  return {
    key: checkUser(key, 'unique.key'),
    until:
      until === 'started' || until === 'finished'
        ? until
        : positive(until as Duration, 'unique.until'),
  }
}

function uuid(value: unknown): string {
  if (typeof value !== 'string' || !isUuid(value.toLowerCase())) {
    throw new E_INVALID_OPTION(['jobId', `must be a UUID, not "${shown(value, 100)}"`])
  }
  return value.toLowerCase()
}
