import { readTiming } from '../cron/timing.ts'
import type { Timing } from '../cron/types.ts'
import type { ScheduleDefinition } from '../schedule_types.ts'

/**
 * When a schedule that is stored is due. One that another process wrote may be unreadable here: zones come and go with the system, and
 * tables can be written by hand. It must not keep the others from running.
 */
export function timingOf({
  cron,
  zone,
  every,
}: Pick<ScheduleDefinition, 'cron' | 'zone' | 'every'>): Timing {
  try {
    return readTiming(cron === null ? { every: every! } : { cron, zone: zone ?? undefined })
  } catch (error) {
    const unreadable = (error as Error).message
    return { next: () => null, words: cron ?? `Every ${every} ms`, often: null, unreadable }
  }
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
