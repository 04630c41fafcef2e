/*
 * A process for the isolated jobs of a lab's workers: `isolated_process.ts REDIS_URL PREFIX`.
 */
import 'reflect-metadata'
import { useManager } from '../../../src/jobs/current_manager.ts'
import { IsolatedJobs } from '../../../src/worker/isolation/isolated_jobs.ts'
import { Isolated } from './isolated_jobs.ts'
import { WorkerLab } from './lab.ts'
import { WatchedApart } from './watched_jobs.ts'

const [url, prefix] = process.argv.slice(2)
const lab = new WorkerLab(url, [Isolated, WatchedApart], {}, prefix)
useManager(async () => lab.manager)
const jobs = new IsolatedJobs(lab.surroundings)
await jobs.start()
await jobs.ended
await lab.close()
process.exit()
