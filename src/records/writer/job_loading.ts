import type { Row } from '../dialect/db.ts'
import type { Session } from '../dialect/session.ts'
import { idOf } from '../reader/rows.ts'
import type { JobKey } from '../writer_types.ts'
import { AT, blankJob, loadJob, type LoadedJob } from './job_row.ts'
import type { NameBook } from './name_book.ts'
import { recordsOf } from './twins.ts'

/** Columns of a row of jobs whose names its record tells. */
const NAMED = [AT.queue, AT.type, AT.user, AT.worker]

/**
 * The records of jobs, in the order of their keys; a blank one where there is none.
 */
export async function loadJobs(
  session: Session,
  names: NameBook,
  wanted: readonly JobKey[]
): Promise<LoadedJob[]> {
  if (wanted.length === 0) return []
  const { keys, records } = await recordsOf(
    wanted,
    (some) => rowsOf(session, names, some),
    (row) => names.name(row[AT.queue] as number),
    (row) => row[AT.transportId] as string | null
  )
  return keys.map((key, index) => {
    const row = records[index]
    return row ? loadJob(key, row, names) : blankJob(key)
  })
}

/**
 * Some columns of the records that there are of these jobs; `id` and `queue_id` are among them.
 */
export async function selectJobs(
  session: Session,
  names: NameBook,
  columns: string,
  wanted: readonly JobKey[]
): Promise<[JobKey, Row][]> {
  const select = `select ${columns}, transport_id from queuedeck_jobs where`
  const look = async (keys: readonly JobKey[]) => {
    const ids = keys.map(({ id }) => session.idValue(id))
    const rows = await session.allIn(select, 'id', 'uuid', ids)
    await names.loadIds(
      session,
      rows.map((row) => row.queue_id)
    )
    const found = new Map(rows.map((row) => [idOf(row.id), row]))
    return keys.map(({ id }) => found.get(id) ?? null)
  }
  const { records } = await recordsOf(
    wanted,
    look,
    (row) => names.name(row.queue_id),
    (row) => row.transport_id
  )
  return wanted.flatMap((key, index): [JobKey, Row][] => {
    const row = records[index]
    return row ? [[key, row]] : []
  })
}

/** Rows by the ids of their keys, with the names that stand in them. */
async function rowsOf(
  session: Session,
  names: NameBook,
  keys: readonly JobKey[]
): Promise<(unknown[] | null)[]> {
  const rows = await session.jobs(keys.map(({ id }) => id))
  const named = new Set<number>()
  for (const row of rows) {
    if (!row) continue
    for (const place of NAMED) {
      const id = row[place] as number | null
      if (id !== null && !names.knows(id)) named.add(id)
    }
  }
  if (named.size > 0) await names.loadIds(session, named)
  return rows
}
