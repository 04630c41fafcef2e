import type { WaitingReason } from '../transport/limits.ts'
import type { Transport } from '../transport/transport.ts'
import type { JobView } from '../types.ts'

/**
 * Why pending and blocked jobs wait, by id, with one question to Redis; none when no job does. Jobs that have begun meanwhile, or that
 * Redis does not know, have no reason.
 *
 * @throws E_REDIS_UNAVAILABLE
 */
export async function waitingOf(
  transport: Transport,
  jobs: Pick<JobView, 'id' | 'queue' | 'transportId' | 'status'>[]
): Promise<Map<string, WaitingReason>> {
  const pending = jobs.filter(({ status }) => status === 'pending' || status === 'blocked')
  if (pending.length === 0) return new Map()
  const reasons = await transport.limits.reasons(
    pending.map(({ queue, transportId }) => ({ queue, id: transportId }))
  )
  return new Map(
    pending.flatMap(({ id }, at) => {
      const reason = reasons[at]
      return reason ? [[id, reason]] : []
    })
  )
}
