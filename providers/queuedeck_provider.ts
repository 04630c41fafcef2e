import type { Logger } from '@adonisjs/core/logger'
import type { ApplicationService } from '@adonisjs/core/types'
import type { Alerts } from '../src/alerts/alerts.ts'
import type { AlertService } from '../src/alerts/alert_service.ts'
import { assertMail } from '../src/alerts_config.ts'
import type { EmitEvent } from '../src/events.ts'
import { resolveConfig } from '../src/config.ts'
import type { Cleanup } from '../src/cleanup/cleanup.ts'
import type { CleanupService } from '../src/cleanup/cleanup_service.ts'
import type { Dashboard } from '../src/dashboard/dashboard.ts'
import type { AwaitedJobs } from '../src/jobs/awaited_jobs.ts'
import { useManager } from '../src/jobs/current_manager.ts'
import type { FlowKeeper } from '../src/jobs/flow_keeper.ts'
import type { QueueManager } from '../src/jobs/queue_manager.ts'
import type { MirrorService } from '../src/mirror/mirror_service.ts'
import type { BulkService } from '../src/operations/bulk/bulk_service.ts'
import type { Records } from '../src/records/records.ts'
import type { ScheduleService } from '../src/schedules/schedule_service.ts'
import type { Transport } from '../src/transport/transport.ts'
import type { QueuedeckConfig, ResolvedConfig } from '../src/types.ts'

declare module '@adonisjs/core/types' {
  interface ContainerBindings {
    'queuedeck': QueueManager
    'queuedeck.config': ResolvedConfig
    'queuedeck.logger': Logger
    'queuedeck.transport': Transport
    'queuedeck.records': Records
    'queuedeck.awaited': AwaitedJobs
    'queuedeck.flows.service': FlowKeeper
    'queuedeck.mirror': MirrorService
    'queuedeck.cleanup': Cleanup
    'queuedeck.cleanup.service': CleanupService
    'queuedeck.alerts': Alerts
    'queuedeck.alerts.service': AlertService
    'queuedeck.bulk.service': BulkService
    'queuedeck.schedules.service': ScheduleService
    'queuedeck.dashboard': Dashboard
  }
}

/** Of `@adonisjs/mail`, where the application has it. */
const MAIL = 'mail.manager'

/**
 * Wires the package into an application. Everything is made when it is first asked for: a command that needs no Redis opens no
 * connection to it.
 */
export default class QueuedeckProvider {
  /** What works by itself, and what it works with. */
  #services: { stop(): Promise<unknown> }[] = []
  #stores: (() => Promise<unknown>)[] = []

  constructor(protected app: ApplicationService) {}

  register(): void {
    const { container } = this.app

    container.singleton('queuedeck.config', () =>
      resolveConfig(this.app.config.get<QueuedeckConfig>('queuedeck', {}))
    )

    container.singleton('queuedeck.logger', async () => {
      const { withoutWhatWasSent } = await import('../src/logged_errors.ts')
      return withoutWhatWasSent(await container.make('logger'))
    })

    container.singleton('queuedeck.transport', async () => {
      const { Connections } = await import('../src/transport/connections.ts')
      const { Transport: TransportClass } = await import('../src/transport/transport.ts')
      const config = await container.make('queuedeck.config')
      const redis = await container.make('redis')
      const logger = await container.make('queuedeck.logger')
      const connections = new Connections(() => redis.connection(config.redis as never), {
        onError: (error, role) => logger.debug({ err: error, role }, 'Redis connection error'),
      })
      this.#stores.push(() => connections.closeAll())
      return new TransportClass(connections, {
        prefix: config.prefix,
        warn: (message) => logger.warn(message),
      })
    })

    container.singleton('queuedeck.records', async () => {
      const { Records: RecordsClass } = await import('../src/records/records.ts')
      const config = await container.make('queuedeck.config')
      const records = new RecordsClass({
        database: await container.make('lucid.db'),
        connection: config.database,
        logger: await container.make('queuedeck.logger'),
      })
      this.#stores.push(() => records.close())
      return records
    })

    container.singleton('queuedeck', async () => {
      const { JobRegistry } = await import('../src/jobs/registry.ts')
      const { QueueManager: Manager } = await import('../src/jobs/queue_manager.ts')
      const { ResultWaiter } = await import('../src/jobs/result_waiter.ts')
      const { AwaitedResults } = await import('../src/jobs/awaited_results.ts')
      const { TransportAndRecord } = await import('../src/jobs/ending_source.ts')
      const config = await container.make('queuedeck.config')
      const transport = await container.make('queuedeck.transport')
      const logger = await container.make('queuedeck.logger')
      const registry = new JobRegistry(this.app.makePath(config.jobs), ({ file, message, error }) =>
        logger.error({ err: error }, `${config.jobs}/${file}: ${message}`)
      )
      const findRecord = async (id: string) =>
        (await container.make('queuedeck.records')).reader.find(id)
      const endings = new TransportAndRecord(
        {
          /** In time also while Redis is away: then a later look finds it. */
          facts: (queue, id) =>
            transport.connections.produce('how a job ended cannot be read', async (client) => {
              const { facts } = await transport.audit.facts(queue, [id], client)
              return facts[0]
            }),
          subscribe: (listener) => transport.changes.subscribe(listener),
        },
        findRecord
      )
      const awaited = await container.make('queuedeck.awaited')
      const results = new AwaitedResults(transport, findRecord)
      return new Manager(config, registry, transport, new ResultWaiter(endings), awaited, results)
    })

    container.singleton('queuedeck.awaited', async () => {
      const { AwaitedJobs: Awaited } = await import('../src/jobs/awaited_jobs.ts')
      const transport = await container.make('queuedeck.transport')
      return new Awaited(transport, async () => (await container.make('queuedeck.records')).reader)
    })

    container.singleton('queuedeck.flows.service', async () => {
      const { FlowKeeper: Keeper } = await import('../src/jobs/flow_keeper.ts')
      const service = new Keeper({
        transport: await container.make('queuedeck.transport'),
        awaited: await container.make('queuedeck.awaited'),
        logger: await container.make('queuedeck.logger'),
      })
      this.#services.push(service)
      return service
    })

    container.singleton('queuedeck.mirror', async () => {
      const { MirrorService: Service } = await import('../src/mirror/mirror_service.ts')
      const service = new Service({
        transport: await container.make('queuedeck.transport'),
        records: await container.make('queuedeck.records'),
        config: await container.make('queuedeck.config'),
        logger: await container.make('queuedeck.logger'),
      })
      this.#services.push(service)
      return service
    })

    container.singleton('queuedeck.cleanup', async () => {
      const { Cleanup: CleanupClass } = await import('../src/cleanup/cleanup.ts')
      return new CleanupClass({
        transport: await container.make('queuedeck.transport'),
        records: await container.make('queuedeck.records'),
        config: await container.make('queuedeck.config'),
        logger: await container.make('queuedeck.logger'),
      })
    })

    container.singleton('queuedeck.cleanup.service', async () => {
      const { CleanupService: Service } = await import('../src/cleanup/cleanup_service.ts')
      const service = new Service({
        cleanup: await container.make('queuedeck.cleanup'),
        transport: await container.make('queuedeck.transport'),
        config: await container.make('queuedeck.config'),
        logger: await container.make('queuedeck.logger'),
      })
      this.#services.push(service)
      return service
    })

    container.singleton('queuedeck.alerts', async () => {
      const { Alerts: AlertsClass } = await import('../src/alerts/alerts.ts')
      return new AlertsClass({
        transport: await container.make('queuedeck.transport'),
        records: await container.make('queuedeck.records'),
        config: await container.make('queuedeck.config'),
        emit: await this.#emitter(),
      })
    })

    container.singleton('queuedeck.alerts.service', async () => {
      const { AlertService: Service } = await import('../src/alerts/alert_service.ts')
      const { Deliverer } = await import('../src/alerts/deliverer.ts')
      const { receiversOf } = await import('../src/alerts/receivers.ts')
      const config = await container.make('queuedeck.config')
      const records = await container.make('queuedeck.records')
      const logger = await container.make('queuedeck.logger')
      const receivers = receiversOf(config.alerts, () => container.make(MAIL as never))
      const service = new Service({
        transport: await container.make('queuedeck.transport'),
        records,
        config,
        logger,
        emit: await this.#emitter(),
        deliverer: new Deliverer({ records, receivers, logger }),
      })
      this.#services.push(service)
      return service
    })

    container.singleton('queuedeck.bulk.service', async () => {
      const { BulkService: Service } = await import('../src/operations/bulk/bulk_service.ts')
      const service = new Service({
        transport: await container.make('queuedeck.transport'),
        records: await container.make('queuedeck.records'),
        logger: await container.make('queuedeck.logger'),
      })
      this.#services.push(service)
      return service
    })

    container.singleton('queuedeck.schedules.service', async () => {
      const { ScheduleService: Service } = await import('../src/schedules/schedule_service.ts')
      const service = new Service({
        transport: await container.make('queuedeck.transport'),
        records: await container.make('queuedeck.records'),
        queue: await container.make('queuedeck'),
        logger: await container.make('queuedeck.logger'),
      })
      this.#services.push(service)
      return service
    })

    container.singleton('queuedeck.dashboard', async () => {
      const { Dashboard: DashboardClass } = await import('../src/dashboard/dashboard.ts')
      const { mountedAt } = await import('../src/dashboard/mount.ts')
      const records = await container.make('queuedeck.records')
      const router = await container.make('router')
      return new DashboardClass({
        mountedAt: () => mountedAt(router),
        config: await container.make('queuedeck.config'),
        queue: await container.make('queuedeck'),
        transport: await container.make('queuedeck.transport'),
        reader: records.reader,
        records,
        cleanup: await container.make('queuedeck.cleanup'),
        alerts: await container.make('queuedeck.alerts'),
        encryption: await container.make('encryption'),
        logger: await container.make('queuedeck.logger'),
        environment: process.env.NODE_ENV,
      })
    })
  }

  async boot(): Promise<void> {
    useManager(() => this.app.container.make('queuedeck'))
    if (this.app.config.get<QueuedeckConfig>('queuedeck', {}).alerts?.mail) {
      const { alerts } = await this.app.container.make('queuedeck.config')
      assertMail(alerts, this.app.container.hasBinding(MAIL))
    }
    await this.#mountViews()
  }

  /**
   * A web process mirrors when no other does, so that one process is enough.
   */
  async ready(): Promise<void> {
    if (this.app.getEnvironment() !== 'web') return
    const config = await this.app.container.make('queuedeck.config')
    if (config.mirror) (await this.app.container.make('queuedeck.mirror')).start()
    if (config.cleanup.automatic) {
      ;(await this.app.container.make('queuedeck.cleanup.service')).start()
    }
    ;(await this.app.container.make('queuedeck.bulk.service')).start()
    ;(await this.app.container.make('queuedeck.flows.service')).start()
    ;(await this.app.container.make('queuedeck.schedules.service')).start()
    if (config.alerts.automatic) {
      ;(await this.app.container.make('queuedeck.alerts.service')).start()
    }
    const dashboard = await this.app.container.make('queuedeck.dashboard')
    const { warning } = dashboard.gate
    if (warning !== null) (await this.app.container.make('queuedeck.logger')).warn(warning)
    /** Registered now that the server runs, so that it comes before the server's own end, which waits for open streams. */
    this.app.terminating(() => dashboard.close())
  }

  async shutdown(): Promise<void> {
    /** Together: each waits some seconds for a Redis that says nothing. */
    await Promise.all(this.#services.splice(0).map((service) => service.stop()))
    await Promise.all(this.#stores.splice(0).map((close) => close()))
  }

  async #emitter(): Promise<EmitEvent> {
    const emitter = await this.app.container.make('emitter')
    const logger = await this.app.container.make('queuedeck.logger')
    return (name, data) =>
      void emitter
        .emit(name, data)
        .catch((error) => logger.error({ err: error }, `A listener of ${name} threw`))
  }

  async #mountViews(): Promise<void> {
    if (!this.app.usingEdgeJS) return
    const { default: edge } = await import('edge.js')
    edge.mount('queuedeck', new URL('../resources/views', import.meta.url))
    edge.global(
      'queuedeckMonitor',
      async (jobId: string, forId?: string, params?: Record<string, unknown>) => {
        const dashboard = await this.app.container.make('queuedeck.dashboard')
        return dashboard.monitor(jobId, forId ?? null, params)
      }
    )
  }
}
