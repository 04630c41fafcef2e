import type { RedisConnection, RedisClusterConnection } from '@adonisjs/redis'

/** The Redis client below the host's `@adonisjs/redis` connection, of one server or of a cluster. */
export type RedisClient = RedisConnection['ioConnection']

/** The host's connection that ours are duplicated from. */
export type HostConnection =
  Pick<RedisConnection, 'ioConnection'> | Pick<RedisClusterConnection, 'ioConnection'>
