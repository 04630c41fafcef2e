/*
 * A worker of the fleet: `fleet_process.ts OPTIONS`, as JSON `{ address, prefix, witness, limits, worker, settings }`.
 */
import 'reflect-metadata'
import { hostClient } from '#tests/helpers/redis_address'
import { WorkerLab } from '../../functional/worker/lab.ts'
import { Witness } from '../limits/witness.ts'
import { apart, FLEET_JOBS, useWitness } from './fleet_jobs.ts'

const { address, prefix, witness, limits, worker, settings } = JSON.parse(process.argv[2])
const lab = new WorkerLab(address, FLEET_JOBS, worker, prefix, {}, limits)
lab.isolation = apart(address, prefix, witness)
useWitness(new Witness(hostClient(witness), prefix))

process.on('unhandledRejection', (reason) => console.error('unhandled rejection', reason))
const pool = await lab.start(settings)
console.log('ready')
process.on('SIGTERM', () => pool.drain())

const { clean } = await pool.ended
await lab.close()
process.exit(clean ? 0 : 1)
