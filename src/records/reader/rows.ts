import { STATUSES } from '../../statuses.ts'
import type { JobError, JobView } from '../../types.ts'
import type { Db, Row } from '../dialect/db.ts'
import { bytesToUuid } from '../ids.ts'
import { COMPLETED_PROGRESS, SIGNAL_IGNORED } from '../tables.ts'
import type { NameReader } from './name_reader.ts'

const COLUMNS = [
  'seq',
  'id',
  'queue_id',
  'type_id',
  'user_id',
  'host_id',
  'worker_id',
  'status',
  'progress',
  'duration',
  'created_at',
  'due_at',
  'started_at',
  'finished_at',
  'run',
  'attempts',
  'max_attempts',
  'priority',
  'stopping',
  'is_sensitive',
  'tagged',
  'has_transport',
  'done',
  'total',
  'unit',
  'stage',
  'error_code',
  'error',
  'transport_id',
  'version',
].join(', ')

/** A record as read, beside the job as shown. */
export type ReadJob = { seq: number; hasTransport: boolean; moved: number; view: JobView }

/**
 * Jobs as lists show them, found by a condition on jobs.
 */
export async function readJobs(
  db: Db,
  names: NameReader,
  condition: string,
  values: readonly unknown[]
): Promise<ReadJob[]> {
  const rows = await db.all(`select ${COLUMNS} from queuedeck_jobs where ${condition}`, values)
  if (rows.length === 0) return []
  const tags = await tagsOf(db, rows)
  await names.load([
    ...rows.flatMap((row) => [row.queue_id, row.type_id, row.user_id, row.host_id, row.worker_id]),
    ...[...tags.values()].flat(),
  ])
  return rows.map((row) => ({
    seq: Number(row.seq),
    hasTransport: Number(row.has_transport) === 1,
    moved: Number(row.version),
    view: viewOf(row, tags.get(Number(row.seq)) ?? [], names),
  }))
}

/**
 * Jobs by `seq`, in the order given; those that are gone meanwhile are left out.
 */
export async function readBySeq(
  db: Db,
  names: NameReader,
  seqs: readonly number[]
): Promise<ReadJob[]> {
  if (seqs.length === 0) return []
  const jobs = await readJobs(db, names, `seq in (${seqs.map(() => '?').join(', ')})`, seqs)
  const bySeq = new Map(jobs.map((job) => [job.seq, job]))
  return seqs.map((seq) => bySeq.get(seq)).filter((job) => job !== undefined)
}

async function tagsOf(db: Db, rows: Row[]): Promise<Map<number, number[]>> {
  const tagged = rows.filter((row) => Number(row.tagged) === 1).map((row) => Number(row.seq))
  const tags = new Map<number, number[]>()
  if (tagged.length === 0) return tags
  const found = await db.all(
    `select seq, tag_id from queuedeck_tags where seq in (${tagged.map(() => '?').join(', ')}) order by seq, tag_id`,
    tagged
  )
  for (const row of found) {
    const [seq, tag] = [Number(row.seq), Number(row.tag_id)]
    tags.set(seq, [...(tags.get(seq) ?? []), tag])
  }
  return tags
}

function viewOf(row: Row, tags: number[], names: NameReader): JobView {
  const id = idOf(row.id)
  const progress = Number(row.progress)
  return {
    id,
    queue: names.text(row.queue_id),
    type: names.text(row.type_id),
    transportId: row.transport_id ?? id,
    status: STATUSES[row.status],
    stopping: Number(row.stopping) > 0,
    signalIgnored: Number(row.stopping) === SIGNAL_IGNORED,
    run: row.run,
    attempts: { started: row.attempts, max: row.max_attempts },
    priority: row.priority,
    user: names.textOrNull(row.user_id),
    host: names.textOrNull(row.host_id),
    worker: names.textOrNull(row.worker_id),
    tags: tags.map((tag) => names.text(tag)),
    progress: {
      percent: progress === COMPLETED_PROGRESS ? 100 : progress / 10,
      ...(row.stage === null ? {} : { stage: row.stage }),
      ...(row.done === null ? {} : { done: Number(row.done) }),
      ...(row.total === null ? {} : { total: Number(row.total) }),
      ...(row.unit === null ? {} : { unit: row.unit }),
    },
    error: errorOf(row),
    createdAt: Number(row.created_at),
    dueAt: momentOf(row.due_at),
    startedAt: momentOf(row.started_at),
    finishedAt: momentOf(row.finished_at),
    duration: Number(row.duration) < 0 ? null : Number(row.duration),
    sensitive: Number(row.is_sensitive) === 1,
  }
}

export function idOf(value: string | Uint8Array): string {
  return typeof value === 'string' ? value : bytesToUuid(value)
}

export function momentOf(value: unknown): number | null {
  return value === null || value === undefined ? null : Number(value)
}

export function errorOf(row: Row): JobError | null {
  if (row.error === null && row.error_code === null) return null
  const error: JobError = { code: row.error_code, message: row.error ?? row.error_code }
  return row.stack === undefined ? error : { ...error, stack: row.stack }
}
