import { constants, getPriority, setPriority } from 'node:os'

/**
 * Lets other processes go first where processors are busy, for one that does nothing but mirror: records may be some milliseconds late, jobs
 * may not. Whoever gave it less stays obeyed.
 */
export function giveWay(): void {
  const { PRIORITY_BELOW_NORMAL } = constants.priority
  try {
    if (getPriority() < PRIORITY_BELOW_NORMAL) setPriority(PRIORITY_BELOW_NORMAL)
  } catch {
    /** Where a process may not do that, it mirrors all the same. */
  }
}
