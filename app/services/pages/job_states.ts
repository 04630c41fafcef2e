import app from '@adonisjs/core/services/app'
import { JobRecord, NameRecord } from '#queuedeck/models'
import type { JobView } from '#queuedeck/types'

const ENDED = ['completed', 'failed', 'cancelled']

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** Whether a text is the id of a job. */
export function isJobId(value: unknown): value is string {
  return typeof value === 'string' && UUID.test(value)
}

/** Whether it may still change by itself. */
export function isOpen(job: Pick<JobView, 'status' | 'stopping'>): boolean {
  return job.stopping || !ENDED.includes(job.status)
}

/** Jobs by id; what has no record (yet) is missing. */
export async function jobsById(ids: readonly string[]): Promise<Map<string, JobView>> {
  const { reader } = await app.container.make('queuedeck.records')
  return new Map((await reader.rowsById(ids)).map((job) => [job.id, job]))
}

/** The result of a job; null where it has none, or none that can be read. */
export async function resultOf<Result>(id: string): Promise<Result | null> {
  const { reader } = await app.container.make('queuedeck.records')
  return parsed<Result>((await reader.body(id))?.result)
}

/**
 * The newest jobs of a type, with payload and result.
 *
 * @param from  how many to leave out
 */
export async function newestJobs(type: string, from: number, most: number) {
  const names = await NameRecord.query().where('name', type)
  const known = names.find(({ kind }) => kind === 'type')
  if (known === undefined) return []
  const records = await JobRecord.query()
    .where('typeId', known.id)
    .orderBy('createdAt', 'desc')
    .orderBy('seq', 'desc')
    .offset(from)
    .limit(most)
    .preload('body')
  return records.map((record) => ({
    id: record.id,
    createdAt: record.createdAt.getTime(),
    payload: parsed<Record<string, unknown>>(record.body?.payload) ?? {},
    result: parsed<Record<string, unknown>>(record.body?.result),
  }))
}

function parsed<Value>(text: string | null | undefined): Value | null {
  try {
    return text === null || text === undefined ? null : (JSON.parse(text) as Value)
  } catch {
    return null
  }
}
