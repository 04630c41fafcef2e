import type { OpenPlace } from '../records/writer/open_jobs.ts'
import type { Mirror } from './mirror.ts'
import type { MirrorDependencies } from './ports.ts'
import type { Reconcile } from './reconcile.ts'

/** Records that one look takes. */
const PAGE = 500

/**
 * Finds jobs that left Redis without an entry in their stream: `drain`, `clean` and `obliterate` of plain BullMQ say nothing of them, nor
 * does its scheduler of the job that it replaces. Goes round the records that have not ended, a page at a time and queue after queue;
 * those that Redis does not hold are compared with it.
 */
export class OpenSweep {
  #queue = ''
  #after: OpenPlace | undefined

  constructor(
    private mirror: Pick<Mirror, 'positions'>,
    private reconcile: Pick<Reconcile, 'ask'>,
    private dependencies: Pick<MirrorDependencies, 'transport' | 'writer' | 'redis'>
  ) {}

  async run(): Promise<void> {
    const { transport, writer, redis } = this.dependencies
    const queue = this.#next()
    if (queue === undefined || this.mirror.positions.get(queue)!.notes.audit) return
    const page = { after: this.#after, limit: PAGE, unended: true }
    const open = await writer.openJobs(queue, page)
    this.#after = open.length < PAGE ? undefined : open.at(-1)!.place
    if (open.length === 0) return
    const pipeline = redis.pipeline()
    for (const { transportId } of open) pipeline.exists(transport.keys.job(queue, transportId))
    const answers = (await pipeline.exec()) ?? []
    const gone = open.filter((_, at) => answers[at]?.[1] === 0)
    this.reconcile.ask(
      queue,
      gone.map(({ transportId }) => transportId)
    )
  }

  /** The queue that is gone through, or the one behind it. */
  #next(): string | undefined {
    const queues = [...this.mirror.positions.keys()].sort()
    if (this.#after && this.mirror.positions.has(this.#queue)) return this.#queue
    this.#after = undefined
    this.#queue = queues.find((queue) => queue > this.#queue) ?? queues[0] ?? ''
    return queues.length === 0 ? undefined : this.#queue
  }
}
