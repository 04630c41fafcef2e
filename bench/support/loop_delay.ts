import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as pause } from 'node:timers/promises'
import { median } from './rounds.ts'
import type { Measure } from './types.ts'

/**
 * Does some work and tells how long it took (seconds), what it gave, and for how long at most it kept the event loop from
 * everything else (milliseconds). `own` is the longest that the thread itself worked between two turns: on a machine that does much
 * else the difference is time in which the thread had no processor.
 */
export async function watched<Output>(
  work: () => Promise<Output>
): Promise<{ output: Output; seconds: number; blocked: number; own: number }> {
  const delay = monitorEventLoopDelay({ resolution: 1 })
  /** What happened before is not counted. */
  await pause(20)
  delay.enable()
  let own = 0
  let last = process.threadCpuUsage()
  const look = setInterval(() => {
    const now = process.threadCpuUsage()
    own = Math.max(own, now.user + now.system - last.user - last.system)
    last = now
  }, 1)
  const begun = performance.now()
  const output = await work()
  const seconds = (performance.now() - begun) / 1_000
  await pause(5)
  delay.disable()
  clearInterval(look)
  return { output, seconds, blocked: delay.max / 1e6, own: own / 1_000 }
}

/** The longest block of some rounds: the median, and how much of it the thread itself worked. */
export function longestBlock(name: string, rounds: { blocked: number; own: number }[]): Measure {
  return {
    name: `${name}, loop blocked`,
    value: median(rounds.map(({ blocked }) => blocked)),
    unit: 'ms',
    ceiling: 50,
    note: `(${Math.round(median(rounds.map(({ own }) => own)))} ms of work)`,
  }
}
