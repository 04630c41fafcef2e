import type { EncryptionService } from '@adonisjs/core/types'
import { HttpContext } from '@adonisjs/core/http'
import type { Logger } from '@adonisjs/core/logger'
import type { Alerts } from '../alerts/alerts.ts'
import type { Cleanup } from '../cleanup/cleanup.ts'
import { readMirrorStatus, type MirrorStatus } from '../mirror/mirror_status.ts'
import type { QueueManager } from '../jobs/queue_manager.ts'
import { AskWorker } from '../operations/ask_worker.ts'
import { BeginBulk } from '../operations/bulk/begin_bulk.ts'
import { BeginDrain } from '../operations/bulk/begin_drain.ts'
import { StopBulk } from '../operations/bulk/stop_bulk.ts'
import { CancelJob } from '../operations/cancel_job.ts'
import { ChangePriority } from '../operations/change_priority.ts'
import { CreateJob } from '../operations/create_job.ts'
import { DeleteJob } from '../operations/delete_job.ts'
import { findJob, type OperationDependencies } from '../operations/job_lookup.ts'
import { ScheduleOperations } from '../operations/schedules.ts'
import type { ScheduleLedger } from '../records/schedules.ts'
import type { JobRegistry } from '../jobs/registry.ts'
import { RestartJob } from '../operations/restart_job.ts'
import { RunAgain } from '../operations/run_again.ts'
import { RunCleanup } from '../operations/run_cleanup.ts'
import { FlowWhole } from '../operations/flow_whole.ts'
import { flowOf, type JobFlow } from '../operations/job_flow.ts'
import { childrenOf, familyOf, type JobFamily } from '../operations/job_family.ts'
import { waitingOf } from '../operations/waiting.ts'
import type { Audit } from '../records/audit.ts'
import type { BulkLedger } from '../records/bulk.ts'
import type { Reader } from '../records/reader.ts'
import type { MetricsReader } from '../records/metrics/main.ts'
import type { Records } from '../records/records.ts'
import type { WaitingReason } from '../transport/limits.ts'
import type { Transport } from '../transport/transport.ts'
import type { WorkerRemoval } from '../transport/worker_report.ts'
import { isSuspect } from '../transport/worker_times.ts'
import type {
  AlertSettings,
  AlertView,
  JobDetails,
  JobView,
  KeptClocks,
  ResolvedConfig,
  WorkerView,
} from '../types.ts'
import { LATE, within } from '../time/within.ts'
import { AccessGate } from './access/access_gate.ts'
import { MonitorTokens } from './access/monitor_tokens.ts'
import { Assets } from './assets.ts'
import { Lists } from './lists.ts'
import { ChartMetrics } from './metrics.ts'
import { LiveHub } from './live/live_hub.ts'
import { filled } from './mount.ts'
import { addressOf } from './negotiation.ts'
import type { RowFacts } from './presenters/job_row.ts'
import { monitorView } from './presenters/monitor_view.ts'
import type { MonitorView } from './presenters/types.ts'
import { JobTexts } from './redaction/job_texts.ts'
import { SecretKeys } from './redaction/secret_keys.ts'
import { DashboardUrls } from './urls.ts'
import { Views } from './views.ts'

export type DashboardDependencies = {
  config: ResolvedConfig
  queue: QueueManager
  transport: Transport
  reader: Reader
  records: Pick<Records, 'schedules' | 'audit' | 'bulk' | 'deletion' | 'metrics'>
  cleanup: Cleanup
  alerts: Alerts
  encryption: EncryptionService
  logger: Logger
  /** Where the routes are mounted; null before they are. */
  mountedAt(): string | null
  /** As the environment says, `undefined` when it says nothing. */
  environment: string | undefined
}

/** How long a page waits for what only Redis knows, ms: history has to stay readable while Redis is away. */
const REDIS_PATIENCE = 1_000

/**
 * The dashboard of one process: what its requests and streams share. Binding `queuedeck.dashboard`.
 */
export class Dashboard {
  readonly gate: AccessGate
  readonly assets = new Assets()
  readonly texts: JobTexts
  readonly secretKeys: SecretKeys
  readonly live: LiveHub
  readonly lists: Lists
  readonly views = new Views()
  readonly reader: Reader
  readonly monitorTokens: MonitorTokens
  readonly operations: OperationDependencies
  readonly cancelJob: CancelJob
  readonly restartJob: RestartJob
  readonly createJob: CreateJob
  readonly changePriority: ChangePriority
  readonly deleteJob: DeleteJob
  readonly runAgain: RunAgain
  readonly askWorker: AskWorker
  readonly alerts: Alerts
  readonly alertSettings: AlertSettings
  readonly runCleanup: RunCleanup
  readonly beginDrain: BeginDrain
  readonly bulk: BulkLedger
  readonly schedules: ScheduleLedger
  readonly scheduleOperations: ScheduleOperations
  readonly registry: JobRegistry
  readonly beginBulk: BeginBulk
  readonly stopBulk: StopBulk
  readonly cleanups: Cleanup
  readonly audit: Audit
  readonly metrics: MetricsReader
  readonly charts: ChartMetrics
  readonly kept: KeptClocks
  readonly cleanupEvery: number
  readonly logger: Logger

  #config: ResolvedConfig
  #transport: Transport
  #mountedAt: () => string | null
  #flows: FlowWhole

  constructor({
    config,
    queue,
    transport,
    reader,
    records,
    cleanup,
    alerts,
    encryption,
    logger,
    environment,
    mountedAt,
  }: DashboardDependencies) {
    this.#mountedAt = mountedAt
    this.cleanups = cleanup
    this.audit = records.audit
    this.metrics = records.metrics
    this.charts = new ChartMetrics(records.metrics, () =>
      this.#fromRedis(() => transport.time(transport.connections.producer))
    )
    this.kept = config.kept
    this.cleanupEvery = config.cleanup.every
    this.#config = config
    this.#transport = transport
    this.reader = reader
    this.#flows = new FlowWhole(reader)
    this.alerts = alerts
    this.alertSettings = config.alerts
    this.logger = logger
    this.gate = new AccessGate(config.dashboard.access, environment, logger)
    this.secretKeys = new SecretKeys(config.dashboard.redact)
    this.texts = new JobTexts(this.secretKeys, (id) => reader.body(id))
    this.monitorTokens = new MonitorTokens(encryption)
    this.operations = { reader, transport }
    this.cancelJob = new CancelJob(this.operations)
    this.restartJob = new RestartJob(this.operations)
    this.askWorker = new AskWorker(transport, logger)
    this.bulk = records.bulk
    this.registry = queue.registry
    this.schedules = records.schedules
    this.scheduleOperations = new ScheduleOperations({
      ...{ transport, queue },
      records: { schedules: records.schedules, reader },
    })
    this.beginBulk = new BeginBulk({ ...this.operations, bulk: records.bulk })
    this.stopBulk = new StopBulk({ transport, bulk: records.bulk })
    this.runCleanup = new RunCleanup(cleanup, transport)
    this.beginDrain = new BeginDrain({ reader: this.reader, transport, bulk: records.bulk })
    this.createJob = new CreateJob({ ...this.operations, queue })
    this.runAgain = new RunAgain({ ...this.operations, queue })
    this.changePriority = new ChangePriority(this.operations)
    this.deleteJob = new DeleteJob({ ...this.operations, records })
    this.live = new LiveHub(this, transport, logger)
    this.lists = new Lists(this)
  }

  /**
   * Addresses as this request to one of our pages sees them: the host may have put our routes below a group with a prefix, even
   * one with parameters.
   */
  urlsFor(ctx: HttpContext): DashboardUrls {
    const segments = this.#pattern.split('/').length
    const [path] = addressOf(ctx).split('?')
    return new DashboardUrls(this.#outside + path.split('/').slice(0, segments).join('/'))
  }

  /**
   * Addresses for pages outside of ours. Parameters of a prefix are those given, or those of the page's own address where the
   * host keeps the context of its requests.
   */
  urls(params: Record<string, unknown> = {}): DashboardUrls {
    const own = HttpContext.usingAsyncLocalStorage ? HttpContext.get()?.params : undefined
    return new DashboardUrls(this.#outside + filled(this.#pattern, { ...own, ...params }))
  }

  /** The address of a request as browsers know it. */
  addressFor(ctx: HttpContext): string {
    return this.#outside + addressOf(ctx)
  }

  /** Largest payload, bytes of JSON. */
  get payloadLimit(): number {
    return this.#config.payloadLimit
  }

  get #outside(): string {
    return this.#config.dashboard.proxyPrefix
  }

  get #pattern(): string {
    return this.#mountedAt() ?? this.#config.dashboard.prefix
  }

  /**
   * Open alerts, newest first. While the database is away only the one that says so; null when neither it nor Redis answers.
   */
  async openAlerts(): Promise<AlertView[] | null> {
    try {
      return await this.alerts.open()
    } catch (error) {
      if ((error as { status?: number }).status !== 503) throw error
      const away = await this.#fromRedis(async () => ({ alert: await this.alerts.databaseAway() }))
      return away?.alert ? [away.alert] : null
    }
  }

  /** Since when Redis is away for this process, epoch ms; null while it answers. */
  get redisAwaySince(): number | null {
    return this.#transport.connections.outage.since
  }

  /** How many notices of changes Redis has counted; null while it does not answer. */
  changesCounted(): Promise<number | null> {
    const { changes, connections } = this.#transport
    return this.#fromRedis(() => changes.revision(connections.producer))
  }

  /** Names of every queue that was ever used; while Redis does not answer, of those that the records know. */
  async queueNames(): Promise<string[]> {
    const { connections } = this.#transport
    const names = await this.#fromRedis(() => this.#transport.queueNames(connections.producer))
    return names ?? this.reader.queueNames()
  }

  /**
   * All registered workers; null while Redis does not answer.
   */
  workers(): Promise<WorkerView[] | null> {
    const { workers, connections } = this.#transport
    return this.#fromRedis(() => workers.seen(connections.producer))
  }

  /**
   * The last workers that were removed because they were silent, newest first; none while Redis does not answer.
   */
  async removedWorkers(): Promise<WorkerRemoval[]> {
    const { workers, connections } = this.#transport
    return (await this.#fromRedis(() => workers.removals(connections.producer))) ?? []
  }

  /**
   * What rows of these jobs show beside the jobs.
   */
  async rowFacts(jobs: JobView[]): Promise<RowFacts> {
    const types = [...new Set(jobs.map(({ type }) => type))]
    const isRunning = jobs.some(({ status }) => status === 'running')
    const [p95, workers, waiting] = await Promise.all([
      this.reader.p95(types),
      isRunning ? this.workers() : null,
      this.waiting(jobs),
    ])
    const silent = (workers ?? []).filter(isSuspect)
    return { p95, suspects: new Set(silent.map(({ id }) => id)), waiting }
  }

  /**
   * Why pending jobs wait, by id; nothing while Redis does not answer.
   */
  async waiting(jobs: JobView[]): Promise<ReadonlyMap<string, WaitingReason>> {
    return (await this.#fromRedis(() => waitingOf(this.#transport, jobs))) ?? new Map()
  }

  /**
   * The flow of BullMQ around a job; null where there is none. Without children while Redis does not answer.
   */
  async family(job: JobDetails): Promise<JobFamily | null> {
    const children = await this.#fromRedis(() => childrenOf(this.#transport, job))
    return familyOf(this.operations, job, children)
  }

  /** What waits for what around a job; null where nothing does. */
  flow(job: JobDetails): Promise<JobFlow | null> {
    return flowOf(this.reader, job, this.#flows)
  }

  /**
   * The mirror's newest report; null while none runs or Redis does not answer.
   */
  mirror(): Promise<MirrorStatus | null> {
    return this.#fromRedis(() =>
      readMirrorStatus(this.#transport, this.#transport.connections.producer)
    )
  }

  /**
   * When the last cleanup ended and when the next is due, epoch ms; null what is not known, because there is none, or Redis or the
   * database does not answer.
   */
  async cleanup(): Promise<{ last: number | null; next: number | null }> {
    const [recorded, isLed] = await Promise.all([
      this.cleanups.recorded().catch(() => null),
      this.cleansUp(),
    ])
    const next = isLed === true ? (recorded?.next ?? null) : null
    return { last: recorded?.last?.endedAt ?? null, next }
  }

  /** Whether some process cleans up by itself; null while Redis does not answer. */
  cleansUp(): Promise<boolean | null> {
    return this.#fromRedis(() => this.cleanups.isLed())
  }

  /**
   * What `@queuedeck.monitor({ jobId, for })` shows in a page of the host. The page's browser may follow this job from then on. A job
   * that was dispatched this instant is waited for; null when there is none, or while none can be read: a page is not to fail for it.
   *
   * @param params  of the prefix that the host put around our routes
   */
  async monitor(
    jobId: string,
    forId: string | null,
    params: Record<string, unknown> = {}
  ): Promise<MonitorView | null> {
    try {
      return await this.monitorOf(await findJob(this.operations, jobId), this.urls(params), forId)
    } catch (error) {
      const { code, status } = error as { code?: string; status?: number }
      if (code !== 'E_JOB_NOT_FOUND' && status !== 503) throw error
      if (status === 503) this.logger.warn({ err: error }, 'A page is shown without its monitor')
      return null
    }
  }

  /**
   * The same for a job at hand, with addresses as a request sees them.
   */
  async monitorOf(
    job: JobDetails,
    urls: DashboardUrls,
    forId: string | null
  ): Promise<MonitorView> {
    return monitorView(job, this.texts, urls, {
      for: forId,
      token: this.monitorTokens.issue(job.id),
      assets: await this.assets.urls(urls),
    })
  }

  /** Shuts streams and ends timers, and what runs in the background. */
  async close(): Promise<void> {
    this.runCleanup.close()
    this.live.close()
  }

  /**
   * Counts Redis as away until it answers after all, so that further pages do not wait for it too. A connection that breaks meanwhile
   * is noticed by itself.
   */
  #saysNothing(reading: Promise<unknown>): void {
    const { outage, producer } = this.#transport.connections
    outage.began()
    const answered = () => producer.status === 'ready' && outage.ended()
    reading.then(answered, answered)
  }

  async #fromRedis<T>(read: () => Promise<T>): Promise<T | null> {
    if (this.redisAwaySince !== null) return null
    const reading = read()
    const answer = await within(REDIS_PATIENCE, reading).catch(() => null)
    if (answer !== LATE) return answer
    this.#saysNothing(reading)
    return null
  }
}
