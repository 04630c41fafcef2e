import { readTiming } from '../cron/timing.ts'
import type { Timing } from '../cron/types.ts'
import type { ScheduleDefinition } from '../schedule_types.ts'

/** When a schedule is due. */
export function timingOf({
  cron,
  zone,
  every,
}: Pick<ScheduleDefinition, 'cron' | 'zone' | 'every'>): Timing {
  return readTiming(cron === null ? { every: every! } : { cron, zone: zone ?? undefined })
}

const MOST_KEPT = 20_000

/**
 * Keeps engines, which cost more to make than to ask.
 */
export class Timings {
  #known = new Map<string, Timing>()

  of(schedule: Pick<ScheduleDefinition, 'cron' | 'zone' | 'every'>): Timing {
    const key = `${schedule.cron}|${schedule.zone}|${schedule.every}`
    let timing = this.#known.get(key)
    if (timing === undefined) {
      if (this.#known.size === MOST_KEPT) this.#known.clear()
      timing = timingOf(schedule)
      this.#known.set(key, timing)
    }
    return timing
  }
}
