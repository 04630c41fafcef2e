import type { Job } from '#queuedeck'
import { DocumentProblem } from './document_problem.ts'

/** Stands in a payload for what the jobs that it waits for have made. */
const AWAITED = 'awaited'

/** An id of something that was kept, or `awaited`. */
export const KEPT_ID = /^(?:[0-9a-f]{64}|awaited)$/

/**
 * The ids that a payload names, with `awaited` replaced by what the jobs that this one waited for have made; in their order, each once.
 *
 * @param name  under which results hold such an id: in themselves, or in each of their `documents`
 * @throws DocumentProblem NOTHING_AWAITED where they made nothing of the kind
 */
export async function keptIds(job: Job<any>, ids: string[], name: string): Promise<string[]> {
  if (!ids.includes(AWAITED)) return ids
  const results = (await job.awaited()).map(({ result }) => result as unknown)
  const made = results.flatMap((result) => idsIn(result, name))
  if (made.length === 0) {
    throw new DocumentProblem(
      'NOTHING_AWAITED',
      `None of the ${results.length} jobs that this one waited for made what it needs ("${name}"): see how they ended, or name it in the payload`
    )
  }
  return [...new Set(ids.flatMap((id) => (id === AWAITED ? made : [id])))]
}

/** The one id that a payload names; see `keptIds`. */
export async function keptId(job: Job<any>, id: string, name: string): Promise<string> {
  const [first] = await keptIds(job, [id], name)
  return first
}

function idsIn(result: unknown, name: string): string[] {
  if (typeof result !== 'object' || result === null) return []
  const { [name]: own, documents } = result as Record<string, unknown>
  if (typeof own === 'string') return [own]
  return Array.isArray(documents) ? documents.flatMap((document) => idsIn(document, name)) : []
}
