import { setTimeout as pause } from 'node:timers/promises'
import { E_JOB_NOT_FOUND, InvalidInputException } from '../errors.ts'
import type { Cursor } from '../mirror/written.ts'
import { isUuid } from '../records/ids.ts'
import type { EdgeReader } from '../records/reader/edges.ts'
import type { Transport } from '../transport/transport.ts'
import type { JobDetails, JobView } from '../types.ts'
import { shown } from '../shown.ts'

/**
 * What operations read of the records.
 */
export type JobReader = {
  find(id: string): Promise<JobDetails | null>
  rowsById(ids: string[]): Promise<JobView[]>
  cursor(queue: string): Promise<Cursor>
  readonly edges: Pick<EdgeReader, 'of' | 'counts' | 'statuses'>
}

/**
 * What every operation on jobs is given.
 */
export type OperationDependencies = {
  reader: JobReader
  transport: Transport
}

/**
 * What an operation answers. `reason` says why it was refused or came too late.
 */
export type OperationAnswer = {
  outcome: 'done' | 'requested' | 'too_late' | 'refused'
  reason: string | null
  job: JobView
}

/** How long an action waits for its effect to reach the record, ms: the mirror mostly needs 10 to 50. */
const PATIENCE = 1_000
const LOOK = 15

/**
 * A record's id as someone typed it: a UUID, in any case.
 *
 * @throws InvalidInputException
 */
export function checkJobId(value: unknown): string {
  const id = typeof value === 'string' ? value.trim().toLowerCase() : ''
  if (isUuid(id)) return id
  throw new InvalidInputException(
    `"${shown(value, 100)}" is not the id of a job: give a UUID such as 0192f3c4-8d5e-7a61-b2c3-d4e5f6a7b8c9`,
    'id'
  )
}

/**
 * The record of a job. One that was dispatched this instant may have none yet and is waited for.
 *
 * @throws InvalidInputException, E_JOB_NOT_FOUND
 */
export async function findJob(
  { reader, transport }: OperationDependencies,
  value: unknown
): Promise<JobDetails> {
  const id = checkJobId(value)
  const found = await reader.find(id)
  if (found) return found
  if (await isInRedis(transport, id)) {
    const late = await until(() => reader.find(id))
    if (late) return late
  }
  throw new E_JOB_NOT_FOUND([id])
}

/**
 * The job once its record shows what was done, or as it is when the mirror takes longer. What was done stays done when the
 * database is away: an error here would make people do it twice.
 */
export async function jobOnce(
  { reader }: OperationDependencies,
  job: JobView,
  isSo: (job: JobView) => boolean
): Promise<JobView> {
  let newest = job
  try {
    await until(async () => {
      const [row] = await reader.rowsById([job.id])
      if (row) newest = row
      return row && isSo(row) ? row : null
    })
  } catch (error) {
    if ((error as { status?: number }).status !== 503) throw error
  }
  return newest
}

async function isInRedis(transport: Transport, id: string): Promise<boolean> {
  for (const queue of await transport.queueNames()) {
    if ((await transport.state(queue, id)) !== 'missing') return true
  }
  return false
}

async function until<T>(look: () => Promise<T | null>): Promise<T | null> {
  const deadline = performance.now() + PATIENCE
  for (;;) {
    const found = await look()
    if (found || performance.now() > deadline) return found
    await pause(LOOK)
  }
}
