import type { Cluster, Redis } from 'ioredis'
import type { ReaderOptions } from './stream_reader.ts'

/**
 * Where the server is that holds a key: the client's own address, behind sentinels the primary it is connected to, in a
 * cluster the node of the key's slot.
 */
export async function readerAddress(client: Redis | Cluster, key: string): Promise<ReaderOptions> {
  if ('slots' in client) {
    const slot = Number(await client.cluster('KEYSLOT', key))
    const node = (client.slots as string[][])[slot]?.[0]
    if (!node) throw new Error(`No node of the cluster holds slot ${slot}`)
    const colon = node.lastIndexOf(':')
    const address = { host: node.slice(0, colon), port: Number(node.slice(colon + 1)) }
    return { ...client.options.redisOptions, ...address }
  }
  const { options, stream } = client
  if (!options.sentinels) return options
  await client.ping()
  const { remoteAddress, remotePort } = stream as { remoteAddress?: string; remotePort?: number }
  return { ...options, host: remoteAddress ?? options.host, port: remotePort ?? options.port }
}
