import { type EntryFields } from '../../../src/mirror/entries.ts'
import { JobFold } from '../../../src/mirror/fold.ts'
import { Folded } from '../../../src/mirror/job_draft.ts'
import type { StoredJob } from '../../../src/records/writer_types.ts'
import { blank } from './memory_writer.ts'

export const ID = '0192f0c0-0000-7000-8000-000000000001'
export const KEY = { queue: 'mail', transportId: ID, id: ID }

/** Applies entries with the ids 1-0, 2-0, ... */
export function fold(entries: EntryFields[], job: StoredJob = blank(KEY), first = 1) {
  const list = entries.map((fields, index) => ({
    id: `${first + index}-0`,
    fields: { jobId: ID, ...fields },
  }))
  const out = new Folded()
  const before = job.version
  const folded = new JobFold(job).apply(list, 0)
  if (job.version !== before) folded.finish(out)
  return {
    job,
    out,
    kinds: out.events.flatMap(({ list: events }) => events.map(([, , , kind]) => kind)),
  }
}

export const ADDED = { event: 'added', name: 'send', data: '{"a":1}', opts: '{"attempts":3}' }
export const ACTIVE = { event: 'active', ats: '1', pb: 'host:1:x' }
