import type { ApplicationService } from '@adonisjs/core/types'
import { Redis } from 'ioredis'
import { JobRegistry } from '../../../src/jobs/registry.ts'
import {
  Doctor,
  type DoctorFinding,
  type DoctorReport,
} from '../../../src/operations/doctor/doctor.ts'
import type { DoctorDependencies } from '../../../src/operations/doctor/facts.ts'
import { WorkerPool, type WorkerSettings } from '../../../src/worker/worker_pool.ts'
import type { QueuedeckConfig } from '../../../src/types.ts'
import { uniquePrefix } from '#tests/helpers/unique_prefix'
import { createDatabase, type TestDatabase } from '#tests/helpers/databases'
import { hostApp } from '#tests/helpers/host'
import { redisServer, type PrivateServer } from '#tests/helpers/servers'
import { waitFor } from '#tests/helpers/wait'
import { CLASSES } from '../dashboard/jobs.ts'
import { migrate } from '../mirror/records.ts'

/**
 * An application on a Redis of its own, with workers and a mirror as a test asks for them, and a doctor.
 */
export class DoctorLab {
  #pools: WorkerPool[] = []

  private constructor(
    readonly app: ApplicationService,
    readonly server: PrivateServer,
    readonly redis: Redis,
    readonly database: TestDatabase,
    readonly dependencies: DoctorDependencies
  ) {}

  static async open(
    options: { queuedeck?: QueuedeckConfig; database?: TestDatabase; server?: PrivateServer } = {}
  ): Promise<DoctorLab> {
    const server = options.server ?? (await redisServer({ own: true }))
    const database = options.database ?? (await migrated())
    const app = await hostApp({
      redisPort: server.port,
      database,
      queuedeck: { prefix: uniquePrefix(), mirror: false, ...options.queuedeck },
    })
    const { container } = app
    const registry = new JobRegistry()
    CLASSES.forEach((Class) => registry.register(Class))
    const { registry: known } = await container.make('queuedeck')
    CLASSES.forEach((Class) => known.register(Class))
    const redis = new Redis(server.url, { maxRetriesPerRequest: null })
    redis.on('error', () => {})
    return new DoctorLab(app, server, redis, database, {
      transport: await container.make('queuedeck.transport'),
      records: await container.make('queuedeck.records'),
      config: await container.make('queuedeck.config'),
      cleanup: await container.make('queuedeck.cleanup'),
      registry,
    })
  }

  examine(other: Partial<DoctorDependencies> = {}): Promise<DoctorReport> {
    return new Doctor({ ...this.dependencies, ...other }).examine()
  }

  /** What one check found. */
  async found(check: string, other: Partial<DoctorDependencies> = {}): Promise<DoctorFinding[]> {
    const { findings, checks } = await this.examine(other)
    const view = checks.find(({ name }) => name === check)
    if (!view || view.outcome === 'skipped')
      throw new Error(`${check}: ${view?.reason ?? 'no such check'}`)
    return findings.filter((finding) => finding.check === check)
  }

  async work(settings: WorkerSettings = {}, version = '1.0.0'): Promise<WorkerPool> {
    const { container } = this.app
    const quiet = () => {}
    const pool = new WorkerPool(
      {
        config: this.dependencies.config,
        transport: this.dependencies.transport,
        registry: (await container.make('queuedeck')).registry,
        container: container.createResolver(),
        logger: {
          trace: quiet,
          debug: quiet,
          info: quiet,
          warn: quiet,
          error: quiet,
          fatal: quiet,
        } as never,
        version,
      },
      settings
    )
    this.#pools.push(pool)
    await pool.start()
    return pool
  }

  async stopWorkers(): Promise<void> {
    const pools = this.#pools.splice(0)
    pools.forEach((pool) => pool.abort())
    await Promise.all(pools.map((pool) => pool.ended))
  }

  /** Mirrors in this process until the application ends. */
  async mirror(): Promise<void> {
    ;(await this.app.container.make('queuedeck.mirror')).start()
    await waitFor('the mirror to report', async () => (await this.found('mirror')).length === 0)
  }

  async dispatch(type: string, payload: object = {}, options: object = {}): Promise<string> {
    const queue = await this.app.container.make('queuedeck')
    return (await queue.dispatch(type, payload, options)).jobId
  }

  async close(): Promise<void> {
    await this.stopWorkers()
    await this.app.terminate()
    this.redis.disconnect()
    await this.server.stop()
  }
}

export async function migrated(): Promise<TestDatabase> {
  const database = await createDatabase()
  await migrate(database.connection)
  return database
}
