import { isTerminal } from '../statuses.ts'
import type { ChangeNotice, JobError, JobStatus } from '../types.ts'
import { readCancellation, readError } from './failed_reason.ts'
import type { EndingSource, JobEnding } from './result_waiter.ts'

/**
 * What Redis knows about one job: `state` is BullMQ's.
 */
type TransportFacts = {
  state: string
  returnvalue: string | null
  failedReason: string | null
  cancelRequest: string | null
}

type JobRecord = {
  queue: string
  transportId: string
  status: JobStatus
  error: JobError | null
  result: string | null
}

/**
 * Where endings are looked up: Redis first, since it knows them first; the record answers once the transport is gone, or while
 * nobody has named the queue.
 */
export class TransportAndRecord implements EndingSource {
  constructor(
    private transport: {
      facts(queue: string, id: string): Promise<TransportFacts | null>
      subscribe(listener: (notice: ChangeNotice) => void): Promise<() => void>
    },
    private findRecord: (id: string) => Promise<JobRecord | null>
  ) {}

  async endingOf(jobId: string, queue: string | null): Promise<JobEnding | null | 'missing'> {
    if (queue !== null) {
      const facts = await this.transport.facts(queue, jobId)
      if (facts !== null && !isForgotten(facts)) return endingInRedis(facts)
    }
    const record = await this.findRecord(jobId)
    if (record === null) return 'missing'
    if (queue === null) {
      const facts = await this.transport.facts(record.queue, record.transportId)
      /** A record may lag behind; Redis says what is so now. */
      if (facts !== null && !isForgotten(facts)) return endingInRedis(facts)
    }
    return isTerminal(record.status) ? endingInRecord(record) : null
  }

  subscribe(listener: (notice: ChangeNotice) => void): Promise<() => void> {
    return this.transport.subscribe(listener)
  }
}

/** Results leave Redis before their jobs do; BullMQ itself gives every completed job one, if only "null". */
function isForgotten({ state, returnvalue }: TransportFacts): boolean {
  return state === 'completed' && returnvalue === null
}

function endingInRedis(facts: TransportFacts): JobEnding | null {
  const { state, returnvalue, failedReason, cancelRequest } = facts
  if (cancelRequest !== null) return { status: 'cancelled', ...readCancellation(facts) }
  if (state === 'completed') return { status: 'completed', result: returnvalue }
  if (state === 'failed') return { status: 'failed', ...readError(failedReason) }
  return null
}

function endingInRecord({ status, error, result }: JobRecord): JobEnding {
  if (status === 'completed') return { status, result }
  return {
    status: status === 'cancelled' ? 'cancelled' : 'failed',
    code: error?.code ?? null,
    message: error?.message ?? '',
  }
}
