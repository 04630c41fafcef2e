import { after } from './long_timer.ts'

/**
 * Waits, but not longer than until the signal. Any length holds: the platform's own timers take one beyond 24.8 days for none at all.
 */
export function wait(milliseconds: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    const end = () => {
      stop()
      signal?.removeEventListener('abort', end)
      resolve()
    }
    const stop = after(milliseconds, end)
    signal?.addEventListener('abort', end, { once: true })
  })
}
