/*
 * A worker with limits in a process that tests may kill, freeze or stop: `storm_process.ts REDIS_URL PREFIX OPTIONS`, options
 * as JSON `{ limits, worker?, settings? }`.
 */
import 'reflect-metadata'
import { WorkerLab } from '../../functional/worker/lab.ts'
import { apart, STORM_JOBS, useWitness } from './storm_jobs.ts'
import { Witness } from './witness.ts'

const [url, prefix, text] = process.argv.slice(2)
const { limits, worker = {}, settings = {} } = JSON.parse(text)
const lab = new WorkerLab(url, STORM_JOBS, worker, prefix, {}, limits)
lab.isolation = apart(lab)
useWitness(new Witness(lab.redis, prefix))

process.on('unhandledRejection', (reason) => console.error('unhandled rejection', reason))
const pool = await lab.start(settings)
console.log('ready')
process.on('SIGTERM', () => pool.drain())

const { clean } = await pool.ended
await lab.close()
process.exit(clean ? 0 : 1)
