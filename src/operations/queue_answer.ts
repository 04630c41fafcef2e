import type { Transport } from '../transport/transport.ts'
import { findQueue, type QueueDependencies, type QueueView } from './queue_views.ts'

/**
 * What an operation on a queue answers.
 *
 * `changed`: false when the queue was so already.
 */
export type QueueAnswer = { outcome: 'done'; changed: boolean; queue: QueueView }

/**
 * Tells open pages to look again, and reads how the queue stands now. What was done stays done when Redis goes away in between.
 */
export async function answerOf(
  dependencies: QueueDependencies,
  name: string,
  changed: boolean
): Promise<QueueAnswer> {
  if (changed) await tellPages(dependencies.transport)
  return { outcome: 'done', changed, queue: await findQueue(dependencies, name) }
}

/** Tells open pages to look again. */
export async function tellPages(transport: Transport): Promise<void> {
  await transport.connections.produce('open pages were not told', (client) =>
    transport.changes.publish({ changed: [], more: true, progress: [], lag: 0 }, client)
  )
}
