import type { Cleanup } from '../../cleanup/cleanup.ts'
import { E_DATABASE_UNAVAILABLE } from '../../errors.ts'
import type { JobRegistry } from '../../jobs/registry.ts'
import { readMirrorStatus } from '../../mirror/mirror_status.ts'
import type { Reader } from '../../records/reader.ts'
import type { Records } from '../../records/records.ts'
import { plainWorkers, readServerFacts } from '../../transport/server_facts.ts'
import type { Transport } from '../../transport/transport.ts'
import type { ResolvedConfig } from '../../types.ts'
import { readQueues } from '../queue_views.ts'

export type DoctorDependencies = {
  transport: Transport
  records: Records
  config: ResolvedConfig
  registry: JobRegistry
  cleanup: Pick<Cleanup, 'recorded'>
}

/**
 * What checks ask of Redis and the database, each read once however many checks want it.
 */
export class Facts {
  #read = new Map<string, Promise<unknown>>()

  /**
   * @param sql whether the database answered: while it is away nothing waits for it again
   */
  constructor(
    readonly dependencies: DoctorDependencies,
    private sql: { isUp: boolean }
  ) {}

  get config(): ResolvedConfig {
    return this.dependencies.config
  }

  get transport(): Transport {
    return this.dependencies.transport
  }

  servers = () => this.#once('servers', () => readServerFacts(this.transport))

  /** All known queues as they stand; without their oldest jobs while the database is away. */
  queues = () =>
    this.#once('queues', () => {
      const page: Reader['page'] = async (query) => {
        if (!this.sql.isUp) throw new E_DATABASE_UNAVAILABLE(['none is listed', 'it is away'])
        return this.dependencies.records.reader.page(query)
      }
      return readQueues({ transport: this.transport, reader: { page } })
    })

  limits = () => this.#once('limits', () => this.transport.limits.view())

  workers = () => this.#once('workers', () => this.transport.workers.list())

  /** Workers of other programs by queue; null where Redis does not tell. */
  plainWorkers = () =>
    this.#once('plain', async () =>
      plainWorkers(
        this.transport,
        (await this.queues()).map(({ name }) => name)
      )
    )

  /** What tells the database from others; null where no mirror has looked at it, or while it is away. */
  database = () =>
    this.#once('database', async () =>
      this.sql.isUp ? this.dependencies.records.identity.read() : null
    )

  mirror = () => this.#once('mirror', () => readMirrorStatus(this.transport))

  /** Redis' clock and this process' own at the same time, as nearly as one round trip tells; epoch ms. */
  clocks = () =>
    this.#once('clocks', () =>
      this.transport.connections.produce('its clock cannot be read', async (client) => {
        const asked = Date.now()
        const redis = await this.transport.time(client)
        return { redis, own: (asked + Date.now()) / 2 }
      })
    )

  #once<T>(name: string, read: () => Promise<T>): Promise<T> {
    if (!this.#read.has(name)) this.#read.set(name, read())
    return this.#read.get(name) as Promise<T>
  }
}

/** Why Redis or the database does not answer; null for any other error. */
export function awayReason(error: unknown): string | null {
  const { code, message } = error as { code?: string; message?: string }
  const isAway = code === 'E_REDIS_UNAVAILABLE' || code === 'E_DATABASE_UNAVAILABLE'
  return isAway ? (message ?? code) : null
}
