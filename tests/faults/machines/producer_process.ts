/*
 * Dispatches one job and says its id: `producer_process.ts OPTIONS`, as JSON `{ address, prefix, options: { delay } | { at } }`, ms.
 */
import 'reflect-metadata'
import { WorkerLab } from '../../functional/worker/lab.ts'
import { FLEET_JOBS } from '../fleet/fleet_jobs.ts'

const { address, prefix, options } = JSON.parse(process.argv[2])
const lab = new WorkerLab(address, FLEET_JOBS, {}, prefix)
const { at, ...others } = options
const when = at === undefined ? others : { at: new Date(at) }
const payload = { ms: 1, user: 'ann' }
console.log(await lab.dispatch('light', payload, { queue: 'one', ...when }))
await lab.close()
