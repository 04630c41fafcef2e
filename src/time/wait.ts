import { setTimeout as pause } from 'node:timers/promises'

/**
 * Waits, but not longer than until the signal.
 */
export async function wait(milliseconds: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return
  await pause(milliseconds, undefined, { signal }).catch(() => {})
}
