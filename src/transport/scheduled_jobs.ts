import { LATE, type ScheduleMark } from '../schedule_types.ts'
import type { RedisClient } from './client.ts'
import type { Transport } from './transport.ts'
import type { TransportState } from './types.ts'

/** `run`, or why not: `wait` for the end of an earlier run; it is left out for an `overlap` or because it was `missed`. */
export type ScheduleVerdict = { verdict: 'run' | 'wait' | 'overlap' | 'missed'; reason: string }

/** Where Redis has a schedule's job, and when a worker claimed it last (epoch ms; 0: never). */
export type ScheduledState = { state: TransportState | ''; claimedAt: number }

const OVERLAP_REASON = 'Left out by its schedule: an earlier run had not ended'
const MISSED_REASON =
  'Left out by its schedule: its time passed while nothing was there to start it'

/**
 * Jobs that schedules made, in Redis: what becomes of each is decided there, atomically.
 */
export class ScheduledJobs {
  constructor(private transport: Transport) {}

  /**
   * Notes that schedules are looked after now.
   *
   * @returns Redis' clock, and since when nobody did (0: for ever, as after Redis was emptied); null when somebody did all the time
   */
  async alive(client: RedisClient): Promise<{ now: number; awaySince: number | null }> {
    const { keys } = this.transport
    const args = [keys.schedulesAlive, keys.schedulesAway, LATE]
    const [now, from] = (await this.transport.call(client, 'schedule_alive', args)) as number[]
    return { now, awaySince: from < 0 ? null : from }
  }

  /** Asked right before a job of a schedule runs. */
  async start(
    queue: string,
    jobId: string,
    mark: ScheduleMark,
    client: RedisClient
  ): Promise<ScheduleVerdict> {
    const { keys } = this.transport
    const [verdict, current] = (await this.transport.call(client, 'start_scheduled', [
      keys.job(queue, jobId),
      keys.schedule(mark.id),
      keys.scheduleWaiting(mark.id),
      keys.schedulesWaiting,
      keys.schedulesAlive,
      keys.schedulesAway,
      mark.id,
      mark.due,
      mark.run ?? 1,
      mark.overlap,
      mark.missed,
      mark.manual ? '1' : '',
      LATE,
      OVERLAP_REASON,
      MISSED_REASON,
    ])) as [ScheduleVerdict['verdict'], string]
    const isOverlap = verdict === 'overlap' && current !== ''
    const which = isOverlap ? ` (job ${keys.placeOf(current).id})` : ''
    return { verdict, reason: verdict === 'missed' ? MISSED_REASON : OVERLAP_REASON + which }
  }

  /** Lets runs go on that waited for one which has ended. */
  async wake(client: RedisClient): Promise<void> {
    const { keys } = this.transport
    for (const id of await client.smembers(keys.schedulesWaiting)) {
      const args = [keys.schedule(id), keys.scheduleWaiting(id), keys.schedulesWaiting, id]
      await this.transport.call(client, 'wake_scheduled', args)
    }
  }

  /**
   * Takes a run back whose time has not come.
   *
   * @returns `late` when it waits for a worker, runs or has ended; `missing` when Redis does not know it
   */
  async withdraw(
    queue: string,
    jobId: string,
    by: string,
    reason: string
  ): Promise<'done' | 'late' | 'missing'> {
    const { keys, connections } = this.transport
    const args = [keys.job(queue, jobId), keys.events(queue), keys.queue(queue), jobId, by, reason]
    return (await connections.produce('a run was not taken back', (client) =>
      this.transport.call(client, 'withdraw_scheduled', args)
    )) as 'done' | 'late' | 'missing'
  }

  /** How jobs stand, in their order. */
  async states(jobs: { queue: string; id: string }[]): Promise<ScheduledState[]> {
    if (jobs.length === 0) return []
    const { keys, connections } = this.transport
    const args = [keys.schedulesAlive, ...jobs.map(({ queue, id }) => keys.job(queue, id))]
    const rows = (await connections.produce('runs cannot be looked up', (client) =>
      this.transport.call(client, 'scheduled', args)
    )) as [ScheduledState['state'], number][]
    return rows.map(([state, claimedAt]) => ({ state, claimedAt }))
  }

  /**
   * Forgets a schedule that was deleted. Runs that wait for an earlier one end: nothing would wake them any more. Their list goes with
   * them, since another may be put into it at this moment.
   */
  async forget(id: string, by: string): Promise<void> {
    const { keys, connections } = this.transport
    const waiting = await connections.produce('a schedule was not forgotten', async (client) => {
      await client.del(keys.schedule(id))
      return client.lrange(keys.scheduleWaiting(id), 0, -1)
    })
    for (const key of waiting) {
      const { queue, id: jobId } = keys.placeOf(key)
      await this.transport.cancel(queue, jobId, { by, reason: 'Its schedule was deleted' })
    }
  }
}
