import { uuidToBytes, uuidV5 } from '../ids.ts'

/**
 * The id of the job that a schedule has at a moment: a UUID of version 5 (RFC 9562), so that any number of processes make it once.
 *
 * @param id the schedule's UUID: the namespace
 * @param generation a schedule that was changed, or paused and resumed, makes other jobs than before
 * @param due epoch ms
 */
export function runId(id: string, generation: number, due: number): string {
  return uuidV5(uuidToBytes(id), `${due}:${generation}`)
}

/** The version stands behind two of the hyphens. */
const VERSION_5 = /^.{14}5/

/** Whether a schedule may have made the job of this id. So may others have: ids of foreign jobs are of the same version. */
export function mayBeRunId(id: string): boolean {
  return VERSION_5.test(id)
}
