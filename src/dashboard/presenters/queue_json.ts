import type { QueueView } from '../../operations/queue_views.ts'
import { iso } from './job_json.ts'

/**
 * A queue as programs get it.
 */
export function queueJson({ oldest, limit, ...queue }: QueueView) {
  return {
    ...queue,
    oldest: oldest && { id: oldest.id, createdAt: iso(oldest.createdAt) },
    limit: { ...limit, set: limit.set && { by: limit.set.by, at: iso(limit.set.at) } },
  }
}
