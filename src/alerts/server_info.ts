import type { Cluster, Redis } from 'ioredis'
import type { RedisClient } from '../transport/client.ts'

/**
 * How full a Redis is. Without a limit of its own it may use the memory of its machine.
 */
export type ServerInfo = { memory: number; limit: number; policy: string }

/**
 * Asks the server that holds a key: in a cluster the node of its slot.
 */
export async function serverInfo(client: RedisClient, key: string): Promise<ServerInfo> {
  const server = await serverOf(client as unknown as Redis | Cluster, key)
  const text = await server.info('memory')
  const field = (name: string) => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(text)?.[1]
  const number = (name: string) => Number(field(name) ?? 0) || 0
  return {
    memory: number('used_memory'),
    limit: number('maxmemory') || number('total_system_memory'),
    policy: field('maxmemory_policy') ?? 'noeviction',
  }
}

async function serverOf(client: Redis | Cluster, key: string): Promise<Redis> {
  if (!('slots' in client)) return client
  const slot = Number(await client.cluster('KEYSLOT', key))
  const address = (client.slots as string[][])[slot]?.[0]
  const node = client
    .nodes('master')
    .find(({ options: { host, port } }) => `${host}:${port}` === address)
  if (!node) throw new Error(`No node of the cluster holds slot ${slot}`)
  return node
}
