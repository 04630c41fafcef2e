/*
 * A process for isolated jobs of the storm: `storm_apart.ts REDIS_URL PREFIX`. It ends a little later than a worker that is killed, and is counted so long.
 */
import 'reflect-metadata'
import { IsolatedJobs } from '../../../src/worker/isolation/isolated_jobs.ts'
import { WorkerLab } from '../../functional/worker/lab.ts'
import { STORM_JOBS, useWitness } from './storm_jobs.ts'
import { apartOf, Witness } from './witness.ts'

const [url, prefix] = process.argv.slice(2)
const lab = new WorkerLab(url, STORM_JOBS, {}, prefix)
useWitness(new Witness(lab.redis, prefix, apartOf(process.ppid)))
const jobs = new IsolatedJobs(lab.surroundings)
await jobs.start()
await jobs.ended
await lab.close()
process.exit()
