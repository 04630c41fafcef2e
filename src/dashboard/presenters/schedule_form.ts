import { InvalidInputException } from '../../errors.ts'
import type { ScheduleInput, ScheduleOptions } from '../../jobs/schedule_definition.ts'
import { writePayload } from '../../jobs/payload.ts'
import type { Schedule } from '../../schedule_types.ts'
import { joinJson, splitJson } from '../redaction/json_text.ts'
import { restoreSecrets } from '../redaction/restore.ts'
import type { SecretKeys } from '../redaction/secret_keys.ts'
import type { DashboardUrls } from '../urls.ts'
import type { ShownPayload } from './schedule_payload.ts'

const TEXTS = [
  ...['name', 'type', 'cron', 'zone', 'every', 'payload', 'overlap', 'missed'],
  ...['queue', 'priority', 'attempts', 'timeout', 'user'],
] as const

type FormField =
  | 'name'
  | 'type'
  | 'cron'
  | 'zone'
  | 'every'
  | 'payload'
  | 'overlap'
  | 'missed'
  | 'queue'
  | 'priority'
  | 'attempts'
  | 'timeout'
  | 'user'

/** What the form sends. */
export const SCHEDULE_FIELDS: readonly string[] = [...TEXTS, 'confirmed']

/** What a program may send. */
export const SCHEDULE_MEMBERS: readonly string[] = [
  ...['name', 'type', 'payload', 'options', 'cron', 'zone', 'every', 'overlap', 'missed'],
]

export type ScheduleForm = {
  isNew: boolean
  url: string
  backUrl: string
  values: Record<FormField, string>
  /** `code`: nothing but a pause is possible. */
  locked: boolean
  /** Its payload is not shown and stays, and so does its type. */
  sensitive: boolean
  confirmed: boolean
  /** What has to be confirmed before it is saved. */
  mustConfirm: string | null
  error: { field: string; text: string } | null
}

/** A schedule that is changed, its payload as it was shown, and the keys that hide secrets. */
type Stored = { schedule: Schedule; shown: ShownPayload; keys: SecretKeys }

const EMPTY = Object.fromEntries(TEXTS.map((name) => [name, ''])) as ScheduleForm['values']

/** @param zone  of the viewer */
export function emptyForm(urls: DashboardUrls, zone: string): ScheduleForm {
  return {
    ...{ isNew: true, locked: false, sensitive: false, confirmed: false },
    ...{ mustConfirm: null, error: null },
    url: urls.schedules(),
    backUrl: urls.schedules(),
    values: { ...EMPTY, zone, payload: '{}', overlap: 'skip', missed: 'skip' },
  }
}

export function formOf(
  { schedule, shown }: Omit<Stored, 'keys'>,
  urls: DashboardUrls
): ScheduleForm {
  const { name, type, queue, cron, zone, every, overlap, missed, options } = schedule
  const text = (value: unknown) => (value === undefined || value === null ? '' : String(value))
  return {
    ...emptyForm(urls, 'UTC'),
    isNew: false,
    locked: schedule.origin === 'code',
    sensitive: shown.sensitive,
    url: urls.scheduleAction(schedule.id, 'edit'),
    backUrl: urls.schedule(schedule.id),
    values: {
      ...{ name, type, queue, overlap, missed },
      payload: shown.text,
      cron: text(cron),
      zone: text(zone),
      every: every === null ? '' : `${every}ms`,
      priority: text(options.priority),
      attempts: text(options.attempts),
      timeout: options.timeout === undefined ? '' : `${options.timeout}ms`,
      user: text(options.user),
    },
  }
}

/** The form as it was sent, to show it again. */
export function typedForm(
  body: Record<string, unknown>,
  stored: Stored | null,
  urls: DashboardUrls
): ScheduleForm {
  const texts = textsOf(body)
  const form = stored === null ? emptyForm(urls, 'UTC') : formOf(stored, urls)
  return {
    ...form,
    values: { ...texts, name: stored?.schedule.name ?? texts.name },
    confirmed: body.confirmed === 'true',
  }
}

/**
 * What a form says.
 *
 * @param stored null for a new one; of another, secrets that were left alone come back, and so do the tags, which the form does not show
 * @throws InvalidInputException
 */
export function readForm(body: Record<string, unknown>, stored: Stored | null): ScheduleInput {
  const { name, type, cron, zone, every, payload, overlap, missed, ...texts } = textsOf(body)
  const json = stored === null ? payload : payloadBehind(payload, type, stored)
  const tags = stored?.schedule.options.tags
  const options: ScheduleOptions = {
    ...(texts.queue === '' ? {} : { queue: texts.queue }),
    ...(texts.priority === '' ? {} : { priority: numberOf(texts.priority) }),
    ...(texts.attempts === '' ? {} : { attempts: numberOf(texts.attempts) }),
    ...(texts.timeout === '' ? {} : { timeout: texts.timeout }),
    ...(texts.user === '' ? {} : { user: texts.user }),
    ...(tags === undefined ? {} : { tags }),
  }
  return {
    ...{ name, type, options },
    ...(overlap === '' ? {} : { overlap }),
    ...(missed === '' ? {} : { missed }),
    ...payloadOf(json),
    ...(cron === '' ? {} : { cron }),
    ...(zone === '' || cron === '' ? {} : { zone }),
    ...(every === '' ? {} : { every }),
  }
}

/**
 * What a program says; of a change, what it leaves out stays as it was, and so do secrets that it sends back as they were shown.
 *
 * @param stored as for forms
 * @param limit of a payload, bytes
 * @throws InvalidInputException where the name would change
 */
export function readJson(
  body: Record<string, unknown>,
  stored: Stored | null,
  limit: number
): ScheduleInput {
  const { payload, ...input } = body as ScheduleInput
  if (stored === null) return body
  const { schedule } = stored
  if (input.name !== undefined && input.name !== schedule.name) {
    throw new InvalidInputException('The name of a schedule stays: make another one', 'name')
  }
  const { type, queue, options, overlap, missed } = schedule
  const given = payload === undefined ? null : writePayload(type, payload, limit)
  return {
    ...{ type, overlap, missed },
    ...momentsBefore(input, schedule),
    ...input,
    payloadText: payloadBehind(given, input.type ?? type, stored),
    options: besideQueue(queue, input.options === undefined ? options : input.options),
  }
}

/**
 * The payload that a change means.
 *
 * @param text null where it stays
 * @throws InvalidInputException where nothing of it is shown, and somebody means another one, or a type whose jobs would show it
 */
function payloadBehind(
  text: string | null,
  type: unknown,
  { schedule, shown, keys }: Stored
): string {
  const { payload } = schedule
  if (!shown.sensitive) {
    return text === null ? payload : restoreSecrets(text, shown.text, payload, keys)
  }
  const hidden = 'The payload of sensitive jobs is not shown'
  if (type !== schedule.type) {
    throw new InvalidInputException(`${hidden}, and would be with another type`, 'type')
  }
  if (text !== null && text.trim() !== shown.text) {
    throw new InvalidInputException(`${hidden} and cannot be edited: leave it as it is`, 'payload')
  }
  return payload
}

/** Answers tell the queue beside the options: whoever sends changed ones back does not mean another queue. */
function besideQueue(queue: string, options: ScheduleOptions): ScheduleOptions {
  return Array.isArray(options) || typeof options !== 'object' ? options : { queue, ...options }
}

/** Another expression is one of the zone that the schedule has. */
function momentsBefore(input: ScheduleInput, { cron, zone, every }: Schedule): ScheduleInput {
  if ((input.every ?? null) !== null) return {}
  if ((input.cron ?? null) !== null) return cron === null ? {} : { zone }
  return cron === null ? { every } : { cron, zone }
}

function textsOf(body: Record<string, unknown>): ScheduleForm['values'] {
  return Object.fromEntries(
    TEXTS.map((name) => {
      const value = body[name]
      const text = typeof value === 'string' ? value : ''
      return [name, name === 'payload' ? text : text.trim()]
    })
  ) as ScheduleForm['values']
}

function numberOf(text: string): number {
  return /^\d{1,9}$/.test(text) ? Number(text) : (text as unknown as number)
}

/** As it was typed, without the spaces: numbers may have more digits than ours hold. */
function payloadOf(json: string): Pick<ScheduleInput, 'payloadText'> {
  if (json.trim() === '') return {}
  try {
    JSON.parse(json)
    return { payloadText: joinJson(splitJson(json)!) }
  } catch (error) {
    throw new InvalidInputException(
      `The payload is no JSON: ${(error as Error).message}`,
      'payload'
    )
  }
}
