import type { JobView } from '#queuedeck/types'
import { followUpId } from '#services/documents/follow_up_id'
import { isOpen, jobsById, newestJobs, resultOf } from './job_states.ts'
import { ago, counted, documentName, shortened } from './words.ts'

/** Documents of one page of the list. */
const ROWS = 25

/** Far enough for any person; further the database would only count. */
const LAST_PAGE = 400

export type DocumentRow = {
  name: string
  path: string
  /** Mark of its state, and the words beside it. */
  mark: string
  word: string
  reason: string
  pages: string
  text: string
  job: string
  chunks: { url: string; label: string } | null
  chunkJob: string | null
  sent: { iso: string; text: string }
}

type Parsed = {
  documents?: { source: string; pages: number; characters: number; format: string }[]
  chunkJob?: string
}

type Chunked = { documents?: { source: string; chunked: string; chunks: number }[] }

/**
 * One page of the documents that were sent to be read, newest first. A document that was sent again stands once in a page.
 */
export async function documentsPage(asked: number) {
  const page = Math.max(1, Math.min(LAST_PAGE, asked))
  const jobs = await newestJobs('document_processing.parse', (page - 1) * ROWS, ROWS + 1)
  const shown = jobs.slice(0, ROWS)
  const readings = shown.flatMap(({ id, createdAt, payload, result }) => {
    const { documents: read = [], chunkJob } = (result ?? {}) as Parsed
    const chunk = chunkJob ?? followUpId(id, 1)
    return pathsOf(payload).map((path) => ({
      ...{ id, createdAt, path, chunk },
      read: read.find(({ source }) => source === path) ?? null,
    }))
  })
  const newest = [...Map.groupBy(readings, ({ path }) => path).values()].map(([first]) => first)
  const states = await jobsById(newest.flatMap(({ id, chunk }) => [id, chunk]))
  const rows: DocumentRow[] = []
  let open = false
  for (const { id, createdAt, path, chunk, read } of newest) {
    const [parse, cut] = [states.get(id), states.get(chunk)]
    open ||= [parse, cut].some((job) => job !== undefined && isOpen(job))
    const made =
      cut?.status === 'completed'
        ? (await resultOf<Chunked>(chunk))?.documents?.find(({ source }) => source === path)
        : undefined
    rows.push({
      name: documentName(path),
      path,
      ...stateOf(path, parse, cut),
      pages: read === null || read.pages === 0 ? '–' : read.pages.toLocaleString('en'),
      text: read === null ? '–' : counted(read.characters, 'character'),
      job: id,
      chunks:
        made === undefined
          ? null
          : { url: `/chunks/${made.chunked}`, label: counted(made.chunks, 'chunk') },
      chunkJob: cut === undefined ? null : chunk,
      sent: { iso: new Date(createdAt).toISOString(), text: ago(createdAt) },
    })
  }
  return {
    rows,
    open,
    page,
    newer: page > 1 ? page - 1 : null,
    older: jobs.length > ROWS && page < LAST_PAGE ? page + 1 : null,
  }
}

/** What is told of a document by the jobs that read and cut it. Their errors begin with its path, which stands beside it already. */
export function stateOf(path: string, parse: JobView | undefined, cut: JobView | undefined) {
  const reasonOf = ({ error }: JobView) =>
    error === null ? '' : shortened(error.message.replace(`${path} `, ''), 200)
  if (parse === undefined) return { mark: 'pending', word: 'sent', reason: '' }
  if (parse.status !== 'completed') {
    const words: Record<string, string> = {
      pending: 'waits',
      scheduled: 'waits',
      blocked: 'waits',
      running: `reading, ${Math.round(parse.progress.percent)} %`,
      failed: 'not read',
      cancelled: 'cancelled',
    }
    return { mark: parse.status, word: words[parse.status], reason: reasonOf(parse) }
  }
  if (cut === undefined) return { mark: 'completed', word: 'read', reason: '' }
  const words: Record<string, string> = {
    completed: 'in chunks',
    running: 'cutting',
    failed: 'read, not cut',
    cancelled: 'read, not cut',
  }
  return { mark: cut.status, word: words[cut.status] ?? 'read, waits', reason: reasonOf(cut) }
}

function pathsOf(payload: Record<string, unknown>): string[] {
  const { documents } = payload
  return Array.isArray(documents) ? documents.filter((one) => typeof one === 'string') : []
}
