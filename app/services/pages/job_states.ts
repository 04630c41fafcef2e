import { setTimeout as pause } from 'node:timers/promises'
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

/** What was sent less than so long ago may have no record yet, and the mirror writes it within PATIENCE; both ms. */
const JUST_NOW = 60_000
const PATIENCE = 2_000

/** The same for jobs that may have been sent this instant: waits a little for their records. */
export async function jobsJustSent(ids: readonly string[]): Promise<Map<string, JobView>> {
  const deadline = Date.now() + PATIENCE
  for (;;) {
    const jobs = await jobsById(ids)
    const young = ids.some((id) => !jobs.has(id) && Date.now() - momentOf(id) < JUST_NOW)
    if (!young || Date.now() >= deadline) return jobs
    await pause(50)
  }
}

/** When a job with a UUID of version 7 was sent. */
function momentOf(id: string): number {
  return Number.parseInt(id.slice(0, 13).replace('-', ''), 16)
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
