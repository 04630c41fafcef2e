import { once } from 'node:events'
import { spawnNode, type AppProcess } from '#tests/helpers/app'
import { waitFor } from '#tests/helpers/wait'
import type { QueuedeckConfig } from '../../../src/types.ts'
import type { WorkerSettings } from '../../../src/worker/worker_pool.ts'
import { WorkerLab } from '../../functional/worker/lab.ts'
import { type Behaviour, STORM_JOBS } from './storm_jobs.ts'
import { apartOf, Witness } from './witness.ts'

/** Score from which on a member of `delayed` is a job that is held back. */
const FAR = 1e16

/** What the gate keeps for good. */
const KEPT = new Set(['limits', 'configured', 'set', 'seq', 'turn', 'reap'])

export type StormOptions = {
  limits: NonNullable<QueuedeckConfig['limits']>
  worker?: QueuedeckConfig['worker']
  settings?: WorkerSettings
}

/**
 * Worker processes that share limits, and who counts what they do.
 */
export class StormLab {
  readonly jobs: WorkerLab
  readonly witness: Witness
  #processes = new Set<AppProcess>()

  constructor(
    url: string,
    private options: StormOptions
  ) {
    this.jobs = new WorkerLab(url, STORM_JOBS, options.worker, undefined, {}, options.limits)
    this.witness = new Witness(this.jobs.redis, this.jobs.prefix)
  }

  /** Starts a worker process; `works` waits until it works. */
  spawn(): AppProcess {
    const { url, prefix } = this.jobs
    const script = 'tests/faults/limits/storm_process.ts'
    const started = spawnNode(
      ['--import=./bin/typescript.js', script, url, prefix, JSON.stringify(this.options)],
      { NODE_ENV: 'test' }
    )
    this.#processes.add(started)
    void started.exited.then(() => this.#processes.delete(started))
    return started
  }

  async works(started: AppProcess): Promise<AppProcess> {
    await waitFor('the worker process to work', () => started.stdout().includes('ready')).catch(
      (error) => {
        throw new Error(`${error.message}\n${started.output()}`)
      }
    )
    return started
  }

  start(count: number): Promise<AppProcess[]> {
    return Promise.all(Array.from({ length: count }, () => this.works(this.spawn())))
  }

  /** Kills a process; what it ran is counted no longer. */
  async kill(victim: AppProcess): Promise<void> {
    const ended = once(victim.child, 'exit')
    victim.child.kill('SIGKILL')
    await ended
    await this.witness.died(victim.pid)
    /** Its processes for isolated jobs hold its streams until they have ended too; what its leases held may run elsewhere by then. */
    await victim.exited
    await this.witness.died(apartOf(victim.pid))
  }

  async dispatch(
    jobs: { type: string; queue: string; attempts?: number; payload: Behaviour }[]
  ): Promise<string[]> {
    const ids: string[] = []
    for (let from = 0; from < jobs.length; from += 1_000) {
      const handles = await this.jobs.manager.dispatchMany(
        jobs.slice(from, from + 1_000).map(({ type, queue, attempts = 1, payload }) => ({
          type,
          payload,
          options: { queue, user: payload.user, attempts, backoff: { type: 'fixed', delay: 50 } },
        })) as never
      )
      ids.push(...handles.map(({ jobId }) => jobId))
    }
    return ids
  }

  async completed(queues: string[]): Promise<number> {
    const depths = await this.jobs.transport.depths(queues)
    return queues.reduce((sum, queue) => sum + depths[queue].completed, 0)
  }

  /** Endings of jobs in the event streams, by job id. */
  async endings(queues: string[]): Promise<Map<string, string[]>> {
    const endings = new Map<string, string[]>()
    for await (const { event, jobId } of this.#entries(queues)) {
      if (event !== 'completed' && event !== 'failed') continue
      endings.set(jobId, [...(endings.get(jobId) ?? []), event])
    }
    return endings
  }

  /** Attempts that workers gave back without running them, or before they had ended, by job id. */
  async handedBack(queues: string[]): Promise<Map<string, number[]>> {
    const attempts = new Map<string, number[]>()
    for await (const { event, jobId, prev, ats, err, lost } of this.#entries(queues)) {
      if (event !== 'waiting' || prev !== 'active' || err !== undefined || lost !== undefined)
        continue
      attempts.set(jobId, [...(attempts.get(jobId) ?? []), Number(ats)])
    }
    return attempts
  }

  async *#entries(queues: string[]): AsyncGenerator<Record<string, string>> {
    for (const queue of queues) {
      const key = this.jobs.transport.keys.events(queue)
      let from = '-'
      while (true) {
        const rows = await this.jobs.redis.xrange(key, from, '+', 'COUNT', 5_000)
        if (rows.length === 0) break
        from = `(${rows.at(-1)![0]}`
        for (const [, fields] of rows) yield entryOf(fields)
      }
    }
  }

  async heldBack(queues: string[]): Promise<number> {
    const { redis, transport } = this.jobs
    const counts = await Promise.all(
      queues.map((queue) => redis.zcount(`${transport.keys.queue(queue)}delayed`, FAR, '+inf'))
    )
    return counts.reduce((sum, count) => sum + count, 0)
  }

  /** What the gate still keeps of jobs. */
  async leftovers(): Promise<string[]> {
    const beginning = `${this.jobs.prefix}~gate:`
    const keys = await this.jobs.redis.keys(`${beginning}*`)
    const left = keys.map((key) => key.slice(beginning.length)).filter((key) => !KEPT.has(key))
    const running = Number((await this.jobs.redis.hget(`${beginning}limits`, 'n')) ?? 0)
    return running === 0 ? left : [`${running} running`, ...left]
  }

  /** Waits until the gate keeps nothing of any job; a turn that was handed over and nobody took ends by itself. */
  async nothingLeft(within = 60_000): Promise<void> {
    let left: string[] = []
    await waitFor('nothing to be left', async () => (left = await this.leftovers()).length === 0, {
      within,
    }).catch(() => {
      throw new Error(`Left: ${left.join(', ')}`)
    })
  }

  async close(): Promise<void> {
    await Promise.all([...this.#processes].map((one) => one.stop('SIGKILL')))
    await this.jobs.close()
  }
}

function entryOf(fields: string[]): Record<string, string> {
  const entry: Record<string, string> = {}
  for (let at = 0; at < fields.length; at += 2) entry[fields[at]] = fields[at + 1]
  return entry
}
