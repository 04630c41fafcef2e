import { setTimeout as pause } from 'node:timers/promises'
import { countMetrics, eraseMetrics } from '../records/metrics/metric_eraser.ts'
import type { KeptClocks } from '../types.ts'
import type { CleanupContext } from './context.ts'

const UNITS = [
  { unit: 'minute', clock: 'minutes', kind: 'minuteMetrics' },
  { unit: 'hour', clock: 'hours', kind: 'hourMetrics' },
] as const

/** Deletes metrics whose time is over. */
export async function sweepMetrics(
  { eraser, counts, signal, progressed, held }: CleanupContext,
  { metrics }: KeptClocks,
  now: number
): Promise<void> {
  for (const { unit, clock, kind } of UNITS) {
    for (let isDone = false; !isDone;) {
      signal.throwIfAborted()
      const step = await eraser.locked((session) =>
        eraseMetrics(session, unit, now - metrics[clock])
      )
      held?.(eraser.lastHeld)
      counts[kind] += step.removed
      isDone = step.isDone
      progressed(kind)
      await pause(25)
    }
  }
}

/** Counts what `sweepMetrics` would delete. */
export async function countOldMetrics(
  { eraser, counts, progressed }: CleanupContext,
  { metrics }: KeptClocks,
  now: number
): Promise<void> {
  for (const { unit, clock, kind } of UNITS) {
    counts[kind] += await eraser.read((session) =>
      countMetrics(session, unit, now - metrics[clock])
    )
    progressed(kind)
  }
}
