import type { Alerts } from '../../alerts/alerts.ts'
import { E_DATABASE_UNAVAILABLE } from '../../errors.ts'
import { readQueues, type QueueView } from '../../operations/queue_views.ts'
import { readMirrorStatus, type MirrorStatus } from '../../mirror/mirror_status.ts'
import type { Reader } from '../../records/reader.ts'
import type { StatusCounts } from '../../records/reader_types.ts'
import type { LimitsView } from '../../transport/limits.ts'
import type { Transport } from '../../transport/transport.ts'
import type { AlertView, JobView, WorkerView } from '../../types.ts'
import { Source } from './source.ts'

/** Jobs that run, which the view may show. */
const MOST_RUNNING = 100

/** Over how long the rate of ended jobs is taken, ms. */
const RATE_OVER = 10_000

export type RedisPart = {
  queues: QueueView[]
  workers: WorkerView[]
  limits: LimitsView
  mirror: MirrorStatus | null
}

export type RecordsPart = {
  counts: StatusCounts
  running: JobView[]
  /** Open ones that are not muted, newest first. */
  alerts: Pick<AlertView, 'title' | 'text' | 'openedAt'>[]
  /** Jobs that ended in a second, over the last ten; null until that is known. */
  rate: number | null
}

/** Everything the view shows at one moment. */
export type Snapshot = {
  prefix: string
  now: number
  redis: Pick<Source<RedisPart>, 'value' | 'at' | 'away'>
  records: Pick<Source<RecordsPart>, 'value' | 'at' | 'away'>
}

/**
 * What the view is made of: one side from Redis, the other from the records, each away or not.
 */
export class Snapshots {
  readonly redis: Source<RedisPart>
  readonly records: Source<RecordsPart>
  #ended: { at: number; jobs: number }[] = []

  constructor(
    private transport: Transport,
    private reader: Reader,
    private alerts: Pick<Alerts, 'open'>,
    private now: () => number = Date.now
  ) {
    this.redis = new Source(() => this.#readRedis(), now)
    this.records = new Source(() => this.#readRecords(), now)
  }

  get(): Snapshot {
    const { redis, records, transport } = this
    return { prefix: transport.keys.prefix, now: this.now(), redis, records }
  }

  async #readRedis(): Promise<RedisPart> {
    const { transport } = this
    const page: Reader['page'] = async (query) => {
      /** The other side of the view waits for the database: this one does without. */
      if (this.records.away) throw new E_DATABASE_UNAVAILABLE(['none is listed', 'it is away'])
      return this.reader.page(query)
    }
    const [queues, workers, limits, mirror] = await Promise.all([
      readQueues({ transport, reader: { page } }),
      transport.workers.seen(),
      transport.limits.view(),
      readMirrorStatus(transport),
    ])
    return { queues, workers, limits, mirror }
  }

  async #readRecords(): Promise<RecordsPart> {
    const [counts, running, open] = await Promise.all([
      this.reader.counts(),
      this.reader.runningNow(MOST_RUNNING),
      this.alerts.open(),
    ])
    const at = this.now()
    const ended = counts.completed + counts.failed + counts.cancelled
    /** Some were deleted or restarted: how many ended meanwhile cannot be told. */
    if (ended < (this.#ended.at(-1)?.jobs ?? 0)) this.#ended = []
    this.#ended.push({ at, jobs: ended })
    while (this.#ended.length > 2 && at - this.#ended[1].at >= RATE_OVER) this.#ended.shift()
    const [first] = this.#ended
    const { jobs } = this.#ended.at(-1)!
    const rate = at > first.at ? Math.max(0, jobs - first.jobs) / ((at - first.at) / 1_000) : null
    return { counts, running, rate, alerts: open.filter(({ mute }) => mute === null) }
  }
}
