import { randomUUID } from 'node:crypto'
import { InvalidInputException } from '../../errors.ts'
import type { BulkLedger } from '../../records/bulk.ts'
import {
  BULK_ACTIONS,
  type BulkAction,
  type BulkOperation,
  type NewBulkItem,
} from '../../records/bulk/bulk_rows.ts'
import { isUuid } from '../../records/ids.ts'
import type { Transport } from '../../transport/transport.ts'
import type { Actor, JobView } from '../../types.ts'
import { checkPriority } from '../change_priority.ts'
import type { JobReader } from '../job_lookup.ts'
import { shown } from '../../shown.ts'

/** Jobs that one operation takes. More is refused, never cut. */
export const MOST_JOBS = 1_000

/** Values of one name in a form: what reads forms leaves out silently what is beyond a thousand values in all. */
const MOST_REPEATED = 500

/** What a person or program asks for; not checked yet. */
export type BulkRequest = { action?: unknown; ids?: unknown; priority?: unknown }

/** What is asked for, checked. `priority` is null for all actions but that one. */
export type BulkWish = { action: BulkAction; ids: string[]; priority: number | null }

/**
 * An action on many jobs, begun: one of the processes works on it in the background (`BulkService`), and each job has its own result.
 */
export class BeginBulk {
  constructor(
    private dependencies: {
      reader: Pick<JobReader, 'rowsById'>
      transport: Transport
      bulk: BulkLedger
    }
  ) {}

  /**
   * Rights are those of whoever asks, now: what may not be done is refused here, job by job.
   *
   * @param may  whether this actor may act on a job
   * @throws E_REDIS_UNAVAILABLE, E_DATABASE_UNAVAILABLE: then nothing was begun
   */
  async handle(
    { action, ids, priority }: BulkWish,
    actor: Actor,
    may: (job: JobView) => Promise<boolean>
  ): Promise<BulkOperation> {
    const { transport, bulk } = this.dependencies
    const items = await this.#items(ids, may)
    const createdAt = await transport.connections.produce('nothing was begun', (client) =>
      transport.time(client)
    )
    const id = randomUUID()
    const entry = await transport.trail.begin(
      bulkAct({ id, action, priority, actor, total: ids.length }),
      {
        id,
        outcome: 'requested',
      }
    )
    try {
      await bulk.insert({ id, action, priority, actor, createdAt }, items)
    } catch (error) {
      await transport.trail.end(entry, { outcome: 'failed', reason: (error as Error).message })
      throw error
    }
    return (await bulk.find(id))!
  }

  /** What a confirmation shows: each job, or why nothing can be done to it. */
  async preview(
    ids: string[],
    may: (job: JobView) => Promise<boolean>
  ): Promise<{ id: string; job: JobView | null; refusal: string | null }[]> {
    const rows = await this.dependencies.reader.rowsById(ids)
    const jobs = new Map(rows.map((job) => [job.id, job]))
    return Promise.all(
      ids.map(async (id) => {
        const job = jobs.get(id) ?? null
        if (!job) return { id, job, refusal: 'There is no such job' }
        return { id, job, refusal: (await may(job)) ? null : 'You may not act on this job' }
      })
    )
  }

  async #items(ids: string[], may: (job: JobView) => Promise<boolean>): Promise<NewBulkItem[]> {
    return (await this.preview(ids, may)).map(({ id, job, refusal }) => ({
      jobId: id,
      type: job?.type ?? '',
      run: job?.run ?? 0,
      outcome: refusal === null ? null : 'refused',
      reason: refusal,
    }))
  }
}

/** How the audit has an operation. */
export function bulkAct({
  id,
  action,
  priority,
  actor,
  total,
}: Pick<BulkOperation, 'id' | 'action' | 'priority' | 'actor' | 'total'>) {
  return {
    actor,
    action: 'bulk',
    target: { kind: 'bulk', id },
    detail: { action, jobs: total, ...(priority === null ? {} : { priority }) },
  } as const
}

/**
 * Reads what is asked for. `ids` is a list, or one text with ids between commas, spaces or line breaks; the same id twice counts once.
 *
 * @param isForm  whether it came as a form
 * @throws InvalidInputException naming field, value and remedy
 */
export function readBulkRequest(request: BulkRequest, isForm = false): BulkWish {
  const action = BULK_ACTIONS.find((name) => name === request.action)
  if (!action) {
    throw new InvalidInputException(
      `"action" must be one of ${BULK_ACTIONS.join(', ')}, not "${shown(request.action ?? '', 40)}"`,
      'action'
    )
  }
  if (action !== 'priority' && (request.priority ?? null) !== null) {
    throw new InvalidInputException(
      `"priority" means nothing to "${action}": leave it out, or choose the action "priority"`,
      'priority'
    )
  }
  const ids = readIds(request.ids, isForm)
  const priority = action === 'priority' ? checkPriority(request.priority) : null
  return { action, ids, priority }
}

function readIds(value: unknown, isForm: boolean): string[] {
  const given = valuesOf(value, isForm)
  const ids = [
    ...new Set(given.map((id) => (typeof id === 'string' ? id.trim().toLowerCase() : id))),
  ]
  if (ids.length === 0) {
    throw new InvalidInputException('"ids" is empty: tick jobs, or give a list of ids', 'ids')
  }
  if (ids.length > MOST_JOBS) {
    throw new InvalidInputException(
      `"ids" names ${ids.length} jobs, and one request takes ${MOST_JOBS}: send them in several requests`,
      'ids'
    )
  }
  for (const id of ids) {
    if (typeof id === 'string' && isUuid(id)) continue
    throw new InvalidInputException(
      `"${shown(id, 100)}" in "ids" is not the id of a job: give UUIDs such as 0192f3c4-8d5e-7a61-b2c3-d4e5f6a7b8c9`,
      'ids'
    )
  }
  return ids as string[]
}

/** Readers of forms make lists of repeated names, and objects of long ones. */
function valuesOf(value: unknown, isForm: boolean): unknown[] {
  if (typeof value === 'string') return value.split(/[\s,]+/).filter((part) => part !== '')
  if (typeof value !== 'object' || value === null) return []
  const values = Object.values(value)
  if (isForm && values.length > MOST_REPEATED) {
    throw new InvalidInputException(
      `"ids" is repeated more than ${MOST_REPEATED} times: send one text with commas between the ids, or JSON`,
      'ids'
    )
  }
  return values
}
