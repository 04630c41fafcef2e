import { setTimeout as pause } from 'node:timers/promises'
import { compareIds, START } from './entries.ts'
import type { Notes } from './position.ts'

/** How long the mirror may take to write what Redis told last, ms. It mostly needs 10 to 50. */
export const PATIENCE = 5_000

/** Where the mirror stands with a queue, as its records say; null when it has not begun. */
export type Cursor = { lastId: string; notes: string | null } | null

/**
 * Whether records say everything that a queue's stream held at a position. Waits for the mirror, so long.
 *
 * @param before  Where the cursor stood before Redis was asked for the position: a position in front of it is of a Redis that lost
 *   entries.
 * @throws what the signal was aborted with
 */
export async function isWritten(
  readCursor: () => Promise<Cursor>,
  position: string,
  before: Cursor,
  how: { patience: number; signal?: AbortSignal }
): Promise<boolean> {
  if (compareIds(position, before?.lastId ?? START) < 0) return false
  const { patience, signal } = how
  const deadline = performance.now() + patience
  for (;;) {
    signal?.throwIfAborted()
    const cursor = await readCursor()
    const { audit } = JSON.parse(cursor?.notes ?? '{}') as Notes
    if (!audit && compareIds(cursor?.lastId ?? START, position) >= 0) return true
    if (performance.now() > deadline) return false
    await pause(20)
  }
}
