import { E_BULK_NOT_FOUND } from '../../errors.ts'
import type { BulkLedger } from '../../records/bulk.ts'
import type { BulkOperation } from '../../records/bulk/bulk_rows.ts'
import { isUuid } from '../../records/ids.ts'
import type { Transport } from '../../transport/transport.ts'
import type { Actor } from '../../types.ts'
import { shown } from '../../shown.ts'

export type StopAnswer = {
  outcome: 'requested' | 'too_late'
  reason: string | null
  operation: BulkOperation
}

/**
 * Stops an action on many jobs: what was done stays done, the jobs that are left are left alone.
 */
export class StopBulk {
  constructor(private dependencies: { transport: Pick<Transport, 'trail'>; bulk: BulkLedger }) {}

  /**
   * @throws E_BULK_NOT_FOUND, E_REDIS_UNAVAILABLE, E_DATABASE_UNAVAILABLE
   */
  async handle(id: string, actor: Actor): Promise<StopAnswer> {
    const { transport, bulk } = this.dependencies
    await findBulk(bulk, id)
    return transport.trail.act(
      { actor, action: 'stop_bulk', target: { kind: 'bulk', id } },
      async () => {
        const isAsked = await bulk.stop(id)
        const operation = await findBulk(bulk, id)
        return isAsked
          ? { outcome: 'requested' as const, reason: null, operation }
          : { outcome: 'too_late' as const, reason: 'It has ended already', operation }
      }
    )
  }
}

/**
 * @throws E_BULK_NOT_FOUND, E_DATABASE_UNAVAILABLE
 */
export async function findBulk(bulk: BulkLedger, id: string): Promise<BulkOperation> {
  const found = isUuid(id) ? await bulk.find(id) : null
  if (!found) throw new E_BULK_NOT_FOUND([shown(id, 100)])
  return found
}
