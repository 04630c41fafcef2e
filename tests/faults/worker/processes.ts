import { spawnNode, type AppProcess } from '#tests/helpers/app'
import { transportJob } from '#tests/helpers/transport_job'
import { waitFor } from '#tests/helpers/wait'
import type { WorkerSettings } from '../../../src/worker/worker_pool.ts'
import type { QueuedeckConfig } from '../../../src/types.ts'
import type { WorkerLab } from '../../functional/worker/lab.ts'

/**
 * Starts a worker process on a lab's queues; resolves when it works.
 *
 * @param url  another way to the lab's Redis
 */
export async function startProcess(
  lab: Pick<WorkerLab, 'url' | 'prefix'>,
  options: { worker?: QueuedeckConfig['worker']; settings?: WorkerSettings } = {},
  url = lab.url
): Promise<AppProcess> {
  const child = spawnNode(
    [
      '--import=./bin/typescript.js',
      'tests/faults/worker/worker_process.ts',
      url,
      lab.prefix,
      JSON.stringify(options),
    ],
    { NODE_ENV: 'test' }
  )
  await waitFor('the worker process to work', () => child.stdout().includes('ready')).catch(
    (error) => {
      child.child.kill('SIGKILL')
      throw new Error(`${error.message}\n${child.output()}`)
    }
  )
  return child
}

/** `jobId attempt` for each start of a job's code. */
export function starts(lab: WorkerLab): Promise<string[]> {
  return lab.redis.lrange(`${lab.prefix}~starts`, 0, -1)
}

/** A job of the worker process, added as a dispatch would. */
export async function add(
  lab: WorkerLab,
  name: string,
  payload: object,
  opts: object = {},
  queue = 'default'
) {
  const job = transportJob(opts, { queue, name, data: JSON.stringify(payload) })
  await lab.transport.add([job])
  return job.id
}
