import type { Timing } from '../cron/types.ts'
import { LATE, type Missed } from '../schedule_types.ts'
import type { ScheduledState } from '../transport/scheduled_jobs.ts'

/** Moments that are nearer than this get their jobs at once, ms: the tick would come too late for them. */
const AHEAD = 3_000

/** Schedules that are due every few seconds are looked at again after this long, ms. */
const SOON = 500

/** BullMQ orders delayed jobs exactly until then (2039-09-07): later moments get their jobs once it can. */
const LATEST = 2 ** 41

/** Moments that were missed and are noted one by one; of more, the newest. */
const MOST_MISSED = 100

/**
 * What is to be done for a schedule now.
 */
export type Plan = {
  /** Moments whose jobs are to be made, oldest first; at most one is late, by the policy for missed runs. */
  make: number[]
  /** Moments that pass without a job. */
  missed: number[]
  /** Up to where there is nothing to do any more; null: no moment will come. */
  plannedAt: number | null
  /** When it has to be looked at again. */
  lookAt: number | null
}

/**
 * Decides which jobs a schedule gets.
 *
 * @param plannedAt the newest moment that has its job; 0 for none
 * @param last how the job of that moment stands; undefined where nobody looked
 */
export function planMoments(
  timing: Timing,
  { plannedAt, missed: policy }: { plannedAt: number; missed: Missed },
  now: number,
  last?: ScheduledState
): Plan {
  const plan: Plan = { make: [], missed: [], plannedAt, lookAt: null }
  const passed: number[] = []
  let moment = timing.next(plannedAt === 0 ? now : plannedAt)
  if (moment !== null && now - moment > LATE) {
    /** After a long time only the newest of them are of interest. */
    const skipped = passedMoments(timing, moment, now - LATE)
    passed.push(...skipped.moments)
    moment = skipped.next
  }
  while (moment !== null && moment <= now) {
    plan.make.push(moment)
    moment = timing.next(moment)
  }
  const isNeeded = plannedAt <= now || plan.make.length > 0
  if (moment !== null && moment < LATEST && (isNeeded || moment <= now + AHEAD)) {
    do {
      plan.make.push(moment)
      moment = timing.next(moment)
    } while (moment !== null && moment <= now + AHEAD)
  }
  const isLost = last !== undefined && last.state === '' && plannedAt < now - LATE
  if (isLost) passed.unshift(plannedAt)
  if (passed.length > 0) {
    /** The job of the moment before, where it started late or is still to start, is the one that makes up for all. */
    const makesUp =
      last !== undefined &&
      last.state !== '' &&
      !(last.claimedAt > 0 && last.claimedAt <= plannedAt + LATE)
    if (policy === 'once' && !makesUp) plan.make.unshift(passed.pop()!)
    plan.missed = passed
  }
  const newest = plan.make.at(-1)
  if (newest !== undefined && newest > now) plan.plannedAt = newest
  else if (isNeeded) plan.plannedAt = null
  plan.lookAt = plan.plannedAt
  if (timing.often !== null && plan.plannedAt !== null) {
    plan.lookAt = Math.max(now + SOON, plan.plannedAt - AHEAD)
  }
  return plan
}

/**
 * Moments from one that has passed to a bound: the newest of them, and the first behind the bound. Searched for from the bound in growing
 * steps, not counted through: one that is due every second and was away for a year must not cost minutes, and steps differ where a schedule
 * rests at night or over the weekend.
 */
function passedMoments(timing: Timing, first: number, until: number) {
  const from = (moment: number | null) => {
    const moments: number[] = []
    while (moment !== null && moment < until && moments.length <= 2 * MOST_MISSED) {
      moments.push(moment)
      moment = timing.next(moment)
    }
    return { moments, next: moment, isTooMany: moment !== null && moment < until }
  }
  let passed = from(first)
  let isSearched = passed.isTooMany
  /** Behind the one are too many, behind the other all that are wanted or too few. */
  for (let many = first, few = until, step = 1_000; isSearched; step *= 2) {
    const middle = Math.max(few - step, Math.floor((many + few) / 2))
    const seen = from(timing.next(middle))
    if (seen.isTooMany) {
      many = middle
    } else {
      few = middle
      passed = seen
    }
    isSearched = few - many > 1 && (passed.isTooMany || passed.moments.length < MOST_MISSED)
  }
  return { moments: passed.moments.slice(-MOST_MISSED), next: passed.next }
}
