import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import type { ResolvedConfig } from '../types.ts'
import type { MetricsKeeper } from '../records/metrics/main.ts'
import type { RedisClient } from '../transport/client.ts'
import type { Lease } from '../transport/lease.ts'
import type { Transport } from '../transport/transport.ts'
import { AuditMover, type AuditWriter } from './audit_mover.ts'
import { Janitor, type TransportClocks } from './janitor.ts'
import { Mirror } from './mirror.ts'
import { behindOf, writeMirrorStatus, type MirrorStatus } from './mirror_status.ts'
import type { MirrorDependencies, MirrorLogger, MirrorWriter } from './ports.ts'
import { MetricsUpkeep } from './metrics_upkeep.ts'
import { OpenSweep } from './open_sweep.ts'
import { OtherDatabase } from './other_database.ts'
import { QueueDiscovery } from './queue_discovery.ts'
import { readerAddress } from './reader_address.ts'
import { Reconcile } from './reconcile.ts'
import { wait } from '../time/wait.ts'
import { within } from '../time/within.ts'
import { StreamReader } from './stream_reader.ts'
import { WorkerSweep } from './worker_sweep.ts'

export type MirrorServiceOptions = {
  transport: Transport
  /** `ready` throws while the database is away or lacks our tables. Tests that look at jobs alone give no more than the writer. */
  records: {
    ready(): Promise<void>
    readonly writer: MirrorWriter
    readonly identity?: { make(): Promise<string> }
    readonly audit?: AuditWriter
    readonly metricsKeeper?: MetricsKeeper
  }
  config: Pick<ResolvedConfig, 'queues'> & { kept: TransportClocks }
  logger: MirrorLogger
  /** A process of its own: those inside web and worker processes then stand by. */
  dedicated?: boolean
  /** Entries in one transaction. Default 4,000 in a process of its own, else 1,000. */
  batch?: number
  /** For tests. */
  janitor?: { every?: number; trail?: number; longest?: number }
  /** Told when this process takes or loses the lead. */
  onLead?: (isLeader: boolean) => void
}

/** A leader that is killed is replaced after this long, ms, and the pause of whoever waits for it. */
const LEASE = 3_000
const RENEW = 750
const STAND_BY = 500

/** How often new queues are looked for, and how often the leader reports. */
const LOOK = 250
const REPORT = 1_000

/** How often what people did is moved into the audit, ms. */
const MOVE = 500

/** How often silent workers are looked for and hosts are sampled, and how often hours are summed up, ms. */
const SWEEP = 10_000
const SUM_UP = 30_000

/** How often some records that have not ended are looked for in Redis, ms. */
const COMPARE = 2_000

/** How long stopping may take before connections are cut, ms. */
const PATIENCE = 2_000

/**
 * The mirror as a service of a process: it waits for Redis, the database and its tables, takes the lead when nobody has it,
 * and mirrors until it is stopped. The lease saves work and is no guard: two mirrors at once do no harm.
 */
export class MirrorService {
  readonly owner = `${hostname()}:${process.pid}:${randomBytes(4).toString('hex')}`

  #options: MirrorServiceOptions
  #stopping = new AbortController()
  #running: Promise<unknown> | undefined
  #redis: RedisClient | undefined
  #lease: Lease | undefined
  #isLeader = false
  #database: string | undefined
  #other: OtherDatabase | undefined

  constructor(options: MirrorServiceOptions) {
    this.#options = options
  }

  /** Whether this process mirrors. */
  get isLeader(): boolean {
    return this.#isLeader
  }

  /**
   * Starts to wait for the lead. Never throws: what is away is waited for.
   */
  start(): void {
    if (this.#running || this.#stopping.signal.aborted) return
    const { transport } = this.#options
    this.#redis = transport.connections.open('mirror')
    this.#other = new OtherDatabase(transport, this.#redis, this.#options.logger)
    this.#lease = transport.lease('mirror', this.owner, {
      milliseconds: LEASE,
      client: this.#redis,
    })
    const { signal } = this.#stopping
    this.#running = Promise.all([
      this.#run(signal),
      repeatedly(SWEEP, signal, () => this.#lookAtDatabases()),
    ])
  }

  /**
   * Ends after the transaction under way and gives the lead back. Takes at most some 3 s, also when Redis or SQL is away.
   */
  async stop(): Promise<void> {
    this.#stopping.abort()
    if (!this.#running || !this.#redis) return
    const running = this.#running
    await within(PATIENCE, running)
    await this.#options.transport.connections.close(this.#redis)
    await within(PATIENCE / 2, running)
  }

  async #run(signal: AbortSignal): Promise<void> {
    await this.#recordsReady(signal)
    while (!signal.aborted) {
      try {
        if (await this.#mayLead()) await this.#lead(signal)
      } catch (error) {
        if (signal.aborted) return
        this.#options.logger.warn({ err: error }, 'Mirror: interrupted, goes on')
      }
      await wait(STAND_BY, signal)
    }
  }

  async #recordsReady(signal: AbortSignal): Promise<void> {
    let said = ''
    while (!signal.aborted) {
      try {
        return await this.#options.records.ready()
      } catch (error) {
        const { message } = error as Error
        if (message !== said)
          this.#options.logger.warn({ err: error }, 'Mirror: waits for the database')
        said = message
      }
      await wait(1_000, signal)
    }
  }

  async #lookAtDatabases(): Promise<void> {
    this.#database = await this.#options.records.identity?.make()
    if (this.#database === undefined) return
    await (this.#isLeader
      ? this.#other!.leads(this.#database)
      : this.#other!.follows(this.#database))
  }

  async #mayLead(): Promise<boolean> {
    const { transport, dedicated } = this.#options
    const preferred = transport.keys.lease('mirror-process')
    if (dedicated) await this.#redis!.set(preferred, this.owner, 'PX', LEASE)
    else if (await this.#redis!.exists(preferred)) {
      if (this.#isLeader) await this.#lease!.release()
      return false
    }
    return this.#lease!.acquire()
  }

  async #lead(stopping: AbortSignal): Promise<void> {
    const {
      transport,
      records,
      logger,
      config,
      dedicated,
      batch,
      janitor: cleaning,
    } = this.#options
    const redis = this.#redis!
    const dependencies: MirrorDependencies = { transport, writer: records.writer, redis, logger }
    const reader = new StreamReader(() => readerAddress(redis, transport.keys.events('~')))
    const mirror = new Mirror(dependencies, reader, {
      batch: batch ?? (dedicated ? 4_000 : 1_000),
    })
    const reconcile = new Reconcile(mirror, dependencies)
    const janitor = new Janitor(mirror, dependencies, { kept: config.kept, ...cleaning })

    const discovery = new QueueDiscovery(transport, redis, (queues) =>
      logger.info({ queues }, 'Mirror: found queues that other programs fill')
    )
    const workers = new WorkerSweep(transport.workers, logger, redis)
    const audit = records.audit && new AuditMover(transport, records.audit, redis)

    const open = new OpenSweep(mirror, reconcile, dependencies)

    const losing = new AbortController()
    const signal = AbortSignal.any([stopping, losing.signal])
    this.#became(true)
    try {
      await Promise.all([
        mirror.run(signal),
        reconcile.run(signal),
        janitor.run(signal),
        this.#keepLead(losing, signal),
        repeatedly(LOOK, signal, async () => {
          await mirror.watch([...(await transport.queueNames(redis)), ...config.queues])
        }),
        repeatedly(MOVE, signal, async () => void (await audit?.run())),
        discovery.run(signal, wait),
        repeatedly(SWEEP, signal, async () => void (await workers.run())),
        repeatedly(COMPARE, signal, () => open.run()),
        this.#keepMetrics(signal),
        repeatedly(REPORT, signal, async () => {
          await writeMirrorStatus(transport, await this.#status(mirror, reconcile, janitor), redis)
        }),
      ])
    } finally {
      losing.abort()
      this.#became(false)
      if (stopping.aborted && redis.status === 'ready') await this.#lease!.release().catch(() => {})
    }
  }

  async #keepLead(losing: AbortController, signal: AbortSignal): Promise<void> {
    await repeatedly(RENEW, signal, async () => {
      if (!(await this.#mayLead())) losing.abort()
    })
  }

  async #keepMetrics(signal: AbortSignal): Promise<void> {
    const { metricsKeeper: keeper } = this.#options.records
    if (!keeper) return
    const metrics = new MetricsUpkeep(keeper, this.#options.transport, this.#redis!)
    await Promise.all([
      repeatedly(SWEEP, signal, () => metrics.sample()),
      repeatedly(SUM_UP, signal, async () => void (await metrics.sumUp(signal))),
    ])
  }

  #became(isLeader: boolean): void {
    this.#isLeader = isLeader
    this.#options.logger.debug(
      { owner: this.owner },
      `Mirror: ${isLeader ? 'takes' : 'leaves'} the lead`
    )
    this.#options.onLead?.(isLeader)
  }

  async #status(mirror: Mirror, reconcile: Reconcile, janitor: Janitor): Promise<MirrorStatus> {
    const { transport } = this.#options
    const redis = this.#redis!
    const at = await transport.time(redis)
    const positions = [...mirror.positions.values()]
    const behind = await behindOf(redis, positions, at)
    const { entries, batches, conflicts, gaps } = mirror.counts
    const { repaired, lost } = reconcile.counts
    return {
      owner: this.owner,
      database: this.#database,
      at,
      lag: mirror.lag.milliseconds,
      lagQuantiles: mirror.lag.quantiles(),
      queues: Object.fromEntries(
        positions.map(({ queue, lastId, notes }, index) => {
          const { audit = null, gap = null } = notes
          return [
            queue,
            { position: lastId, behind: behind[index], audit: audit && audit.reason, gap },
          ]
        })
      ),
      sql: mirror.sqlOutage.toJSON(),
      redis: mirror.redisOutage.toJSON(),
      counts: {
        entries,
        batches,
        conflicts,
        gaps,
        repaired,
        lost,
        removed: janitor.counts.removed,
      },
    }
  }
}

/**
 * Does something again and again until the signal; what fails is done again.
 */
async function repeatedly(
  every: number,
  signal: AbortSignal,
  work: () => Promise<void>
): Promise<void> {
  while (!signal.aborted) {
    await work().catch(() => {})
    await wait(every, signal)
  }
}
