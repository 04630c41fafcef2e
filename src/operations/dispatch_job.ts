import type { JobHandle } from '../jobs/job_handle.ts'
import type { QueueManager } from '../jobs/queue_manager.ts'
import type { Transport } from '../transport/transport.ts'
import type { Actor, DispatchOptions } from '../types.ts'

/**
 * Dispatches a job that a person or program asked for: what the application's own code dispatches is in no audit.
 */
export class DispatchJob {
  constructor(
    private queue: QueueManager,
    private transport: Pick<Transport, 'trail'>
  ) {}

  /**
   * @param to  the queue it goes to, as far as is known
   * @throws E_UNKNOWN_TYPE, E_PAYLOAD_INVALID, E_INVALID_OPTION, E_INVALID_DURATION, E_REDIS_UNAVAILABLE
   */
  handle(
    type: string,
    payload: unknown,
    options: DispatchOptions,
    { actor, to }: { actor: Actor; to: string }
  ): Promise<JobHandle> {
    return this.transport.trail.act(
      { actor, action: 'dispatch', target: { kind: 'queue', id: to }, detail: { type } },
      async () => this.queue.dispatch(type, payload, options),
      ({ jobId, queue, duplicate }) => ({
        target: { kind: 'job', id: jobId },
        ...(duplicate ? { outcome: 'refused', reason: 'This job holds the unique key' } : {}),
        detail: { queue: queue ?? to },
      })
    )
  }
}
