import { firstPiece } from './flows.ts'
import { assertQueueName } from './keys.ts'
import type { Transport } from './transport.ts'
import type { NewTransportJob, RestartAnswer } from './types.ts'

/** How often a record is read again, when others are claimed to be erased each time meanwhile. */
const MOST_READS = 20

export type RestartRequest = {
  by: string
  /** What is told to Redis where it forgot the job. */
  job: NewTransportJob
  /** Number of the run to open: the record's, plus one. Two restarts of the same run open it once. */
  run: number
  /** Moment before which a job that Redis forgot does not run, epoch ms; default: at once. */
  due?: number | null
  /** Edges for the script: the job is blocked again until what it waits for has ended. */
  waits?: string[]
  /**
   * Reads which run the record is of now; null when there is none. Asked where Redis forgot the job: its record may have been erased since
   * `job` was made of it. Without it, such a job is not restarted.
   */
  recordedRun?: () => Promise<number | null>
}

/**
 * Opens the next run of a job that ended, with what Redis still has of it, or else with what its record says.
 *
 * @returns `too_late` when the job is alive, that run was opened already, or the record is gone or going (then `run` is the one before)
 * @throws E_REDIS_UNAVAILABLE, and what `recordedRun` throws
 */
export async function restart(
  transport: Transport,
  queue: string,
  id: string,
  request: RestartRequest
): Promise<RestartAnswer> {
  const { job, by, run, due = null, waits = [], recordedRun } = request
  assertQueueName(queue)
  const { keys, connections } = transport
  const { delay: noLonger, timestamp, ...opts } = job.opts
  let erasures = ''
  for (let reads = 0; reads <= MOST_READS; reads++) {
    const args = [
      keys.job(queue, id),
      keys.events(queue),
      keys.queue(queue),
      id,
      by,
      run,
      job.name,
      job.data,
      JSON.stringify(opts),
      timestamp,
      job.opts.priority ?? 0,
      due ?? '',
      erasures,
      ...firstPiece(waits),
    ]
    const [outcome, opened, more] = (await connections.produce(
      `job ${id} was not restarted`,
      (client) => transport.call(client, 'restart', args)
    )) as [RestartAnswer['outcome'] | 'read', number, string?]
    if (outcome === 'read') {
      erasures = more!
      const recorded = (await recordedRun?.()) ?? null
      if (recorded === null) break
      if (recorded >= run) return { outcome: 'too_late', run: recorded }
      continue
    }
    if (outcome === 'done') await transport.flows.sendRest({ queue, id }, waits)
    return outcome === 'taken'
      ? { outcome, run: opened, holder: keys.placeOf(more!) }
      : { outcome, run: opened }
  }
  return { outcome: 'too_late', run: run - 1 }
}
