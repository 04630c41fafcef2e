/*
 * Dispatches jobs and says their ids: `producer_process.ts OPTIONS`, as JSON `{ address, prefix, jobs: ({ delay } | { at })[] }`, ms.
 */
import 'reflect-metadata'
import { WorkerLab } from '../../functional/worker/lab.ts'
import { FLEET_JOBS } from '../fleet/fleet_jobs.ts'

const { address, prefix, jobs } = JSON.parse(process.argv[2])
const lab = new WorkerLab(address, FLEET_JOBS, {}, prefix)
const payload = { ms: 1, user: 'ann' }
for (const { at, ...others } of jobs) {
  const when = at === undefined ? others : { at: new Date(at) }
  console.log(await lab.dispatch('light', payload, { queue: 'one', ...when }))
}
await lab.close()
