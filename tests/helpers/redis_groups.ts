import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Redis, type RedisOptions } from 'ioredis'
import { freePort } from './ports.ts'
import { PrivateServer } from './private_server.ts'
import { redisToRun, temporaryFolder } from './servers.ts'
import { waitFor } from './wait.ts'

export type NodeOptions = {
  settings?: Record<string, string>
  /** How a client reaches it, beyond host and port. */
  client?: RedisOptions
  /** A sentinel instead of a server. */
  sentinel?: boolean
  /** It answers by TLS alone; `settings` name its certificate. */
  tls?: object
}

/**
 * One Redis process with settings of its own: a node of a cluster, a replica, a sentinel, a server with TLS.
 */
export async function redisNode(options: NodeOptions = {}): Promise<PrivateServer> {
  const { path, variables } = await redisToRun()
  const port = await freePort()
  const directory = await temporaryFolder('redis')
  const settings = {
    [options.tls ? 'tls-port' : 'port']: String(port),
    bind: '127.0.0.1',
    dir: directory,
    ...(options.sentinel ? {} : { save: '', appendonly: 'no' }),
    ...options.settings,
  }
  /** Redis writes what it learns of its group into this file. */
  const file = join(directory, 'redis.conf')
  const lines = Object.entries(settings).map(([name, value]) => `${name} ${value || '""'}`)
  await writeFile(file, `${lines.join('\n')}\n`)
  const isReady = async () => {
    const client = nodeClient(port, options.client)
    try {
      return (await client.ping()) === 'PONG'
    } finally {
      client.disconnect()
    }
  }
  return new PrivateServer({
    name: options.sentinel ? 'Sentinel' : 'Redis',
    port,
    url: `redis://127.0.0.1:${port}`,
    directory,
    command: path,
    variables,
    args: [file, ...(options.sentinel ? ['--sentinel'] : [])],
    isReady,
    stopSignal: 'SIGTERM',
    killSignal: 'SIGKILL',
  }).start()
}

/** A client of one node; it tries once. */
export function nodeClient(port: number, options: RedisOptions = {}): Redis {
  const client = new Redis({ host: '127.0.0.1', port, retryStrategy: () => null, ...options })
  client.on('error', () => {})
  return client
}

/** A group of Redis processes. `address` is what `hostClient` takes. */
export type RedisGroup = { nodes: PrivateServer[]; address: string; stop(): Promise<void> }

const SLOTS = 16_384

/**
 * A cluster of three primaries, and with a `replicaOf` a replica of the primary that holds this key.
 */
export async function redisCluster(
  options: { replicaOf?: string; settings?: Record<string, string> } = {}
): Promise<RedisGroup & { primary: PrivateServer; replica?: PrivateServer }> {
  const start = async () =>
    redisNode({
      settings: {
        'cluster-enabled': 'yes',
        'cluster-config-file': 'nodes.conf',
        'cluster-node-timeout': '1000',
        'cluster-port': String(await freePort()),
        'cluster-replica-validity-factor': '0',
        'repl-diskless-sync-delay': '0',
        ...options.settings,
      },
    })
  const count = options.replicaOf === undefined ? 3 : 4
  const nodes = await Promise.all(Array.from({ length: count }, start))
  const clients = nodes.map(({ port }) => nodeClient(port))
  try {
    await Promise.all(
      clients.slice(0, 3).map(async (client, at) => {
        const from = Math.floor((SLOTS * at) / 3)
        const to = Math.floor((SLOTS * (at + 1)) / 3) - 1
        await client.call('CLUSTER', 'ADDSLOTSRANGE', from, to)
        await client.call('CLUSTER', 'SET-CONFIG-EPOCH', at + 1)
      })
    )
    const buses = await Promise.all(
      clients.map(async (client) => ((await client.config('GET', 'cluster-port')) as string[])[1])
    )
    for (const at of nodes.keys()) {
      if (at > 0)
        await clients[0].call('CLUSTER', 'MEET', '127.0.0.1', nodes[at].port, Number(buses[at]))
    }
    const holder = await ownerOf(clients[0], options.replicaOf ?? '')
    const knows = async (client: Redis) => {
      const info = await client.cluster('INFO')
      return info.includes('cluster_state:ok') && info.includes(`cluster_known_nodes:${count}`)
    }
    await waitFor('the cluster', async () => (await Promise.all(clients.map(knows))).every(Boolean))
    if (count === 4) {
      const id = String(await clients[holder].call('CLUSTER', 'MYID'))
      await clients[3].call('CLUSTER', 'REPLICATE', id)
      await waitFor('the replica', async () =>
        (await clients[3].info('replication')).includes('master_link_status:up')
      )
      /** Everybody must know whose replica it is, or nobody votes for it. */
      await waitFor('the others to know the replica', async () => {
        const lists = await Promise.all(
          clients.map(async (one) => String(await one.cluster('NODES')))
        )
        return lists.every((list) => list.includes(`slave ${id}`))
      })
    }
    return {
      nodes,
      address: JSON.stringify({
        clusters: nodes.slice(0, 3).map(({ host, port }) => ({ host, port })),
        clusterOptions: {},
      }),
      primary: nodes[holder],
      replica: nodes[3],
      stop: () => stopAll(nodes),
    }
  } finally {
    clients.forEach((client) => client.disconnect())
  }
}

async function ownerOf(client: Redis, key: string): Promise<number> {
  const slot = Number(await client.cluster('KEYSLOT', key))
  return [0, 1, 2].find((at) => slot < Math.floor((SLOTS * (at + 1)) / 3))!
}

/**
 * A primary with two replicas, and three sentinels that watch them under the name `queue`. A primary without any replica takes no
 * writes: one that was deposed and does not know it yet would lose them.
 */
export async function redisSentinels(): Promise<
  RedisGroup & {
    /** Lets the primary and a replica change places. */
    changePlaces(): Promise<void>
    /** Who is primary now, as a sentinel says. */
    primary(): Promise<PrivateServer>
  }
> {
  const settings = {
    'repl-diskless-sync-delay': '0',
    'min-replicas-to-write': '1',
    'min-replicas-max-lag': '10',
  }
  const first = await redisNode({ settings })
  const replicas = await Promise.all(
    [1, 2].map(() => redisNode({ settings: { ...settings, replicaof: `127.0.0.1 ${first.port}` } }))
  )
  const sentinels = await Promise.all(
    [1, 2, 3].map(() =>
      redisNode({
        sentinel: true,
        settings: {
          'sentinel monitor': `queue 127.0.0.1 ${first.port} 2`,
          'sentinel down-after-milliseconds': 'queue 1000',
          'sentinel failover-timeout': 'queue 5000',
        },
      })
    )
  )
  const servers = [first, ...replicas]
  const nodes = [...servers, ...sentinels]
  const clients = sentinels.map(({ port }) => nodeClient(port))
  /**
   * A former primary is told to follow four of these periods after the change, which are 2 s, and is noticed within an INFO period, which
   * is 10 s. Sentinel before 7.0 keeps to that.
   */
  const periods = ['PUBLISH-PERIOD', '500', 'INFO-PERIOD', '1000']
  await Promise.all(
    clients.map((client) => client.call('SENTINEL', 'DEBUG', ...periods).catch(() => {}))
  )
  const primary = async () => {
    const [, port] = (await clients[0].call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', 'queue')) as [
      string,
      string,
    ]
    return servers.find((server) => server.port === Number(port))!
  }
  await waitFor('the sentinels to know each other and the replicas', async () => {
    const known = await Promise.all(
      clients.map(async (client) => {
        const facts = (await client.call('SENTINEL', 'MASTER', 'queue')) as string[]
        const fact = (name: string) => facts[facts.indexOf(name) + 1]
        return [fact('num-slaves'), fact('num-other-sentinels'), fact('flags')].join()
      })
    )
    return known.every((facts) => facts === '2,2,master')
  })
  return {
    nodes,
    address: JSON.stringify({
      sentinels: sentinels.map(({ host, port }) => ({ host, port })),
      name: 'queue',
    }),
    primary,
    async changePlaces() {
      const before = await primary()
      await clients[0].call('SENTINEL', 'FAILOVER', 'queue')
      await waitFor('another primary', async () => (await primary()) !== before)
      await waitFor('the former primary to follow', async () =>
        (await replicationOf(before)).includes('master_link_status:up')
      )
    },
    stop() {
      clients.forEach((client) => client.disconnect())
      return stopAll(nodes)
    },
  }
}

/** By a connection of its own: Redis cuts those that it has when it changes sides. */
export function replicationOf({ port }: { port: number }): Promise<string> {
  const client = nodeClient(port)
  return client.info('replication').finally(() => client.disconnect())
}

/**
 * Waits until the replica of a primary has everything that the primary has now. Replication is asynchronous: only what the replica
 * has outlives the primary.
 */
export async function replicated(primary: { port: number }): Promise<void> {
  const offset = (text: string, name: string) =>
    Number(new RegExp(`${name}(\\d+)`).exec(text)?.[1] ?? -1)
  const wanted = offset(await replicationOf(primary), 'master_repl_offset:')
  await waitFor(
    'the replica to catch up',
    async () => offset(await replicationOf(primary), 'state=online,offset=') >= wanted,
    { every: 5 }
  )
}

async function stopAll(nodes: PrivateServer[]): Promise<void> {
  await Promise.all(
    nodes.map((node) => {
      node.thaw()
      return node.stop()
    })
  )
}
