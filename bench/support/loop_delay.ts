import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as pause } from 'node:timers/promises'

/**
 * Does some work and tells how long it took (seconds), what it gave, and for how long at most it kept the event loop from
 * everything else (milliseconds).
 */
export async function watched<Output>(
  work: () => Promise<Output>
): Promise<{ output: Output; seconds: number; blocked: number }> {
  const delay = monitorEventLoopDelay({ resolution: 1 })
  /** What happened before is not counted. */
  await pause(20)
  delay.enable()
  const begun = performance.now()
  const output = await work()
  const seconds = (performance.now() - begun) / 1_000
  await pause(5)
  delay.disable()
  return { output, seconds, blocked: delay.max / 1e6 }
}
