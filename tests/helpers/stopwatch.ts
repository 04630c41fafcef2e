import { readFileSync } from 'node:fs'

/**
 * Starts to measure, and answers the milliseconds since then, without those in which this process was ready to go on and waited for a
 * processor: how soon something comes says nothing about how much else the machine does.
 */
export function stopwatch(): () => number {
  const began = performance.now()
  const waited = waitedForProcessor()
  return () => performance.now() - began - (waitedForProcessor() - waited)
}

/** Milliseconds, as Linux counts them; 0 where nobody does. */
function waitedForProcessor(): number {
  try {
    return Number(readFileSync('/proc/self/schedstat', 'utf8').split(' ')[1]) / 1_000_000
  } catch {
    return 0
  }
}
