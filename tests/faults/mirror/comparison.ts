import { isDeepStrictEqual } from 'node:util'
import type { JobDetails, LogLine } from '../../../src/types.ts'
import type { LoggedJob } from './workload.ts'

/** Clocks are the same, but code starts a moment after its claim and ends a moment before its end is told. */
const SLACK = 10_000

/**
 * Compares one record with what its job really did, field by field.
 *
 * @returns each difference in words, and how many fields were compared
 */
export function differences(
  logged: LoggedJob,
  record: JobDetails | null,
  logs: LogLine[]
): { found: string[]; compared: number } {
  const { job, ending, kind } = logged
  const found: string[] = []
  let compared = 0
  const same = (name: string, actual: unknown, expected: unknown) => {
    compared++
    const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)]
    if (a !== b) found.push(`${job.id} (${kind}) ${name}: ${cut(a)} instead of ${cut(b)}`)
  }
  const within = (name: string, moment: number | null | undefined, from: number, to: number) => {
    compared++
    if (moment === null || moment === undefined || moment < from - 1 || moment > to + 1) {
      found.push(`${job.id} (${kind}) ${name}: ${moment} is not between ${from} and ${to}`)
    }
  }
  if (!record) return { found: [`${job.id} (${kind}) has no record`], compared: 1 }
  if (!ending) return { found: [`${job.id} (${kind}) has not ended`], compared: 1 }

  const last = logged.attempts.filter(({ run }) => run === logged.run)
  const { code, message } = splitError(
    ending.status === 'cancelled' ? `[CANCELLED] ${ending.error}` : ending.error
  )
  same('status', record.status, ending.status)
  same('stopping', record.stopping, false)
  same('queue', record.queue, job.queue)
  same('type', record.type, job.name)
  same('transport id', record.transportId, job.id)
  same('run', record.run, logged.run)
  same('attempts', record.attempts, { started: last.length, max: job.opts.attempts ?? 1 })
  same('priority', record.priority, job.opts.priority ?? 0)
  same('user', record.user, job.opts.qd!.user)
  same('tags', record.tags, job.opts.qd!.tags ?? [])
  same('payload', record.payload, job.data)
  const options = JSON.parse(record.options!)
  /** The moment of the dispatch is kept once, beside the options. */
  const given = plain(job.opts)
  delete given.timestamp
  same('options', isDeepStrictEqual(options, { ...options, ...given }), true)
  same('result', record.result, logged.result)
  same(
    'error',
    record.error && [record.error.code, record.error.message],
    message === null ? null : [code, message]
  )
  same('percent', record.progress.percent, ending.status === 'completed' ? 100 : logged.percent)
  same('stage', record.progress.stage ?? null, logged.stages.at(-1) ?? null)
  same(
    'kinds',
    record.events.map((event) => event.kind),
    logged.kinds
  )
  same(
    'moments in order',
    record.events.every(({ at }, index, all) => index === 0 || at >= all[index - 1].at),
    true
  )
  same(
    'log',
    logs.map(({ line }) => line),
    logged.lines
  )
  same(
    'attempt list',
    record.attemptList.map(({ run, attempt, outcome, error }) => [
      run,
      attempt,
      outcome,
      error?.code ?? null,
      error?.message ?? null,
    ]),
    logged.attempts.map(({ run, attempt, outcome, error }) => {
      const split = splitError(error)
      return [run, attempt, outcome, split.code, split.message]
    })
  )
  same(
    'runs',
    record.runs.map(({ run, status }) => [run, status]),
    logged.run === 2 ? [[1, kind === 'added again' ? 'cancelled' : 'failed']] : []
  )
  same('created', record.createdAt, logged.createdAt)
  if (job.opts.delay) {
    const scheduled = record.events.find((event) => event.kind === 'scheduled')
    const { dueAt } = (scheduled?.detail ?? {}) as { dueAt?: number }
    within(
      'due',
      dueAt,
      logged.createdAt + job.opts.delay,
      logged.createdAt + job.opts.delay + SLACK
    )
  }
  if (last.length > 0) {
    within('started', record.startedAt, last[0].startedAt - SLACK, last[0].startedAt)
    within('finished', record.finishedAt, last.at(-1)!.startedAt, last.at(-1)!.endedAt + SLACK)
  } else {
    same('started', record.startedAt, null)
    within('finished', record.finishedAt, logged.dispatchedAt, logged.dispatchedAt + SLACK)
  }
  for (const [index, attempt] of logged.attempts.entries()) {
    const row = record.attemptList[index]
    if (!row) continue
    within(
      `attempt ${index + 1} started`,
      row.startedAt,
      attempt.startedAt - SLACK,
      attempt.startedAt
    )
    within(
      `attempt ${index + 1} finished`,
      row.finishedAt,
      attempt.endedAt,
      attempt.endedAt + SLACK
    )
    same(`attempt ${index + 1} worker`, row.worker, `lab:${process.pid}:w`)
    if (attempt.error) {
      same(
        `attempt ${index + 1} stack`,
        row.error?.stack?.includes(message === null ? 'Error' : attempt.error.split('\n')[0]) ??
          false,
        true
      )
    }
  }
  return { found, compared }
}

function splitError(text: string | null): { code: string | null; message: string | null } {
  const match = text === null ? null : /^\[([A-Z_]+)\] ([^]*)$/.exec(text)
  return match ? { code: match[1], message: match[2] } : { code: null, message: text }
}

function plain(value: object): Record<string, unknown> {
  return JSON.parse(JSON.stringify(value))
}

function cut(value: string | undefined): string {
  return value === undefined ? 'undefined' : value.length > 160 ? `${value.slice(0, 160)}…` : value
}
