import { format, inspect } from 'node:util'
import type { LogLevel } from '../types.ts'
import type { JobContext } from './job_context.ts'

/**
 * A log line as pino takes it: text with `%s`, `%d`, `%o` and values, or an object first.
 */
type LogArguments = [message: unknown, ...values: unknown[]]

/**
 * `this.log` of a job: every line goes to the application's logger, with the job's id and type, and into the job's own log.
 */
export class JobLogger {
  #context: JobContext
  #bindings: { jobId: string; jobType: string; attempt: number }

  constructor(context: JobContext) {
    this.#context = context
    this.#bindings = {
      jobId: context.job.id,
      jobType: context.job.type,
      attempt: context.job.attempt,
    }
  }

  trace(...line: LogArguments): void {
    this.#write('trace', line)
  }

  debug(...line: LogArguments): void {
    this.#write('debug', line)
  }

  info(...line: LogArguments): void {
    this.#write('info', line)
  }

  warn(...line: LogArguments): void {
    this.#write('warn', line)
  }

  error(...line: LogArguments): void {
    this.#write('error', line)
  }

  fatal(...line: LogArguments): void {
    this.#write('fatal', line)
  }

  #write(level: LogLevel, line: LogArguments): void {
    const text = toLine(line)
    this.#context.logger[level](this.#bindings, text)
    this.#context.log(level, text)
  }
}

/**
 * One line of text from what was logged. Never throws: a value that cannot be shown must not fail the job that logs it.
 */
function toLine([first, ...values]: LogArguments): string {
  try {
    if (typeof first === 'string') {
      return format(first, ...values)
    }
    const message = values.length > 0 ? format(...(values as [unknown])) : ''
    const stack = first instanceof Error ? first.stack : undefined
    const shown =
      typeof stack === 'string' ? stack : inspect(first, { depth: 4, breakLength: Infinity })
    return message === '' ? shown : `${message} ${shown}`
  } catch {
    return '(a value that cannot be shown)'
  }
}
