import { Cleanup, type CleanupDependencies } from '../../../src/cleanup/cleanup.ts'
import { defineConfig } from '../../../src/config.ts'
import type { Records } from '../../../src/records/records.ts'
import type { FoldResult, JobKey, StoredJob } from '../../../src/records/writer_types.ts'
import type { QueuedeckConfig } from '../../../src/types.ts'
import { type Lab, silent } from '../mirror/lab.ts'
import { nothing } from '../records/lab.ts'

export const DAY = 86_400_000

/**
 * A cleanup of a lab's Redis and these records, whose clock a test sets.
 */
export class CleanupLab {
  /** How far the cleanup's clock is ahead of the machine's, ms. */
  ahead = 0

  constructor(
    readonly lab: Lab,
    readonly records: Records
  ) {}

  dependencies(config: QueuedeckConfig = {}): CleanupDependencies {
    return {
      transport: this.lab.transport,
      records: this.records,
      config: defineConfig(config),
      logger: silent,
      now: () => Date.now() + this.ahead,
      patience: 300,
    }
  }

  cleanup(config: QueuedeckConfig = {}): Cleanup {
    return new Cleanup(this.dependencies(config))
  }

  /** Writes records of jobs that Redis never knew, as the mirror would. */
  async write(
    keys: JobKey[],
    change: (job: StoredJob, out: FoldResult, index: number) => void
  ): Promise<void> {
    await this.records.writer.apply({ cursors: [], jobs: keys }, (stored) => {
      const out = nothing()
      stored.forEach((job, index) => {
        change(job, out, index)
        job.version++
        out.jobs.push(job)
      })
      return [out]
    })
  }

  /** How many rows each table holds. */
  async rows(): Promise<Record<string, number>> {
    const counts: Record<string, number> = {}
    for (const table of ['jobs', 'bodies', 'attempts', 'runs', 'events', 'logs', 'tags']) {
      const [{ n }] = await this.records.db.all(`select count(*) as n from queuedeck_${table}`)
      counts[table] = Number(n)
    }
    return counts
  }
}
