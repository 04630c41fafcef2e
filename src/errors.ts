import { createError, Exception } from '@adonisjs/core/exceptions'

/**
 * Something a person or program gave that cannot be used. The message names the value and the remedy.
 */
export class InvalidInputException extends Exception {
  static status = 422
  static code = 'E_INVALID_INPUT'

  constructor(
    message: string,
    public field?: string,
    options?: { code?: string; status?: number }
  ) {
    super(message, options)
  }
}

/**
 * The configuration cannot work as it stands.
 */
export const E_INVALID_CONFIG = createError<[reason: string]>(
  'Invalid config/queuedeck.ts: %s',
  'E_INVALID_CONFIG',
  500
)

export const E_JOB_NAME_TAKEN = createError<[name: string, one: string, other: string]>(
  'Two job classes have the name "%s": %s and %s. Give one of them another name in its static options',
  'E_JOB_NAME_TAKEN',
  500
)

export const E_INVALID_OPTION = createError<[option: string, reason: string]>(
  'Option "%s" %s',
  'E_INVALID_OPTION',
  422
)

export const E_INVALID_DURATION = createError<[value: string, option: string]>(
  'Cannot read "%s" as the duration of "%s": give milliseconds as a number or an expression such as "500ms", "10m", "72h" or "60d"',
  'E_INVALID_DURATION',
  422
)

export const E_UNKNOWN_TYPE = createError<[type: string, known: string]>(
  'No job type "%s" is registered. Known types: %s',
  'E_UNKNOWN_TYPE',
  422
)

export const E_PAYLOAD_INVALID = createError<[type: string, reason: string]>(
  'The payload of "%s" is not valid: %s',
  'E_PAYLOAD_INVALID',
  422
)

export const E_PAYLOAD_NOT_SERIALISABLE = createError<[type: string, reason: string]>(
  'The payload of "%s" cannot be written as JSON: %s',
  'E_PAYLOAD_NOT_SERIALISABLE',
  422
)

export const E_PAYLOAD_TOO_LARGE = createError<[type: string, bytes: number, limit: number]>(
  'The payload of "%s" has %d bytes; at most %d are allowed (payloadLimit). Store the data and pass a reference to it',
  'E_PAYLOAD_TOO_LARGE',
  422
)

export const E_CHECKPOINT_REFUSED = createError<[name: string, reason: string]>(
  'The checkpoint "%s" was not kept: %s',
  'E_CHECKPOINT_REFUSED',
  422
)

export const E_REDIS_UNAVAILABLE = createError<[action: string, reason: string]>(
  'Redis cannot be reached, so %s: %s',
  'E_REDIS_UNAVAILABLE',
  503
)

export const E_DATABASE_UNAVAILABLE = createError<[action: string, reason: string]>(
  'The database cannot be reached, so %s: %s',
  'E_DATABASE_UNAVAILABLE',
  503
)

export const E_MIRROR_BEHIND = createError<[queue: string]>(
  'The mirror is behind in queue "%s": of jobs that Redis no longer knows it is not recorded yet whether they have ended. Try again in a moment',
  'E_MIRROR_BEHIND',
  503
)

export const E_MIGRATIONS_MISSING = createError<[reason: string]>(
  'The tables of Queuedeck are missing (%s): run "node ace migration:run"',
  'E_MIGRATIONS_MISSING',
  503
)

export const E_JOB_NOT_FOUND = createError<[id: string]>(
  'No job "%s" is known',
  'E_JOB_NOT_FOUND',
  404
)

export const E_QUEUE_NOT_FOUND = createError<[name: string]>(
  'No queue "%s" is known: a queue is, once it had a job or a worker',
  'E_QUEUE_NOT_FOUND',
  404
)

export const E_WORKER_NOT_FOUND = createError<[id: string]>(
  'No worker "%s" is registered: it has ended, or was silent for five minutes',
  'E_WORKER_NOT_FOUND',
  404
)

export const E_ALERT_NOT_FOUND = createError<[id: string]>(
  'No alert "%s" is known: alerts that are over are removed after a while (kept.alerts)',
  'E_ALERT_NOT_FOUND',
  404
)

export const E_SCHEDULE_NOT_FOUND = createError<[id: string]>(
  'No schedule "%s" is known: it may have been deleted',
  'E_SCHEDULE_NOT_FOUND',
  404
)

export const E_DUPLICATE_JOB = createError<[id: string]>(
  'A job with the id "%s" exists already',
  'E_DUPLICATE_JOB',
  409
)

export const E_FOREIGN_KEY = createError<[key: string, holds: string, needs: string]>(
  'The job was not dispatched: the key "%s" in Redis holds a %s of another program, where jobs need a %s',
  'E_FOREIGN_KEY',
  503
)

export const E_AWAITED_UNKNOWN = createError<[id: string]>(
  'The job was not dispatched: it would wait for job "%s", which Redis does not know, and of which no record tells how it ended',
  'E_AWAITED_UNKNOWN',
  422
)

export const E_FLOW_CIRCLE = createError<[id: string]>(
  'The jobs were not dispatched: job "%s" would wait for itself, by way of the jobs that it waits for',
  'E_FLOW_CIRCLE',
  422
)

export const E_UNIQUE_KEY_HELD = createError<[id: string]>(
  'The unique key is still held by job "%s", of which there is no record any more: it is free when its time is over',
  'E_UNIQUE_KEY_HELD',
  409
)

export const E_RESULT_TIMEOUT = createError<[id: string, milliseconds: number]>(
  'Job "%s" has not ended within %d ms',
  'E_RESULT_TIMEOUT',
  504
)

export const E_TOO_MANY_STREAMS = createError(
  'This process holds as many streams as it may: the page asks by itself meanwhile',
  'E_TOO_MANY_STREAMS',
  503
)

export const E_CLEANUP_RUNNING = createError(
  'A cleanup is running already: wait for its end, or ask for a dry run',
  'E_CLEANUP_RUNNING',
  409
)

export const E_BULK_NOT_FOUND = createError<[id: string]>(
  'There is no bulk operation %s: it may have been kept long enough',
  'E_BULK_NOT_FOUND',
  404
)

export const E_FORBIDDEN = createError('You may not do this', 'E_FORBIDDEN', 403)

/**
 * Thrown by `handle.result()` when the job ended without a result.
 */
export class JobFailedException extends Exception {
  static status = 500
  static code = 'E_JOB_FAILED'

  constructor(
    message: string,
    public jobId: string,
    public jobStatus: 'failed' | 'cancelled',
    public jobErrorCode: string | null
  ) {
    super(message)
  }
}
