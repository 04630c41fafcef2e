import { E_MIRROR_BEHIND } from '../errors.ts'
import { readMark } from '../jobs/schedule_mark.ts'
import { LOST } from '../mirror/comparison.ts'
import { bytesToUuid, recordId } from '../records/ids.ts'
import type { Records } from '../records/records.ts'
import { isTerminal, statusCode } from '../statuses.ts'
import type { NewTransportJob } from '../transport/types.ts'
import type { Actor, JobDetails, JobView } from '../types.ts'
import { ForgottenJobs } from './forgotten_jobs.ts'
import { edgesOf } from './job_edges.ts'
import type { OperationDependencies } from './job_lookup.ts'
import { tellPages } from './queue_answer.ts'
import { forgotten, recordedRun } from './restart_job.ts'
import { dueByOptions, payloadRefusal } from './stored_options.ts'
import { inParts } from '../in_parts.ts'

/** Records that one statement looks through. */
const WINDOW = 20_000

/** Jobs that are read, and asked of Redis, at once. */
const PAGE = 200

/** Refusals that are listed; the others are counted. */
const MOST_REFUSALS = 100

const OPEN = (['pending', 'scheduled', 'blocked', 'running'] as const).map(statusCode)

/** Jobs that Redis lost: how many, in which queues, and the first of them. */
export type LostJobs = {
  count: number
  queues: Record<string, number>
  sample: JobView[]
  /** By queue, jobs that Redis does not know either, but that may have ended: the mirror is behind. */
  behind: Record<string, number>
}

export type EnqueuedLost = {
  enqueued: number
  refused: number
  queues: Record<string, number>
  /** The first refusals, with the reason of each. */
  refusals: { id: string; reason: string }[]
}

type Pass = {
  gone: ForgottenJobs
  refuse(id: string, reason: string): void
  onProgress(): void
}

/**
 * After Redis was emptied, or came back without its newest writes: jobs that had not ended, and of which Redis knows nothing any more,
 * are enqueued again from their records. Each goes on as the next run of the same job; those whose time has not come wait for it.
 */
export class EnqueueLost {
  constructor(private dependencies: OperationDependencies & { records: Pick<Records, 'db'> }) {}

  /**
   * What `handle` would enqueue now; changes nothing.
   *
   * @throws E_REDIS_UNAVAILABLE, E_DATABASE_UNAVAILABLE
   */
  async look(onProgress: () => void = () => {}): Promise<LostJobs> {
    const found: LostJobs = {
      ...{ count: 0, sample: [] },
      ...{ queues: Object.create(null), behind: Object.create(null) },
    }
    for await (const { lost, behind } of this.#lost(new ForgottenJobs(this.dependencies))) {
      for (const { queue } of lost) found.queues[queue] = (found.queues[queue] ?? 0) + 1
      for (const { queue } of behind) found.behind[queue] = (found.behind[queue] ?? 0) + 1
      found.count += lost.length
      found.sample.push(...lost.slice(0, 5 - found.sample.length))
      onProgress()
    }
    return found
  }

  /**
   * @throws E_REDIS_UNAVAILABLE, E_DATABASE_UNAVAILABLE; what was enqueued before stays so, and the next call goes on
   */
  async handle(actor: Actor, onProgress: () => void = () => {}): Promise<EnqueuedLost> {
    const { transport } = this.dependencies
    const target = { kind: 'redis', id: transport.keys.prefix } as const
    const answer = await transport.trail.act(
      { actor, action: 'enqueue_again', target },
      () => this.#enqueueAll(actor, onProgress),
      ({ enqueued, refused }) => ({ detail: { enqueued, refused } })
    )
    await tellPages(transport).catch(() => {})
    return answer
  }

  async #enqueueAll(actor: Actor, onProgress: () => void): Promise<EnqueuedLost> {
    const answer: EnqueuedLost = {
      ...{ enqueued: 0, refused: 0, refusals: [] },
      queues: Object.create(null),
    }
    const refuse: Pass['refuse'] = (id, reason) => {
      answer.refused++
      if (answer.refusals.length < MOST_REFUSALS) answer.refusals.push({ id, reason })
    }
    const now = await this.dependencies.transport.time()
    const gone = new ForgottenJobs(this.dependencies)
    for await (const job of this.#inFlowOrder({ gone, refuse, onProgress })) {
      const refusal = await this.#enqueue(job, { actor, now, gone }).catch((error) => {
        if (error instanceof E_MIRROR_BEHIND) return error.message
        throw error
      })
      if (refusal !== null) {
        refuse(job.id, refusal)
        continue
      }
      answer.enqueued++
      answer.queues[job.queue] = (answer.queues[job.queue] ?? 0) + 1
    }
    return answer
  }

  /** Lost jobs, those that wait for other lost ones after these. */
  async *#inFlowOrder({ gone, refuse, onProgress }: Pass): AsyncGenerator<JobDetails> {
    const { reader } = this.dependencies
    const waiting = new Map<string, string[]>()
    for await (const { lost: jobs, behind } of this.#lost(gone)) {
      for (const { id, queue } of behind) refuse(id, new E_MIRROR_BEHIND([queue]).message)
      const edges = await reader.edges.of(
        'awaited',
        jobs.map(({ id }) => id)
      )
      for (const { waiting: id, awaited } of edges) {
        waiting.set(id, [...(waiting.get(id) ?? []), awaited])
      }
      for (const { id } of jobs) {
        const job = waiting.has(id) ? null : await reader.find(id)
        if (job && isLost(job)) yield job
      }
      onProgress()
    }
    while (waiting.size > 0) {
      const ready = [...waiting].filter(([, awaited]) => !awaited.some((id) => waiting.has(id)))
      /** A circle in what somebody wrote: they go in any order. */
      for (const [id] of ready.length > 0 ? ready : [...waiting]) {
        waiting.delete(id)
        const job = await reader.find(id)
        if (job && isLost(job)) yield job
      }
      onProgress()
    }
  }

  /** Answers why not. */
  async #enqueue(
    job: JobDetails,
    { actor, now, gone }: { actor: Actor; now: number; gone: ForgottenJobs }
  ): Promise<string | null> {
    const refusal = payloadRefusal(job.payload)
    if (refusal !== null) return refusal
    const waits = await edgesOf(this.dependencies, job, { ignoreEnded: false, gone })
    if (waits.length === 0 && waitedForOthers(job))
      return 'It waited for other jobs, which Redis has lost too'
    const due = job.attempts.started === 0 ? dueByOptions(job) : null
    const { outcome, holder } = await this.dependencies.transport.restart(
      job.queue,
      job.transportId,
      {
        by: actor.name ?? actor.id,
        run: job.run + 1,
        job: bySchedule(withoutPassed(forgotten(job), now), job.run + 1),
        due,
        waits,
        recordedRun: recordedRun(this.dependencies, job.id),
      }
    )
    if (outcome === 'done') return null
    if (outcome === 'too_late') return 'Redis knows it again'
    return `Its unique key is held by job ${recordId(holder!.queue, holder!.id)}`
  }

  /** Lost jobs in the order in which their records were made, and those of which nobody can say yet whether they are. */
  async *#lost(gone: ForgottenJobs): AsyncGenerator<{ lost: JobView[]; behind: JobView[] }> {
    const { records, reader } = this.dependencies
    const [{ newest }] = await records.db.all('select max(seq) as newest from queuedeck_jobs')
    for (let from = 0; from < Number(newest ?? 0); from += WINDOW) {
      const rows = await records.db.all(
        `select id from queuedeck_jobs where seq > ? and seq <= ? and stopping = 0 and (status in (${OPEN.join(', ')}) or (status = ${statusCode('failed')} and error_code = ?)) order by seq`,
        [from, from + WINDOW, LOST]
      )
      const ids = rows.map(({ id }) => (typeof id === 'string' ? id : bytesToUuid(id)))
      for (const page of inParts(ids, PAGE)) {
        const found = await gone.among((await reader.rowsById(page)).filter(isLost))
        if (found.forgotten.length + found.behind.length === 0) continue
        yield { lost: found.forgotten.filter(isLost), behind: found.behind }
      }
    }
  }
}

function isLost({ status, error, stopping }: JobView): boolean {
  if (stopping) return false
  return !isTerminal(status) || (status === 'failed' && error?.code === LOST)
}

/** A schedule's run goes on by its policy for overlaps. It is not left out as missed: it was there, and somebody asks for it. */
function bySchedule(job: NewTransportJob, run: number): NewTransportJob {
  const { qd } = job.opts
  const mark = readMark(qd?.schedule)
  if (mark === null) return job
  return {
    ...job,
    opts: { ...job.opts, qd: { ...qd, schedule: { ...mark, run, missed: 'once' } } },
  }
}

/** What it had to itself for a time that is over, another lost job may have had since: neither keeps the other out. */
function withoutPassed(job: NewTransportJob, now: number): NewTransportJob {
  const { timestamp, qd } = job.opts
  const { unique, ...own } = qd ?? {}
  if (typeof unique?.until !== 'number' || timestamp + unique.until > now) return job
  return { ...job, opts: { ...job.opts, qd: own } }
}

/** Parents of another producer's flow: what they waited for does not come any more. */
function waitedForOthers({ status, events, run }: JobDetails): boolean {
  if (status === 'blocked') return true
  const last = events.findLast(({ kind, run: of }) => of === run && kind !== 'lost')
  return status === 'failed' && last?.kind === 'blocked'
}
