import Database from 'better-sqlite3'
import { migrate } from '../functional/mirror/records.ts'

/** By jobs of this type a start knows that it has sent the first documents before. */
const DOCUMENT_JOB = 'document_processing.parse'

/**
 * Makes records that know of documents, in a SQLite file that is not there yet: a start with them sends none. Reading all of them takes a
 * processor half a minute.
 */
export async function knowDocuments(filename: string): Promise<void> {
  await migrate({ client: 'better-sqlite3', connection: { filename }, useNullAsDefault: true })
  const file = new Database(filename)
  file
    .prepare('insert into queuedeck_names (kind, name, fold) values (1, ?, ?)')
    .run(DOCUMENT_JOB, DOCUMENT_JOB)
  file.close()
}
