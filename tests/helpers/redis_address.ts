import { createRequire } from 'node:module'
import { Redis } from 'ioredis'
import type { RedisClient } from '../../src/transport/client.ts'

/**
 * The client of a host's `@adonisjs/redis` connection to an address: a `redis://` URL, or as JSON what stands below `connections`
 * in config/redis.ts (one server, `clusters` or `sentinels`), which fits into a process' arguments.
 */
export function hostClient(address: string): RedisClient {
  if (!address.startsWith('{')) return quiet(new Redis(address, { maxRetriesPerRequest: null }))
  /** Only when it is needed: it brings half of the framework, and tests start many processes. */
  const { RedisManagerFactory } = createRequire(import.meta.url)(
    '@adonisjs/redis/factories'
  ) as typeof import('@adonisjs/redis/factories')
  const manager = new RedisManagerFactory({
    connection: 'main',
    connections: { main: patient(JSON.parse(address)) },
  } as never).create()
  manager.doNotLogErrors()
  const client = manager.connection('main' as never) as unknown as { ioConnection: RedisClient }
  return quiet(client.ioConnection)
}

function quiet(client: RedisClient): RedisClient {
  client.on('error', () => {})
  return client
}

/** Tests wait for their Redis as long as they last. */
function patient(config: object): object {
  if (!('clusters' in config)) return { ...config, maxRetriesPerRequest: null }
  const { clusterOptions = {} } = config as { clusterOptions?: { redisOptions?: object } }
  const redisOptions = { ...clusterOptions.redisOptions, maxRetriesPerRequest: null }
  return { ...config, clusterOptions: { ...clusterOptions, redisOptions } }
}

/** All keys that fit a pattern, on every primary of a cluster. */
export async function keysLike(client: RedisClient, pattern: string): Promise<string[]> {
  const cluster = client as unknown as { isCluster?: boolean; nodes(role: string): RedisClient[] }
  if (!cluster.isCluster) return client.keys(pattern)
  const lists = await Promise.all(cluster.nodes('master').map((node) => node.keys(pattern)))
  return lists.flat()
}
