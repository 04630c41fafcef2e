import { readMark } from '../jobs/schedule_mark.ts'
import type { ScheduleMark } from '../schedule_types.ts'
import { readBackoff, type ResolvedBackoff } from '../jobs/backoff.ts'

/**
 * The options in a job's hash, as some producer wrote them.
 */
type StoredOptions = { repeat?: object } & Record<string, unknown>

/**
 * Who asked for the cancellation of a running job: the value of the hash's `cr`.
 */
export type CancelRequest = { at?: number; by?: string | null; reason?: string | null }

/**
 * A job as it was when this worker claimed it. Its lease is `token`, and `attempt` is its fencing number: every later write
 * carries both.
 */
export type ClaimedJob = {
  id: string
  type: string
  /** The payload's JSON, exactly as stored. */
  data: string
  options: StoredOptions
  user: string | null
  tags: string[]
  /** Ms; undefined where the dispatch said nothing. */
  timeout: number | undefined
  /** Undefined where neither the dispatch nor another producer said something that can be used. */
  backoff: ResolvedBackoff | undefined
  token: string
  /** Executions started in this run, this one included. */
  attempt: number
  /** Executions of this run that failed. Lost and handed back ones do not count. */
  attemptsFailed: number
  /** Executions that may fail before the job has failed. */
  attempts: number
  run: number
  /** Epoch ms at which it was claimed. */
  startedAt: number
  /** There when its cancellation was asked for before this claim. */
  cancelRequest: CancelRequest | null
  /** There when it may not run any more: its worker was lost too often. */
  deferredFailure: string | null
  losses: number
  /** The schedule that made it. */
  schedule: ScheduleMark | null
  /** The BullMQ job scheduler of another producer that made it. */
  schedulerId: string | null
}

/**
 * The fields of a job's hash that a claim answers, in this order; the claim gate (transport/scripts/lua/gate.lua) states it too.
 */
export const CLAIM_FIELDS = [
  'name',
  'data',
  'opts',
  'ats',
  'atm',
  'stc',
  'run',
  'cr',
  'defa',
  'rjk',
  'processedOn',
] as const

type ClaimField = (typeof CLAIM_FIELDS)[number]

/**
 * Reads a job as a claim answers it: a value for each of `CLAIM_FIELDS`, null where the hash has none. Other producers write such
 * hashes too, so nothing in it is trusted to be well-formed.
 */
export function readClaim(
  values: readonly (string | null)[],
  id: string,
  token: string
): ClaimedJob {
  const claim: ClaimedJob = {
    id,
    type: '',
    data: '{}',
    options: {},
    user: null,
    tags: [],
    timeout: undefined,
    backoff: undefined,
    token,
    attempt: 1,
    attemptsFailed: 0,
    attempts: 1,
    run: 1,
    startedAt: 0,
    cancelRequest: null,
    deferredFailure: null,
    losses: 0,
    schedule: null,
    schedulerId: null,
  }
  values.forEach((value, index) => {
    if (value !== null) {
      readField(claim, CLAIM_FIELDS[index], value)
    }
  })
  return claim
}

function readField(claim: ClaimedJob, name: ClaimField, value: string): void {
  switch (name) {
    case 'name':
      claim.type = value
      break
    case 'data':
      claim.data = value === '' ? '{}' : value
      break
    case 'opts':
      readOptions(claim, value)
      break
    case 'ats':
      claim.attempt = Number(value)
      break
    case 'atm':
      claim.attemptsFailed = Number(value)
      break
    case 'stc':
      claim.losses = Number(value)
      break
    case 'run':
      claim.run = Number(value)
      break
    case 'processedOn':
      claim.startedAt = Number(value)
      break
    case 'cr':
      claim.cancelRequest = readCancelRequest(value)
      break
    case 'defa':
      claim.deferredFailure = value
      break
    case 'rjk':
      claim.schedulerId = value === '' ? null : value
      break
  }
}

function readOptions(claim: ClaimedJob, json: string): void {
  const options = parseObject(json) as StoredOptions
  /** What our dispatches add to BullMQ's options; durations in ms. */
  const own = (options.qd ?? {}) as Record<string, unknown>
  claim.options = options
  claim.attempts = Math.max(1, Number(options.attempts) || 1)
  claim.user = typeof own.user === 'string' ? own.user : null
  claim.tags = Array.isArray(own.tags) ? own.tags.filter((tag) => typeof tag === 'string') : []
  claim.timeout = typeof own.timeout === 'number' && own.timeout > 0 ? own.timeout : undefined
  claim.schedule = own.schedule === undefined ? null : readMark(own.schedule)
  claim.backoff = readBackoff(options.backoff)
}

/**
 * That a request is there is what counts; who asked may be unreadable.
 */
function readCancelRequest(json: string): CancelRequest {
  return parseObject(json) as CancelRequest
}

function parseObject(json: string): object {
  try {
    const value: unknown = JSON.parse(json)
    return typeof value === 'object' && value !== null ? value : {}
  } catch {
    return {}
  }
}
