import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { defineConfig as defineBodyParserConfig } from '@adonisjs/core/bodyparser'
import { defineConfig as defineLoggerConfig } from '@adonisjs/core/logger'
import type { RouteGroup } from '@adonisjs/core/http'
import type { ApplicationService } from '@adonisjs/core/types'
import { defineConfig as defineRedisConfig } from '@adonisjs/redis'
import edge, { type Edge } from 'edge.js'
import { defineConfig as defineSessionConfig, stores } from '@adonisjs/session'
import { defineConfig as defineShieldConfig } from '@adonisjs/shield'
import { queuedeckRoutes } from '../../../src/dashboard/routes.ts'
import type { JobClass } from '../../../src/jobs/job.ts'
import type { AccessCallbacks, DispatchOptions, JobDetails, JobStatus } from '../../../src/types.ts'
import { WorkerPool, type WorkerSettings } from '../../../src/worker/worker_pool.ts'
import { uniquePrefix } from '#tests/helpers/unique_prefix'
import { createDatabase, type TestDatabase } from '#tests/helpers/databases'
import { hostApp } from '#tests/helpers/host'
import { waitFor } from '#tests/helpers/wait'
import { migrate } from '../mirror/records.ts'
import { Client } from './client.ts'

export const PREFIX = '/admin/queue'

export type LabOptions = {
  /** Job classes that the host knows. */
  classes?: JobClass[]
  /** Without: everybody may view and manage. `null`: the host said nothing. */
  access?: AccessCallbacks | null
  redact?: string[]
  /** `NODE_ENV` when the dashboard is made; `null`: unset. */
  environment?: string | null
  /** What the host does with the routes: middleware, a prefix of its own. */
  mount?: (routes: RouteGroup) => void
  /** With Shield and sessions (true unless said otherwise). */
  shield?: boolean
  /** Another Redis than the shared one, as it stands below `connections` in config/redis.ts. */
  redis?: object
  prefix?: string
  /** Another database than a new one with tables. */
  database?: TestDatabase
}

/**
 * A host application with the dashboard, answering real HTTP requests in this process, with a mirror, and workers as a test asks for.
 */
export class DashboardLab {
  #pools: WorkerPool[] = []
  #clients: Client[] = []
  /** Lines that the application logged at warn and above. */
  readonly logged: string[]

  private constructor(
    readonly app: ApplicationService,
    readonly server: Server,
    logged: string[]
  ) {
    this.logged = logged
  }

  static async open(options: LabOptions = {}): Promise<DashboardLab> {
    const {
      access = { view: () => true, manage: () => true },
      redact = [],
      shield = true,
    } = options
    const providers = [
      () => import('@adonisjs/session/session_provider'),
      () => import('@adonisjs/shield/shield_provider'),
    ]
    const before = process.env.NODE_ENV
    if (options.environment === null) delete process.env.NODE_ENV
    else process.env.NODE_ENV = options.environment ?? 'production'
    const logged: string[] = []
    try {
      const app = await hostApp({
        environment: 'web',
        providers: shield ? providers : [],
        queuedeck: {
          prefix: options.prefix ?? uniquePrefix(),
          dashboard: { prefix: PREFIX, redact, ...(access ? { access } : {}) },
        },
        database: options.database ?? (await migrated()),
        config: {
          bodyparser: defineBodyParserConfig({ json: { limit: '2mb' } }),
          logger: logTo(logged),
          ...(options.redis ? { redis: redisConfig(options.redis) } : {}),
          ...(shield ? { session: SESSION, shield: SHIELD } : {}),
        },
      })
      keepCompilers()
      await app.container.make('queuedeck.dashboard')
      const { registry } = await app.container.make('queuedeck')
      options.classes?.forEach((Class) => registry.register(Class))
      return new DashboardLab(app, await serve(app, shield, options.mount), logged)
    } finally {
      process.env.NODE_ENV = before
    }
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`
  }

  /** A browser's worth of cookies. */
  client(): Client {
    const client = new Client(this.url, PREFIX)
    this.#clients.push(client)
    return client
  }

  /** Ends the streams of all clients: so a test that fails leaves nothing to the next one. */
  closeStreams(): void {
    for (const client of this.#clients) client.closeStreams()
  }

  async work(settings: WorkerSettings = {}): Promise<WorkerPool> {
    const { container } = this.app
    const quiet = () => {}
    const logger = {
      trace: quiet,
      debug: quiet,
      info: quiet,
      warn: quiet,
      error: quiet,
      fatal: quiet,
    }
    const pool = new WorkerPool(
      {
        config: await container.make('queuedeck.config'),
        transport: await container.make('queuedeck.transport'),
        registry: (await container.make('queuedeck')).registry,
        container: container.createResolver(),
        logger: logger as never,
        version: '1.0.0',
      },
      settings
    )
    this.#pools.push(pool)
    await pool.start()
    return pool
  }

  /** Dispatches a job and waits for its record. */
  async dispatch(
    Class: JobClass<any> | string,
    payload: unknown = {},
    options: DispatchOptions = {}
  ): Promise<string> {
    const queue = await this.app.container.make('queuedeck')
    const { jobId } = await queue.dispatch(Class as string, payload, options)
    await this.record(jobId)
    return jobId
  }

  /** The record, once it is there and, where a status is given, has it. */
  async record(id: string, status?: JobStatus, within = 60_000): Promise<JobDetails> {
    const { reader } = await this.app.container.make('queuedeck.records')
    return waitFor(
      `the record of ${id}${status ? ` to be ${status}` : ''}`,
      async () => {
        const job = await reader.find(id)
        return job && (!status || (job.status === status && !job.stopping)) && job
      },
      { within }
    )
  }

  async close(): Promise<void> {
    this.#pools.forEach((pool) => pool.abort())
    await Promise.all(this.#pools.map((pool) => pool.ended))
    this.server.closeAllConnections()
    this.server.close()
    await this.app.terminate()
  }
}

/**
 * Applications of one process share Edge, and each makes new compilers for it; only the first know the tags of components.
 */
let compilers: Pick<Edge, 'compiler' | 'asyncCompiler'> | undefined

function keepCompilers(): void {
  const { compiler, asyncCompiler } = edge
  compilers ??= { compiler, asyncCompiler }
  Object.assign(edge, compilers)
}

const SESSION = defineSessionConfig({
  enabled: true,
  cookieName: 'host-session',
  clearWithBrowser: false,
  age: '2h',
  cookie: { path: '/', httpOnly: true, sameSite: 'lax' },
  store: 'cookie',
  stores: { cookie: stores.cookie() },
})

const SHIELD = defineShieldConfig({
  csp: {
    enabled: true,
    directives: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'", '@nonce'],
      styleSrc: ["'self'"],
      imgSrc: ["'self'"],
      connectSrc: ["'self'"],
      formAction: ["'self'"],
    },
    reportOnly: false,
  },
  csrf: {
    enabled: true,
    exceptRoutes: [],
    enableXsrfCookie: false,
    methods: ['POST', 'PUT', 'PATCH', 'DELETE'],
  },
  xFrame: { enabled: true, action: 'DENY' },
  hsts: { enabled: false },
  contentTypeSniffing: { enabled: true },
})

function logTo(lines: string[]) {
  const destination = { write: (line: string) => void lines.push(line) }
  return defineLoggerConfig({
    default: 'app',
    loggers: { app: { enabled: true, level: 'warn', destination: destination as never } },
  })
}

function redisConfig(main: object) {
  return defineRedisConfig({ connection: 'main', connections: { main } } as never)
}

async function migrated() {
  const database = await createDatabase()
  await migrate(database.connection)
  return database
}

async function serve(
  app: ApplicationService,
  shield: boolean,
  mount: LabOptions['mount']
): Promise<Server> {
  const router = await app.container.make('router')
  const server = await app.container.make('server')
  router.use([
    () => import('@adonisjs/core/bodyparser_middleware'),
    ...(shield
      ? [
          () => import('@adonisjs/session/session_middleware'),
          () => import('@adonisjs/shield/shield_middleware'),
        ]
      : []),
  ] as never)
  const routes = queuedeckRoutes(router)
  mount?.(routes)
  router.get('/favicon.ico', ({ response }) => response.status(204))
  await server.boot()
  const http = createServer((request, response) => void server.handle(request, response))
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  return http
}
