import { serversOf, type RedisClient } from './client.ts'
import type { Transport } from './transport.ts'

/**
 * What one Redis server says of itself. Numbers of bytes; null where it does not say, or its user may not ask.
 */
export type ServerFacts = {
  /** `127.0.0.1:6379`; of a cluster each primary is one server. */
  address: string
  /** How a person reaches it: `redis-cli -h 127.0.0.1 -p 6379`. */
  cli: string
  /** As its clients see it: Valkey names the Redis that it is compatible with. */
  version: string
  role: string
  usedMemory: number
  /** 0: no limit. */
  maxMemory: number
  evictionPolicy: string
  /** Memory of its machine; 0 where it does not say. */
  systemMemory: number
  appendOnly: boolean
  /** Points of time at which it saves, as its setting says; '' for never. */
  save: string | null
  /** Whether the newest save or append to its file failed. */
  writesFail: boolean
}

/**
 * Facts of each Redis server that holds keys of ours.
 *
 * @throws E_REDIS_UNAVAILABLE within 5 s
 */
export function readServerFacts(transport: Transport): Promise<ServerFacts[]> {
  return transport.connections.produce('its condition cannot be read', (client) =>
    Promise.all(primaries(client).map(factsOf))
  )
}

async function factsOf(server: RedisClient): Promise<ServerFacts> {
  const [info, save] = await Promise.all([server.info(), setting(server, 'save')])
  const fields = new Map(
    info.split(/\r?\n/).flatMap((line) => {
      const colon = line.indexOf(':')
      return colon > 0 ? [[line.slice(0, colon), line.slice(colon + 1)] as const] : []
    })
  )
  const number = (name: string) => Number(fields.get(name) ?? 0) || 0
  const { host, port, path } = server.options as { host?: string; port?: number; path?: string }
  return {
    address: path ?? `${host}:${port}`,
    cli: path ? `redis-cli -s ${path}` : `redis-cli -h ${host} -p ${port}`,
    version: fields.get('redis_version') ?? '0',
    role: fields.get('role') ?? 'master',
    usedMemory: number('used_memory'),
    maxMemory: number('maxmemory'),
    evictionPolicy: fields.get('maxmemory_policy') ?? 'noeviction',
    systemMemory: number('total_system_memory'),
    appendOnly: number('aof_enabled') === 1,
    save,
    writesFail:
      fields.get('rdb_last_bgsave_status') === 'err' ||
      fields.get('aof_last_write_status') === 'err',
  }
}

/** Hosted servers refuse CONFIG. */
async function setting(server: RedisClient, name: string): Promise<string | null> {
  try {
    const answer = (await server.config('GET', name)) as string[]
    return answer[1] ?? null
  } catch (error) {
    if (/^(NOPERM|ERR unknown)/.test((error as Error).message)) return null
    throw error
  }
}

/** Each server that holds keys: the primaries of a cluster. */
export function primaries(client: RedisClient): RedisClient[] {
  return serversOf(client, 'master')
}

/** A worker of ours calls itself `<host>:<process>:<8 hexadecimal digits>`. */
const OURS = /:\d+:[0-9a-f]{8}$/

/**
 * How many workers of other programs, plain BullMQ's, wait for jobs of each of these queues now, by the names that they give their
 * connections. Null where Redis does not let us see its clients.
 *
 * @throws E_REDIS_UNAVAILABLE within 5 s
 */
export async function plainWorkers(
  transport: Transport,
  queues: string[]
): Promise<Map<string, number> | null> {
  if (queues.length === 0) return new Map()
  const { prefix } = transport.keys
  const list = await transport.connections.produce('its clients cannot be listed', async (client) =>
    Promise.all(primaries(client).map((server) => clientNames(server, transport)))
  )
  if (list.some((names) => names === null)) return null
  const queueOf = new Map(
    queues.map((queue) => [`${prefix}:${Buffer.from(queue).toString('base64')}`, queue])
  )
  const counts = new Map<string, number>()
  for (const name of list.flatMap((names) => names ?? [])) {
    const own = name.indexOf(':w:')
    if (own !== -1 && OURS.test(name)) continue
    const queue = queueOf.get(own === -1 ? name : name.slice(0, own))
    if (queue !== undefined) counts.set(queue, (counts.get(queue) ?? 0) + 1)
  }
  return counts
}

/** Of the connections of a worker the one that waits for jobs is named. */
async function clientNames(
  server: RedisClient,
  { connections: { database } }: Transport
): Promise<string[] | null> {
  try {
    const text = (await server.client('LIST')) as string
    return text.split('\n').flatMap((line) => {
      const name = / name=(\S+)/.exec(line)?.[1]
      /** Those of the server's other databases wait for jobs of another application. */
      return name === undefined || !line.includes(` db=${database} `) ? [] : [name]
    })
  } catch (error) {
    if (/^(NOPERM|ERR unknown)/.test((error as Error).message)) return null
    throw error
  }
}
