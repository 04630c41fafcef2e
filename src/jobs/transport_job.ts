import { storedEdges, type AwaitedLookup, type FlowEdge } from '../transport/flow_edges.ts'
import type { Duplicates, NewTransportJob } from '../transport/types.ts'
import { delayOf, type ResolvedDispatchOptions } from './options.ts'

/**
 * The part of the transport that dispatching needs.
 */
export type JobTransport = {
  add(jobs: NewTransportJob[], lookup?: AwaitedLookup): Promise<Duplicates | undefined>
}

/**
 * A checked dispatch as the transport takes it: BullMQ's own options where it has them, the rest below `qd`.
 *
 * @param now moment of the dispatch, epoch ms
 * @param edges what it waits for
 */
export function toTransportJob(
  type: string,
  jobId: string,
  queue: string,
  json: string,
  options: ResolvedDispatchOptions,
  now: number,
  edges?: FlowEdge[]
): NewTransportJob {
  const { user, tags, timeout, sensitive, backoff, attempts, priority, unique, schedule } = options
  const delay = delayOf(options, now)
  const repeats = attempts !== undefined && attempts > 1
  const qd = {
    ...(user === undefined ? undefined : { user }),
    ...(tags === undefined || tags.length === 0 ? undefined : { tags }),
    ...(timeout === undefined ? undefined : { timeout }),
    ...(sensitive === true ? { sensitive: true as const } : undefined),
    ...(options.at === undefined ? undefined : { at: options.at.getTime() }),
    ...(unique === undefined ? undefined : { unique }),
    ...(edges === undefined ? undefined : { waitFor: storedEdges(edges) }),
    ...(schedule === undefined ? undefined : { schedule }),
  }
  return {
    ...(edges === undefined ? undefined : { waitFor: edges }),
    id: jobId,
    queue,
    name: type,
    data: json,
    opts: {
      timestamp: now,
      ...(delay === 0 ? undefined : { delay }),
      ...(priority ? { priority } : undefined),
      ...(repeats ? { attempts } : undefined),
      /** Without one BullMQ repeats at once; `qd` is the worker's own default. */
      ...(backoff || repeats ? { backoff: backoff ?? { type: 'qd' as const } } : undefined),
      ...(Object.keys(qd).length === 0 ? undefined : { qd }),
    },
  }
}
