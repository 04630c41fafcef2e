import { type Lead, LedService, type LedServiceOptions } from '../transport/led_service.ts'
import type { AwaitedOutcome } from '../transport/flow_edges.ts'
import type { JobPlace } from '../transport/keys.ts'
import type { Transport } from '../transport/transport.ts'
import type { AwaitedJobs } from './awaited_jobs.ts'

export type FlowKeeperOptions = {
  transport: Transport
  awaited: Pick<AwaitedJobs, 'ends'>
  logger: LedServiceOptions['logger']
  /** For tests: length of the lease and pause between looks, ms. */
  lease?: number
  look?: number
}

const LEASE = 3_000
const LOOK = 250
const AFTER_FAILURE = 1_000

/** Awaited jobs that one turn looks at. */
const LOOKED_AT = 250

/**
 * Keeps flows going where no finish does: large fans are released piece by piece, and ends that nobody told are found: of jobs that workers
 * of plain BullMQ ran, that other tools removed, or whose worker was killed in the wrong moment. One of all processes does it; it needs no
 * database but for jobs that Redis has forgotten.
 */
export class FlowKeeper extends LedService {
  #options: FlowKeeperOptions

  constructor(options: FlowKeeperOptions) {
    const { transport, logger, lease = LEASE, look = LOOK } = options
    super({ transport, logger, name: 'flows', lease, every: look, afterFailure: AFTER_FAILURE })
    this.#options = options
  }

  protected async turn({ redis, signal }: Lead): Promise<void> {
    const { flows } = this.#options.transport
    if (!(await flows.areThere(redis))) return
    let { more, gone } = await flows.keep(redis, { look: LOOKED_AT })
    if (gone.length > 0) {
      const said = await this.#ended(gone)
      if (said.length > 0) ({ more } = await flows.keep(redis, { look: 0, said }))
    }
    while (more && !signal.aborted) ({ more } = await flows.keep(redis, { look: 0 }))
  }

  /** Without a record a job was deleted, which counts as its failure; of an open one the mirror has not heard yet what became of it. */
  async #ended(gone: JobPlace[]): Promise<[JobPlace, AwaitedOutcome][]> {
    const ends = await this.#options.awaited.ends(gone).catch(() => gone.map(() => 'open' as const))
    return gone.flatMap((place, at): [JobPlace, AwaitedOutcome][] => {
      const end = ends[at]
      if (end === 'open') return []
      return [[place, end === 'missing' ? 'f' : end]]
    })
  }
}
