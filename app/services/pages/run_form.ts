import { errors } from '@vinejs/vine'
import type { ChunkOptions } from '#services/documents/chunk_options'
import { chunkProblems } from '#services/documents/chunk_problems'
import { DocumentProblem } from '#services/documents/document_problem'
import type { DocumentStore } from '#services/documents/document_store'
import type { RunOptions } from '#services/pipeline/run_plan'
import { type CUTS, RUN_REMEDIES, runOptions } from '#validators/run_options'
import { newestJobs } from './job_states.ts'
import { documentName, shortened } from './words.ts'

/** What the form shows before anybody wrote into it. */
export const RUN_DEFAULTS = {
  cut: 'token',
  size: '256',
  overlap: '32',
  depth: '3',
  threshold: '0.5',
  kinds: ['classification', 'question_answer'],
}

/** Documents that the form offers: the newest that were sent. */
const OFFERED = 200

export type FormProblem = { field: string; text: string }

/** Documents that can be chosen, each once, the newest first, with the job that reads it. */
export async function documentsToChoose(): Promise<{ path: string; name: string; job: string }[]> {
  const jobs = await newestJobs('document_processing.parse', 0, OFFERED)
  const documents = new Map<string, string>()
  for (const { id, payload } of jobs) {
    for (const path of Array.isArray(payload.documents) ? payload.documents : []) {
      if (typeof path === 'string' && !documents.has(path)) documents.set(path, id)
    }
  }
  return [...documents]
    .slice(0, OFFERED)
    .map(([path, job]) => ({ path, job, name: documentName(path) }))
}

/**
 * The options of a run as the form sent them, or what is wrong with them.
 */
export async function readRunForm(
  input: Record<string, unknown>,
  store: DocumentStore
): Promise<{ options: RunOptions } | { problems: FormProblem[] }> {
  try {
    const form = await runOptions.validate({
      ...input,
      documents: listed(input.documents),
      kinds: listed(input.kinds),
    })
    const { cut, size, overlap, documents, depth, threshold, kinds } = form
    const chunk = chunkOf(cut, size, overlap)
    const problems = [...chunkProblems(chunk), ...placeProblems(documents, store)]
    if (problems.length > 0) {
      return { problems: problems.map(({ field, message }) => ({ field, text: `${message}.` })) }
    }
    return { options: { documents, chunk: [chunk], depth, threshold, kinds } }
  } catch (error) {
    if (!(error instanceof errors.E_VALIDATION_ERROR)) throw error
    const reports = error.messages as { field: string }[]
    const fields = new Set(reports.map(({ field }) => field.split('.')[0]))
    return {
      problems: [...fields].map((field) => ({ field, text: problemText(field, input[field]) })),
    }
  }
}

/** Of many fields of one name a form's parser may make an object with numbers for names. */
function listed(value: unknown): unknown[] {
  if (value === undefined || value === null) return []
  return typeof value === 'object' ? Object.values(value) : [value]
}

function chunkOf(cut: (typeof CUTS)[number], size: number, overlap: number): ChunkOptions {
  if (cut === 'headings') return { strategy: 'schema', rules: [{ heading: 2 }], size, overlap }
  return { strategy: cut, size, overlap }
}

function placeProblems(documents: string[], store: DocumentStore) {
  return documents.flatMap((path) => {
    try {
      store.locate(path)
      return []
    } catch (error) {
      if (!(error instanceof DocumentProblem)) throw error
      const message = `“${shortened(path, 80)}” ${error.message}: choose from the list`
      return [{ field: 'documents', message }]
    }
  })
}

function problemText(field: string, value: unknown): string {
  const remedy = RUN_REMEDIES[field] ?? 'This does not fit.'
  const said =
    typeof value === 'string' && value !== '' ? ` You wrote “${shortened(value, 40)}”.` : ''
  return remedy + said
}
