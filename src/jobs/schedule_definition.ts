import { readTiming } from '../cron/timing.ts'
import { readZone } from '../cron/zone.ts'
import { toMilliseconds } from '../durations.ts'
import { InvalidInputException } from '../errors.ts'
import {
  MISSED,
  type Missed,
  OVERLAPS,
  type Overlap,
  type ScheduleDefinition,
  type ScheduleJobOptions,
} from '../schedule_types.ts'
import type { Duration, ResolvedConfig } from '../types.ts'
import type { JobClass } from './job.ts'
import { assertFewTags, joinTags } from './names.ts'
import { resolveDispatchOptions } from './options.ts'
import { assertPayload, assertPayloadSize, validatePayload, writePayload } from './payload.ts'
import type { JobRegistry } from './registry.ts'
import { shown, shownWithKind } from '../shown.ts'

/**
 * What a schedule may say of its jobs: the words of a dispatch.
 */
export type ScheduleOptions = {
  queue?: string
  priority?: number
  attempts?: number
  timeout?: Duration
  user?: string | number
  tags?: string[]
}

/**
 * A schedule as code, a form or a program says it; not checked yet.
 */
export type ScheduleInput = {
  name?: unknown
  type?: JobClass | string
  payload?: unknown
  /** Instead of it: its JSON, whose digits stay as they are. */
  payloadText?: string
  options?: ScheduleOptions
  cron?: unknown
  zone?: unknown
  every?: unknown
  overlap?: unknown
  missed?: unknown
}

const OPTIONS = ['queue', 'priority', 'attempts', 'timeout', 'user', 'tags']

/**
 * Checks a schedule completely: name, moments, type and payload.
 *
 * @throws InvalidInputException naming the field, E_UNKNOWN_TYPE, E_PAYLOAD_INVALID, E_PAYLOAD_NOT_SERIALISABLE, E_PAYLOAD_TOO_LARGE,
 *   E_INVALID_OPTION, E_INVALID_DURATION
 */
export async function defineSchedule(
  { registry, config }: { registry: JobRegistry; config: ResolvedConfig },
  input: ScheduleInput
): Promise<ScheduleDefinition> {
  const name = checkScheduleName(input.name)
  const moments = readMoments(input, name)
  if (input.type === undefined || input.type === '') {
    throw new InvalidInputException(`The schedule "${name}" says no job type`, 'type')
  }
  if (typeof input.type !== 'string' && typeof input.type !== 'function') {
    throw new InvalidInputException(
      `"type" must be the name of a registered job type, not ${shownWithKind(input.type, 60)}`,
      'type'
    )
  }
  const definition = await registry.find(input.type)
  const payload = readPayload(definition.name, input, config.payloadLimit)
  if (definition.validator !== undefined) {
    await validatePayload(definition.name, definition.validator, JSON.parse(payload))
  }
  const { queue, ...options } = readOptions(input.options ?? {})
  assertFewTags(joinTags(definition.options.tags, options.tags))
  return {
    name,
    type: definition.name,
    payload,
    queue: queue ?? definition.options.queue ?? config.defaultQueue,
    options,
    ...moments,
    overlap: oneOf(input.overlap, OVERLAPS, 'overlap') as Overlap,
    missed: oneOf(input.missed, MISSED, 'missed') as Missed,
  }
}

/** @throws InvalidInputException */
export function checkScheduleName(name: unknown): string {
  if (typeof name === 'string' && /^(?=\S)[^\p{Cc}\p{Cs}]{1,100}(?<=\S)$/u.test(name)) return name
  throw new InvalidInputException(
    'The name of a schedule must have 1 to 100 characters, without control characters and without spaces around it',
    'name'
  )
}

/** When it is due: an expression with its zone, or an interval. */
export function readMoments(
  input: Pick<ScheduleInput, 'cron' | 'zone' | 'every'>,
  name = ''
): Pick<ScheduleDefinition, 'cron' | 'zone' | 'every'> {
  /** Null is what a schedule lacks, as answers say it. */
  const [cron, zone, every] = [input.cron, input.zone, input.every].map((one) => one ?? undefined)
  if ((cron === undefined) === (every === undefined)) {
    const which = name === '' ? 'A schedule' : `The schedule "${name}"`
    throw new InvalidInputException(
      `${which} needs either a cron expression or an interval ("every")`,
      'cron'
    )
  }
  if (every !== undefined) {
    if (zone !== undefined) {
      throw new InvalidInputException('An interval has no time zone: leave it out', 'zone')
    }
    readTiming({ every: every as Duration })
    return { cron: null, zone: null, every: toMilliseconds(every as Duration, 'every') }
  }
  const inZone = readZone(zone ?? 'UTC')
  readTiming({ cron: cron as string, zone: inZone })
  return { cron: (cron as string).trim().replace(/\s+/g, ' '), zone: inZone, every: null }
}

function readPayload(type: string, { payload, payloadText }: ScheduleInput, limit: number): string {
  if (payloadText === undefined) return writePayload(type, payload, limit)
  assertPayloadSize(type, payloadText, limit)
  assertPayload(type, JSON.parse(payloadText))
  return payloadText
}

function readOptions(options: ScheduleOptions): ScheduleJobOptions & { queue?: string } {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new InvalidInputException('"options" must be an object', 'options')
  }
  for (const key of Object.keys(options)) {
    if (!OPTIONS.includes(key)) {
      throw new InvalidInputException(
        `"options.${key.slice(0, 60)}" is not known. Remove it or use one of: ${OPTIONS.join(', ')}`,
        'options'
      )
    }
  }
  const { queue, priority, attempts, timeout, user, tags } = resolveDispatchOptions(options)
  /** In one order, so that equal ones are equal as text. */
  return {
    ...(queue === undefined ? {} : { queue }),
    ...(priority === undefined ? {} : { priority }),
    ...(attempts === undefined ? {} : { attempts }),
    ...(timeout === undefined ? {} : { timeout }),
    ...(user === undefined ? {} : { user }),
    ...(tags === undefined || tags.length === 0 ? {} : { tags }),
  }
}

function oneOf(value: unknown, known: readonly string[], field: string): string {
  if (value === undefined) return known[0]
  if (known.includes(value as string)) return value as string
  throw new InvalidInputException(
    `"${field}" must be ${known.map((word) => `"${word}"`).join(' or ')}, not "${shown(value, 60)}"`,
    field
  )
}
