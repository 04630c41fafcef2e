import { UnrecoverableError, type WorkerOptions } from 'bullmq'
import type { JobStatus } from '../../../src/statuses.ts'
import { uuidV7 } from '../../../src/jobs/uuid.ts'
import type { NewTransportJob } from '../../../src/transport/types.ts'
import type { Lab, Tools } from '../../functional/mirror/lab.ts'

export const QUEUES = ['alpha', 'beta', 'gamma', 'delta ü']

/** What jobs do, most of them the first. */
const KINDS = [
  ...['plain', 'plain', 'plain', 'plain', 'retried', 'retried later', 'fails', 'delayed', 'urgent'],
  ...[
    'cancelled waiting',
    'cancelled running',
    'removed',
    'large',
    'restarted',
    'hostile',
    'added again',
  ],
] as const

export type Kind = (typeof KINDS)[number]

export type LoggedAttempt = {
  run: number
  attempt: number
  startedAt: number
  endedAt: number
  outcome: 'completed' | 'failed' | 'cancelled'
  error: string | null
}

/**
 * What one job really did, noted where it was done: by its code, by whoever dispatched, cancelled, removed or restarted it.
 */
export type LoggedJob = {
  kind: Kind
  job: NewTransportJob
  /** What the producer's clock said of its first life. */
  createdAt: number
  dispatchedAt: number
  run: number
  attempts: LoggedAttempt[]
  /** Stages that Redis accepted, of all runs. */
  stages: string[]
  lines: string[]
  percent: number
  result: string | null
  /** What was answered to whoever ended it from outside. */
  ending: { status: JobStatus; error: string | null } | null
  /** How its first run ended, once there is a second. */
  firstEnding: JobStatus | null
  /** Everything that happened, in order, in the words of the timeline. */
  kinds: string[]
}

const text = (length: number) => 'Ω"\\\n'.repeat(Math.ceil(length / 4)).slice(0, length)

/**
 * Jobs of many kinds over four queues, run for real, with a log of what they did that owes nothing to the mirror.
 */
export class Workload {
  readonly log = new Map<string, LoggedJob>()

  /** Redis may lose jobs under their hands: what is answered then is noted, not asserted. */
  isForgiving = false

  #lab: Lab
  #made = 0
  #open = 0
  #restarts = 0

  constructor(lab: Lab) {
    this.#lab = lab
  }

  get made(): number {
    return this.#made
  }

  /** Jobs that have not ended. */
  get open(): number {
    return this.#open
  }

  /** Whether a job that failed is still to be restarted. */
  async isRestarting(): Promise<boolean> {
    const { keys } = this.#lab.transport
    const pipeline = this.#lab.redis.pipeline()
    for (const { kind, run, job } of this.log.values()) {
      if (kind === 'restarted' && run === 1)
        pipeline.zscore(`${keys.queue(job.queue)}failed`, job.id)
    }
    const answers = (await pipeline.exec()) ?? []
    return this.#restarts > 0 || answers.some(([error, score]) => error !== null || score !== null)
  }

  /**
   * Workers for all queues.
   */
  work(concurrency = 25, options: Partial<WorkerOptions> = {}): void {
    for (const queue of QUEUES) {
      const worker = this.#lab.worker(queue, (tools) => this.#execute(tools), {
        ...options,
        concurrency,
      })
      worker.on('failed', (job, error) => {
        if (job && job.finishedOn !== undefined) void this.#failed(job.id!, error)
      })
    }
  }

  /**
   * Dispatches so many jobs at once, and does to some of them what their kind says.
   */
  async dispatch(count: number): Promise<void> {
    const logged: LoggedJob[] = []
    for (let index = 0; index < count; index++) logged.push(this.#plan(this.#made++))
    this.#open += count
    for (const entry of logged) this.log.set(entry.job.id, entry)
    await this.#lab.transport.add(logged.map(({ job }) => job))
    for (const entry of logged) {
      if (entry.kind === 'cancelled waiting') await this.#cancel(entry)
      if (entry.kind === 'removed') await this.#remove(entry)
      if (entry.kind === 'added again') await this.#addAgain(entry)
    }
  }

  #plan(number: number): LoggedJob {
    const kind = KINDS[number % KINDS.length]
    const opts: Partial<NewTransportJob['opts']> = {
      qd: { user: `user ${number % 50}`, tags: [`tag ${number % 7}`], by: 'the test' },
    }
    let data: unknown = { number }
    if (kind === 'retried') opts.attempts = 3
    if (kind === 'retried later')
      Object.assign(opts, { attempts: 2, backoff: { type: 'fixed', delay: 150 } })
    if (kind === 'fails') opts.attempts = 2
    if (kind === 'delayed') opts.delay = 200
    if (kind === 'urgent') opts.priority = 1 + (number % 9)
    if (kind === 'cancelled waiting' || kind === 'removed' || kind === 'added again') {
      opts.delay = 3_600_000
    }
    if (kind === 'large') data = { number, text: text(number % 32 === 12 ? 70_000 : 5_000) }
    if (kind === 'hostile') data = { number, text: '\u0000\ud800<script>\'";--\u2028😀\\u0000' }
    const job = this.#lab.job(QUEUES[number % QUEUES.length], opts, {
      id: uuidV7(),
      name: `test.${kind}`,
      data: JSON.stringify(data),
    })
    return {
      kind,
      job,
      createdAt: job.opts.timestamp!,
      dispatchedAt: Date.now(),
      run: 1,
      attempts: [],
      stages: [],
      lines: [],
      percent: 0,
      result: null,
      ending: null,
      firstEnding: null,
      kinds: opts.delay ? ['added', 'scheduled'] : ['added'],
    }
  }

  async #execute({ job, attempt, progress, log }: Tools): Promise<unknown> {
    const entry = this.log.get(job.id!)!
    const { kind } = entry
    const startedAt = Date.now()
    const ended = (outcome: LoggedAttempt['outcome'], error: string | null = null) => {
      entry.attempts.push({
        run: entry.run,
        attempt,
        startedAt,
        endedAt: Date.now(),
        outcome,
        error,
      })
    }
    if (kind === 'delayed') entry.kinds.push('pending')
    entry.kinds.push('running')
    const stage = async (percent: number, name: string) => {
      if (!(await progress(percent, name))) throw new Error(`Progress of ${job.id} was refused`)
      entry.percent = percent
      if (entry.stages.at(-1) !== name) entry.kinds.push('stage')
      entry.stages.push(name)
    }
    const fail = (message: string): never => {
      ended('failed', message)
      entry.kinds.push('attempt failed')
      throw new Error(message)
    }

    switch (kind) {
      case 'retried':
        if (attempt < 3) {
          await stage(attempt * 10, `try ${attempt}`)
          try {
            return fail(`try ${attempt} failed`)
          } finally {
            entry.kinds.push('pending')
          }
        }
        break
      case 'retried later':
        if (attempt < 2) {
          try {
            return fail('[E_LATER] not yet')
          } finally {
            entry.kinds.push('scheduled', 'pending')
          }
        }
        break
      case 'fails':
        if (attempt < 2) {
          try {
            return fail('first')
          } finally {
            entry.kinds.push('pending')
          }
        }
        ended('failed', '[E_END] last\nline two')
        entry.ending = { status: 'failed', error: '[E_END] last\nline two' }
        throw new Error('[E_END] last\nline two')
      case 'restarted':
        if (entry.run === 1) {
          ended('failed', 'run one')
          /** Unless it is restarted, as nearly always. */
          entry.ending = { status: 'failed', error: 'run one' }
          throw new UnrecoverableError('run one')
        }
        break
      case 'cancelled running': {
        await stage(30, 'before')
        const reason = `no more of ${job.id!.slice(-4)}`
        const answer = await this.#lab.transport.cancel(job.queueName, job.id!, {
          by: 'ann',
          reason,
        })
        this.#expect(answer.outcome === 'requested', `cancel answered ${answer.outcome}`)
        entry.kinds.push('cancelled')
        await log('stopping')
        entry.lines.push('stopping')
        ended('cancelled', '[CANCELLED] by ann')
        entry.kinds.push('stopped')
        entry.ending = { status: 'cancelled', error: reason }
        throw new UnrecoverableError('[CANCELLED] by ann')
      }
    }
    await stage(50, 'half')
    await stage(60, 'half')
    const line = `line of ${job.id} 😀`
    await log(line)
    entry.lines.push(line)
    await stage(80, 'nearly')
    const result = {
      of: job.id,
      text: kind === 'large' ? text(job.data.number % 32 === 12 ? 80_000 : 3_000) : '',
    }
    entry.result = JSON.stringify(result)
    entry.ending = { status: 'completed', error: null }
    ended('completed')
    entry.kinds.push('completed')
    this.#open--
    return result
  }

  async #failed(id: string, error: Error): Promise<void> {
    const entry = this.log.get(id)!
    if (entry.kind === 'cancelled running') {
      /** Redis was away when it was to be cancelled. */
      entry.ending ??= { status: 'failed', error: error.message }
      this.#open--
      return
    }
    entry.kinds.push('failed')
    if (entry.kind === 'restarted' && entry.run === 1) {
      entry.kinds.push('restarted')
      entry.run = 2
      entry.firstEnding = 'failed'
      const { queue } = entry.job
      this.#restarts++
      const answer = await this.#lab.transport
        .restart(queue, id, { by: 'bob', job: entry.job, run: 2, recordedRun: async () => 1 })
        .catch((reason: Error) => {
          /** Redis died under it; if it took the restart all the same, the run tells its own end. */
          if (this.isForgiving) return { outcome: 'unknown' }
          throw reason
        })
        .finally(() => this.#restarts--)
      this.#expect(answer.outcome === 'done', `restart answered ${answer.outcome}`)
      return
    }
    entry.ending = { status: 'failed', error: error.message }
    this.#open--
  }

  async #cancel(entry: LoggedJob): Promise<void> {
    const reason = `not needed ${entry.job.id.slice(-3)}`
    const { outcome } = await this.#lab.transport.cancel(entry.job.queue, entry.job.id, {
      by: 'ann',
      reason,
    })
    this.#expect(outcome === 'done', `cancel answered ${outcome}`)
    entry.kinds.push('cancelled')
    entry.ending = { status: 'cancelled', error: reason }
    this.#open--
  }

  async #remove(entry: LoggedJob): Promise<void> {
    const removed = await this.#lab.queue(entry.job.queue).remove(entry.job.id)
    this.#expect(removed === 1, `remove answered ${removed}`)
    entry.kinds.push('removed')
    entry.ending = { status: 'cancelled', error: 'Removed from its queue' }
    this.#open--
  }

  /** Another job takes over the id of one that was removed: it has a larger payload, and runs. */
  async #addAgain(entry: LoggedJob): Promise<void> {
    await this.#remove(entry)
    /** Dispatched after that end, by the same clock. */
    while (Date.now() <= entry.dispatchedAt + 1) await new Promise(setImmediate)
    this.#open++
    entry.run = 2
    entry.firstEnding = 'cancelled'
    entry.ending = null
    entry.kinds.push('added again')
    const { id, queue, name } = entry.job
    const data = JSON.stringify({ number: -1, text: text(this.#made % 64 < 32 ? 70_000 : 50) })
    entry.job = this.#lab.job(queue, { qd: { user: 'another' } }, { id, name, data })
    await this.#lab.transport.add([entry.job])
  }

  #expect(isSo: boolean, message: string): void {
    if (!isSo && !this.isForgiving) throw new Error(message)
  }
}
