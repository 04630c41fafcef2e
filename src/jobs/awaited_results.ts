import { recordId } from '../records/ids.ts'
import type { RedisClient } from '../transport/client.ts'
import { readEdges, type FlowEdge } from '../transport/flow_edges.ts'
import type { JobPlace } from '../transport/keys.ts'
import type { Transport } from '../transport/transport.ts'
import type { TransportFacts } from '../transport/transport_audit.ts'
import type { AwaitedResult, JobDetails, JobError, JobStatus } from '../types.ts'
import { readError } from './failed_reason.ts'
import { readResult } from './result_waiter.ts'

/** Jobs of which Redis is asked at once. */
const AT_ONCE = 200

const GONE: JobError = { code: 'DELETED', message: 'The job and its record were deleted' }

/**
 * What came of the jobs that a job waited for: from Redis while it has the results, else from their records. Nothing of it is copied to the
 * job that waits.
 */
export class AwaitedResults {
  constructor(
    private transport: Transport,
    private find: (id: string) => Promise<JobDetails | null>
  ) {}

  /**
   * In the order in which they were named; none for a job that waited for nobody.
   *
   * @throws E_REDIS_UNAVAILABLE, E_DATABASE_UNAVAILABLE
   */
  async of(place: JobPlace): Promise<AwaitedResult[]> {
    const edges = await this.#edges(place)
    const results = new Map<FlowEdge, AwaitedResult>()
    for (const [queue, list] of Map.groupBy(edges, (edge) => edge.queue)) {
      for (let at = 0; at < list.length;) {
        const some = list.slice(at, at + AT_ONCE)
        const facts = await this.#produce((client) =>
          this.transport.audit.facts(
            queue,
            some.map(({ id }) => id),
            client
          )
        )
        /** Of large results fewer come than were asked for. */
        for (const [index, one] of facts.facts.entries()) {
          const edge = some[index]
          results.set(edge, fromRedis(edge, one) ?? (await this.#recorded(edge)))
        }
        at += facts.facts.length
      }
    }
    return edges.map((edge) => results.get(edge)!)
  }

  async #edges({ queue, id }: JobPlace): Promise<FlowEdge[]> {
    const text = await this.#produce((client) =>
      client.hget(this.transport.keys.job(queue, id), 'opts')
    )
    const waitFor = (JSON.parse(text ?? '{}') as { qd?: { waitFor?: unknown } }).qd?.waitFor
    if (typeof waitFor !== 'number') return readEdges(waitFor)
    return this.#produce((client) => this.transport.flows.listOf({ queue, id }, client))
  }

  async #recorded({ queue, id }: JobPlace): Promise<AwaitedResult> {
    const record = await this.find(recordId(queue, id))
    if (!record) return { ...described({ queue, id }, null, 'failed'), error: GONE }
    const { type, status, result, error } = record
    return {
      ...described({ queue, id }, type, status),
      result: status === 'completed' ? readResult(result) : null,
      error,
    }
  }

  #produce<T>(ask: (client: RedisClient) => Promise<T>): Promise<T> {
    const action = 'what became of awaited jobs cannot be read'
    return this.transport.connections.produce(action, ask)
  }
}

function fromRedis(place: JobPlace, facts: TransportFacts | null): AwaitedResult | null {
  if (facts === null) return null
  const { state, name, returnvalue, failedReason, cancelRequest } = facts
  if (state === 'completed') {
    /** Results leave Redis before their jobs do. */
    if (returnvalue === null) return null
    return { ...described(place, name, 'completed'), result: readResult(returnvalue) }
  }
  if (state !== 'failed') return null
  const status = cancelRequest === null ? 'failed' : 'cancelled'
  return { ...described(place, name, status), error: readError(failedReason) }
}

function described({ queue, id }: JobPlace, type: string | null, status: JobStatus): AwaitedResult {
  return { jobId: recordId(queue, id), queue, type, status, result: null, error: null }
}
