import { LOST } from '../mirror/comparison.ts'
import type { Records } from '../records/records.ts'
import type { Schedule } from '../schedule_types.ts'
import { isTerminal } from '../statuses.ts'
import type { JobView } from '../types.ts'

/** Runs of a schedule that are looked at together. */
const PAGE = 100

/** Runs of a schedule that are looked through at the most: so many do not wait anywhere. */
const MOST = 10_000

/** Whether a run has not ended as far as its record knows: one that only Redis has lost goes on. */
export function mayGoOn({ status, error }: JobView): boolean {
  return !isTerminal(status) || error?.code === LOST
}

/**
 * Moments of a schedule's runs that workers have put back because an earlier run had not ended, and that have not gone on since; oldest
 * first. Runs wait in their order, so what stands behind the newest that have all ended is not looked at.
 *
 * @throws E_DATABASE_UNAVAILABLE
 */
export async function waitingRuns(
  { schedules, reader }: Pick<Records, 'schedules' | 'reader'>,
  { seq, generation }: Schedule,
  now: number
): Promise<number[]> {
  const waiting: number[] = []
  let to = now + 1
  for (let looked = 0; looked < MOST; looked += PAGE) {
    const page = await schedules.runs(seq, { to, limit: PAGE })
    const due = new Map(
      page
        .filter((run) => run.kind === 'planned' && run.generation === generation)
        .map((run) => [run.jobId!, run.due])
    )
    const open = (await reader.rowsById([...due.keys()])).filter(mayGoOn)
    for (const { id, run, attempts } of open) {
      if (attempts.started === 0) continue
      const list = ((await reader.find(id))?.attemptList ?? []).filter((one) => one.run === run)
      if (list.every(({ outcome }) => outcome === 'handed back')) waiting.push(due.get(id)!)
    }
    if (page.length < PAGE || open.length === 0) break
    to = page[page.length - 1].due
  }
  return waiting.sort((one, other) => one - other)
}
