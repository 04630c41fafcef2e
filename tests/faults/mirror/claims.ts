import { LOST, isBehind } from '../../../src/mirror/comparison.ts'
import { stateOf } from '../../../src/mirror/repair.ts'
import type { Records } from '../../../src/records/records.ts'
import { isTerminal } from '../../../src/statuses.ts'
import type { Lab } from '../../functional/mirror/lab.ts'
import type { LoggedJob } from './workload.ts'

/**
 * What records claim that is not so: an open record must be what Redis holds now, and a terminal one must have ended as its
 * job did. Two kinds of jobs are told apart, which only a Redis that lost something leaves: `lost` are those whose record says
 * so, `unheard` those of whose second run the record knows nothing, so that it says how the first one ended.
 */
export async function falseClaims(
  lab: Lab,
  records: Records,
  jobs: Iterable<LoggedJob>
): Promise<{ found: string[]; lost: LoggedJob[]; unheard: LoggedJob[] }> {
  const found: string[] = []
  const lost: LoggedJob[] = []
  const unheard: LoggedJob[] = []
  const look = async (logged: LoggedJob): Promise<void> => {
    const { job, ending, kind } = logged
    const [record, { facts }] = await Promise.all([
      records.reader.find(job.id),
      lab.transport.audit.facts(job.queue, [job.id], lab.redis),
    ])
    const say = (text: string) => found.push(`${job.id} (${kind}) ${text}`)
    if (!record) {
      if (facts[0]) say('is in Redis and has no record')
      return
    }
    const { status, run, stopping, attempts } = record
    const state = {
      status,
      run,
      stopping,
      attempts: attempts.started,
      hasPayload: record.payload !== null,
      hasTransport: record.hasTransport,
    }
    if (!isTerminal(status) || stopping || facts[0]) {
      if (isBehind(state, stateOf(facts[0])))
        say(`is ${status} in run ${run}, but ${facts[0]?.state ?? 'gone'} in Redis`)
      return
    }
    if (record.error?.code === LOST) lost.push(logged)
    else if (ending?.status !== status) {
      if (run < logged.run && status === logged.firstEnding) unheard.push(logged)
      else say(`is ${status} in run ${run}, but ended as ${ending?.status} in run ${logged.run}`)
    }
    const running = record.attemptList.find(({ outcome }) => outcome === 'running')
    if (running) say(`has ended with attempt ${running.attempt} running`)
  }
  const all = [...jobs]
  for (let from = 0; from < all.length; from += 20) {
    await Promise.all(all.slice(from, from + 20).map(look))
  }
  return { found, lost, unheard }
}
