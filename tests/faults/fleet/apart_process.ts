/*
 * A process for isolated jobs of the fleet: `apart_process.ts ADDRESS PREFIX WITNESS`. It ends a little later than a worker that is killed or stopped, and is counted so long.
 */
import 'reflect-metadata'
import { hostClient } from '#tests/helpers/redis_address'
import { IsolatedJobs } from '../../../src/worker/isolation/isolated_jobs.ts'
import { WorkerLab } from '../../functional/worker/lab.ts'
import { apartOf, Witness } from '../limits/witness.ts'
import { FLEET_JOBS, useWitness } from './fleet_jobs.ts'

const [address, prefix, url] = process.argv.slice(2)
const lab = new WorkerLab(address, FLEET_JOBS, {}, prefix)
const witness = hostClient(url)
useWitness(new Witness(witness, prefix, apartOf(process.ppid)))
const jobs = new IsolatedJobs(lab.surroundings)
await jobs.start()
await jobs.ended
await lab.close()
process.exit()
