import type { RedisClient } from '../transport/client.ts'
import type { WorkerRegistry } from '../transport/worker_registry.ts'
import { WORKER_FORGOTTEN_AFTER } from '../transport/worker_times.ts'
import type { MirrorLogger } from './ports.ts'

/**
 * Takes workers off the list that have not reported for five minutes: they were killed, or their host is gone. Runs beside the mirror, so
 * in one process; several at once do no harm. The jobs that such a worker held went on long before, when their locks ran out.
 */
export class WorkerSweep {
  constructor(
    private registry: Pick<WorkerRegistry, 'list' | 'removeSilent'>,
    private logger: MirrorLogger,
    private redis: RedisClient
  ) {}

  /**
   * @returns ids of the workers that this call removed
   */
  async run(): Promise<string[]> {
    const removed: string[] = []
    for (const { id, age } of await this.registry.list(this.redis)) {
      if (age < WORKER_FORGOTTEN_AFTER) continue
      if (!(await this.registry.removeSilent(id, WORKER_FORGOTTEN_AFTER, this.redis))) continue
      removed.push(id)
      this.logger.warn(
        { worker: id, silent: age },
        'A worker has not reported for five minutes and is off the list'
      )
    }
    return removed
  }
}
