import type { RedisConnection, RedisClusterConnection } from '@adonisjs/redis'

/** The Redis client below the host's `@adonisjs/redis` connection, of one server or of a cluster. */
export type RedisClient = RedisConnection['ioConnection']

/** The host's connection that ours are duplicated from. */
export type HostConnection =
  Pick<RedisConnection, 'ioConnection'> | Pick<RedisClusterConnection, 'ioConnection'>

/** The servers behind a client: itself, or the nodes of a cluster that it knows. */
export function serversOf(client: RedisClient, role: 'all' | 'master'): RedisClient[] {
  const cluster = client as unknown as { isCluster?: boolean; nodes(role: string): RedisClient[] }
  return cluster.isCluster ? cluster.nodes(role) : [client]
}
