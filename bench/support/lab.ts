import { Redis } from 'ioredis'
import { defineConfig } from '../../src/config.ts'
import { QueueManager } from '../../src/jobs/queue_manager.ts'
import { JobRegistry } from '../../src/jobs/registry.ts'
import { ResultWaiter } from '../../src/jobs/result_waiter.ts'
import { Connections } from '../../src/transport/connections.ts'
import { Transport } from '../../src/transport/transport.ts'
import { redisServer } from '../../tests/helpers/servers.ts'
import type { JobClass } from '../../src/jobs/job.ts'
import type { QueuedeckConfig } from '../../src/types.ts'

export const silent = { trace() {}, debug() {}, info() {}, warn() {}, error() {}, fatal() {} }

/** What a worker of the bench needs of a container. */
export const container = { make: async (Class: new () => unknown) => new Class() } as never

/**
 * A plain connection to some Redis for BullMQ, and our transport beside it. Nothing is limited unless asked for.
 */
export function labAt(
  url: string,
  classes: JobClass[] = [],
  limits: QueuedeckConfig['limits'] = { global: null, user: null }
) {
  const plain = new Redis(url, { maxRetriesPerRequest: null })
  const connections = new Connections(() => ({ ioConnection: plain }) as never)
  const config = defineConfig({ prefix: '{queuedeck}', mirror: false, limits })
  const transport = new Transport(connections, { prefix: config.prefix })
  const registry = new JobRegistry()
  classes.forEach((Class) => registry.register(Class))
  const waiter = new ResultWaiter({ endingOf: async () => null, subscribe: async () => () => {} })
  const manager = new QueueManager(config, registry, transport, waiter)
  return {
    plain,
    url,
    config,
    transport,
    registry,
    manager,
    async close() {
      await connections.closeAll()
      plain.disconnect()
    },
  }
}

/**
 * The same with a Redis of the bench's own.
 */
export async function benchLab(classes?: JobClass[], limits?: QueuedeckConfig['limits']) {
  const server = await redisServer({ own: true })
  const lab = labAt(server.url, classes, limits)
  return {
    ...lab,
    async close() {
      await lab.close()
      await server.stop()
    },
  }
}

export type BenchLab = Awaited<ReturnType<typeof benchLab>>
