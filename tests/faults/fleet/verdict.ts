import type { JobDetails } from '../../../src/types.ts'
import { apartOf, type Stretch } from '../limits/witness.ts'
import { LIMITS, type Fleet } from './fleet.ts'

/**
 * What must not be, each as the number of jobs it happened to, or the names of what is left.
 */
export type Verdict = {
  lost: string[]
  finishedTwice: string[]
  /** Limits that the witness saw exceeded. */
  over: string[]
  parked: number
  leaked: string[]
  /** Where a record says something else than the witness. */
  differing: string[]
}

/** A verdict with nothing to blame. */
export const CLEAN: Verdict = {
  lost: [],
  finishedTwice: [],
  over: [],
  parked: 0,
  leaked: [],
  differing: [],
}

export async function judge(fleet: Fleet): Promise<Verdict> {
  const { witness, records, ids } = fleet
  const byJob = new Map<string, Stretch[]>()
  for (const stretch of await witness.stretches())
    byJob.set(stretch.id, [...(byJob.get(stretch.id) ?? []), stretch])

  const verdict: Verdict = { ...structuredClone(CLEAN), leaked: await fleet.leaked() }
  verdict.parked = await fleet.parked()
  for (let from = 0; from < ids.length; from += 20) {
    await Promise.all(
      ids.slice(from, from + 20).map(async (id) => {
        const record = await records.reader.find(id)
        const seen = byJob.get(id) ?? []
        if (!record || record.status !== 'completed' || !seen.some(({ how }) => how === 'returned'))
          return verdict.lost.push(`${id} ${record?.status ?? 'has no record'}`)
        if (times(record, 'completed') > 1) verdict.finishedTwice.push(id)
        verdict.differing.push(...differences(record, seen))
      })
    )
  }
  const most = await witness.most()
  if (most.all > LIMITS.global) verdict.over.push(`${most.all} at once`)
  if (most.user > LIMITS.user) verdict.over.push(`${most.user} of a user`)
  for (const [type, limit] of Object.entries(LIMITS.types)) {
    if (most.type(type) > limit) verdict.over.push(`${most.type(type)} of the type ${type}`)
  }
  return verdict
}

function times(record: JobDetails, outcome: string): number {
  return record.attemptList.filter((attempt) => attempt.outcome === outcome).length
}

/**
 * Compares a completed job's record with what was seen from inside its code. Code that died with its process tells no end.
 */
function differences(record: JobDetails, seen: Stretch[]): string[] {
  const found: string[] = []
  const differs = (what: string) => found.push(`${record.id} ${what}`)
  const last = record.attemptList.at(-1)
  if (last?.outcome !== 'completed') differs(`ends with an attempt that is ${last?.outcome}`)
  if (record.result !== JSON.stringify(`attempt ${last?.attempt}`))
    differs(`has the result ${record.result} of attempt ${last?.attempt}`)
  if (record.run !== 1) differs(`is in run ${record.run}`)
  for (const { attempt, pid, how } of seen) {
    const noted = record.attemptList.filter((one) => one.attempt === attempt)
    if (noted.length !== 1) differs(`has attempt ${attempt} ${noted.length} times`)
    const outcome = noted[0]?.outcome
    if (noted[0]?.worker && !noted[0].worker.includes(`:${pid.replace(apartOf(''), '')}:`))
      differs(`says that ${noted[0].worker} ran attempt ${attempt}, not process ${pid}`)
    if (how === 'failed' && outcome !== 'failed' && outcome !== 'lost')
      differs(`says that attempt ${attempt}, which failed, is ${outcome}`)
    if (how === 'aborted' && outcome === 'completed')
      differs(`says that attempt ${attempt}, which was stopped, is completed`)
    if (outcome === 'completed' && how !== 'returned')
      differs(`says that attempt ${attempt} is completed, which ${how || 'died'}`)
  }
  if (!seen.some(({ attempt, how }) => attempt === last?.attempt && how === 'returned'))
    differs(`completed by attempt ${last?.attempt}, which nobody saw return`)
  return found
}
