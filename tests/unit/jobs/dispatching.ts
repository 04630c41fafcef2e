import vine from '@vinejs/vine'
import { defineConfig } from '../../../src/config.ts'
import { useManager } from '../../../src/jobs/current_manager.ts'
import { Job } from '../../../src/jobs/job.ts'
import { QueueManager } from '../../../src/jobs/queue_manager.ts'
import { JobRegistry } from '../../../src/jobs/registry.ts'
import { ResultWaiter } from '../../../src/jobs/result_waiter.ts'
import type { NewTransportJob } from '../../../src/transport/types.ts'
import type { JobOptions } from '../../../src/types.ts'

export class Plain extends Job<any, string> {
  execute() {
    return 'done'
  }
}

export class Checked extends Job<{ id: number; at?: Date }, void> {
  static options: JobOptions = {
    name: 'tests.checked',
    queue: 'checked',
    attempts: 3,
    backoff: { type: 'exponential', delay: '2s', max: '1h', jitter: 0.2 },
    timeout: '10m',
    priority: 7,
    tags: ['type'],
  }
  static payload = vine.create({
    id: vine.number(),
    at: vine.date({ formats: ['iso8601'] }).optional(),
  })
  execute() {}
}

/** A manager whose transport keeps what it is given. */
export function setup() {
  const added: NewTransportJob[][] = []
  const manager = new QueueManager(
    defineConfig({ payloadLimit: 1_000 }),
    new JobRegistry(),
    {
      add: async (jobs) => {
        added.push(jobs)
      },
    },
    new ResultWaiter({ endingOf: async () => null, subscribe: async () => () => {} })
  )
  useManager(async () => manager)
  return { manager, added, jobs: () => added.flat() }
}
