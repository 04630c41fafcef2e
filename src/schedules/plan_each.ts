import type { Records } from '../records/records.ts'
import type { Schedule } from '../schedule_types.ts'

/** When one that cannot be planned is tried again, ms. */
const AGAIN_AFTER = 60_000

/** What keeps all of them from being planned. */
const AWAY = ['E_REDIS_UNAVAILABLE', 'E_DATABASE_UNAVAILABLE']

/**
 * Plans schedules together. Where that fails because of one, such as one whose queue has a key of another type in Redis, the others are
 * planned all the same, and it is put off.
 *
 * @param now Redis' clock, epoch ms
 * @param failed told of each that is put off
 * @throws E_REDIS_UNAVAILABLE, E_DATABASE_UNAVAILABLE
 */
export async function planEach(
  plan: (schedules: Schedule[]) => Promise<void>,
  { schedules }: Pick<Records, 'schedules'>,
  due: Schedule[],
  now: number,
  failed: (schedule: Schedule, error: unknown) => void = () => {}
): Promise<void> {
  try {
    return await plan(due)
  } catch (error) {
    if (isAway(error)) throw error
  }
  for (const schedule of due) {
    try {
      await plan([schedule])
    } catch (error) {
      if (isAway(error)) throw error
      failed(schedule, error)
      const { seq, generation, plannedAt } = schedule
      await schedules.planned([], [{ seq, generation, plannedAt, lookAt: now + AGAIN_AFTER }])
    }
  }
}

function isAway(error: unknown): boolean {
  return AWAY.includes((error as { code?: string } | null)?.code ?? '')
}
