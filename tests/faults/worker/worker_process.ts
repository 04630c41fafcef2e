/*
 * A worker in a process that tests may kill: `worker_process.ts REDIS_URL PREFIX OPTIONS`, options as JSON
 * `{ worker?: ..., settings?: ... }`. Each start of a job's code is noted in the list `PREFIX~starts`, so that a test can tell what ran.
 */
import 'reflect-metadata'
import { setTimeout as pause } from 'node:timers/promises'
import { Job } from '../../../src/jobs/job.ts'
import { useManager } from '../../../src/jobs/current_manager.ts'
import { Isolated, isolationOf } from '../../functional/worker/isolated_jobs.ts'
import { WorkerLab } from '../../functional/worker/lab.ts'
import { WatchedApart, WatchedJob } from '../../functional/worker/watched_jobs.ts'
import { takeUncaughtErrors } from '../../../src/worker/uncaught_errors.ts'

const [url, prefix, text = '{}'] = process.argv.slice(2)
const { worker = {}, settings = {} } = JSON.parse(text)

class Short extends Job<{ ms: number; deaf?: boolean; fails?: boolean }, string> {
  static options = { name: 'short' }
  async execute() {
    await lab.redis.rpush(`${prefix}~starts`, `${this.jobId} ${this.attempt}`)
    const options = this.payload.deaf ? {} : { signal: this.signal }
    await pause(this.payload.ms, undefined, options)
    if (this.payload.fails) throw new Error('as it was told')
    return 'done'
  }
}

class Spawner extends Job<{ children: number; every: number }, void> {
  static options = { name: 'spawner' }
  async execute() {
    for (let child = 0; child < this.payload.children; child++) {
      await pause(this.payload.every)
      await Short.dispatch({ ms: 1 })
    }
  }
}

/**
 * Its first attempt holds up the whole process, then reports as if nothing had happened, and returns without looking at its signal. What
 * it sees of that is in the list `PREFIX~seen`.
 */
class HeldUp extends Job<{ spin: number; then: number }, string> {
  static options = { name: 'held-up' }
  async execute() {
    const see = (what: string) => lab.redis.rpush(`${prefix}~seen`, `${what} ${Date.now()}`)
    await lab.redis.rpush(`${prefix}~starts`, `${this.jobId} ${this.attempt}`)
    if (this.attempt === 1) {
      this.signal.addEventListener('abort', () => void see(this.signal.reason.code))
      const end = performance.now() + this.payload.spin
      while (performance.now() < end);
      void see('goes on')
      await this.progress(77)
      this.log.info('stale')
    }
    await pause(this.payload.then)
    return `attempt ${this.attempt}`
  }
}

/**
 * Goes through pages, keeps after each how far it is, and notes each page in the list `PREFIX~pages`.
 */
class Reader extends Job<{ pages: number; every: number }, { from: number }> {
  static options = { name: 'reader' }
  async execute() {
    const from = (this.checkpoints.page as number | undefined) ?? 0
    for (let page = from + 1; page <= this.payload.pages; page++) {
      await pause(this.payload.every, undefined, { signal: this.signal })
      await lab.redis.rpush(`${prefix}~pages`, `${this.jobId} ${this.attempt} ${page}`)
      await this.checkpoint('page', page)
    }
    return { from }
  }
}

/** Its code goes wrong where nobody can catch it, or ends the process, and waits on. */
class Careless extends Job<{ how: 'timer' | 'promise' | 'exit' }, void> {
  static options = { name: 'careless', attempts: 2, backoff: '0s' as const }
  async execute() {
    this.log.info('begins')
    const wrong = () => {
      if (this.payload.how === 'exit') process.exit(0)
      throw new TypeError(`gone wrong in a ${this.payload.how}`)
    }
    if (this.payload.how === 'promise') void pause(1).then(wrong)
    else setTimeout(wrong, 1)
    await pause(60_000, undefined, { signal: this.signal })
  }
}

const lab: WorkerLab = new WorkerLab(
  url,
  [Short, Spawner, HeldUp, Reader, Careless, Isolated, WatchedJob, WatchedApart],
  worker,
  prefix
)
lab.isolation = isolationOf(lab)
useManager(async () => lab.manager)

const pool = await lab.start(settings)
takeUncaughtErrors(lab.surroundings.logger, (error, attempt) => pool.uncaught(error, attempt))
console.log('ready')
let signals = 0
const stop = () => (signals++ === 0 ? pool.drain() : pool.abort())
process.on('SIGTERM', stop)
process.on('SIGINT', stop)

const { clean, reason } = await pool.ended
await lab.close()
process.exit(clean && reason !== 'uncaught error' ? 0 : 1)
