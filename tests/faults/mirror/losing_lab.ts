import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { compareIds } from '../../../src/mirror/entries.ts'
import type { Records } from '../../../src/records/records.ts'
import { Lab } from '../../functional/mirror/lab.ts'
import { migrate, openRecords } from '../../functional/mirror/records.ts'
import type { TestDatabase } from '#tests/helpers/databases'
import { redisServer, type PrivateServer } from '#tests/helpers/servers'
import { waitFor } from '#tests/helpers/wait'
import { falseClaims } from './claims.ts'
import { QUEUES, Workload, type LoggedJob } from './workload.ts'

export const pause = (milliseconds: number) =>
  new Promise((resolve) => setTimeout(resolve, milliseconds))

/** A worker that died, or whose Redis forgot that it had taken a job, is noticed within some 3 s. */
const WORKERS = { lockDuration: 2_000, stalledInterval: 700, maxStalledCount: 100 }

/**
 * A Redis that writes a log of what it holds, and a workload that is mirrored from it: for tests that take something away from
 * that Redis.
 */
export class LosingLab {
  readonly redis: PrivateServer
  readonly records: Records
  readonly lab: Lab
  readonly workload: Workload

  private constructor(redis: PrivateServer, records: Records) {
    this.redis = redis
    this.records = records
    this.lab = new Lab(redis.url)
    this.workload = new Workload(this.lab)
    this.workload.isForgiving = true
  }

  static async open({ connection }: TestDatabase): Promise<LosingLab> {
    await migrate(connection)
    const redis = await redisServer({ own: true, appendOnly: true })
    const losing = new LosingLab(redis, openRecords(connection))
    losing.lab.mirror(losing.records, { janitor: { every: 200 } })
    losing.workload.work(5, WORKERS)
    return losing
  }

  async load(jobs: number): Promise<void> {
    for (let made = 0; made < jobs; made += 20) {
      if (made > 0) await pause(20)
      await this.workload.dispatch(20)
    }
  }

  /** What records claim, once all jobs have ended and the mirror has written all that it was told. */
  async settled() {
    await waitFor(
      'the workers to have nothing to do',
      async () =>
        (await this.#isIdle()) && !(await this.workload.isRestarting()) && (await this.#isIdle()),
      { within: 60_000 }
    )
    await this.lab.written(this.records, QUEUES, 60_000)
    return falseClaims(this.lab, this.records, this.workload.log.values())
  }

  async #isIdle(): Promise<boolean> {
    const depths = Object.values(await this.lab.transport.depths(QUEUES, this.lab.redis))
    return depths.every(({ pending, running, scheduled }) => pending + running + scheduled === 0)
  }

  /**
   * The records, as texts that tell their status, run and history, by id.
   */
  async told(): Promise<Map<string, string>> {
    const told = new Map<string, string>()
    for (const id of this.workload.log.keys()) {
      const record = await this.records.reader.find(id)
      if (!record) continue
      const kinds = record.events.map(({ kind }) => kind)
      told.set(id, `${record.status} in run ${record.run}: ${kinds.join(', ')}`)
    }
    return told
  }

  /**
   * Kills Redis in the middle of its work, takes something from its data, and starts it again.
   *
   * @returns whether the records had taken in, before that, that a second run of a job was opened
   */
  async lose(take: () => Promise<void>): Promise<(job: LoggedJob) => boolean> {
    const opened = await this.#openedRuns()
    await this.redis.kill()
    const cursors = await this.records.writer.cursors(QUEUES)
    await take()
    await this.redis.start()
    return ({ job: { id, queue } }) =>
      opened.has(id) && compareIds(opened.get(id)!, cursors.get(queue)!.lastId) <= 0
  }

  /** Everything. */
  async empty(): Promise<void> {
    for (const name of ['appendonlydir', 'appendonly.aof'])
      await rm(join(this.redis.directory, name), { recursive: true, force: true })
  }

  /** The entries that opened second runs, by job. */
  async #openedRuns(): Promise<Map<string, string>> {
    const opened = new Map<string, string>()
    const added = new Set<string>()
    for (const queue of QUEUES) {
      const key = this.lab.transport.keys.events(queue)
      for (const [id, list] of await this.lab.redis.xrange(key, '-', '+')) {
        const event = list[list.indexOf('event') + 1]
        const job = list[list.indexOf('jobId') + 1]
        if (event === 'restarted' || (event === 'added' && added.has(job))) opened.set(job, id)
        if (event === 'added') added.add(job)
      }
    }
    return opened
  }

  async close(): Promise<void> {
    await this.lab.close()
    await this.records.close()
    await this.redis.stop()
  }
}
