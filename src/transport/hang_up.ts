import type { RedisClient } from './client.ts'

/**
 * Cuts a connection at once. While both sides still shake hands over TLS, the server answers the cut with an alert. Behind a certificate
 * that is not trusted this is the second error of its socket, and ioredis listens for one: it would end the process.
 *
 * @param reconnect whether the client connects anew
 */
export function hangUp(client: RedisClient, reconnect = false): void {
  const cluster = client as unknown as { isCluster?: boolean; nodes(role: string): RedisClient[] }
  for (const { stream } of cluster.isCluster ? cluster.nodes('all') : [client]) {
    // Until the first attempt to connect there is none.
    const socket = stream as typeof stream | undefined
    socket?.on('error', () => {})
  }
  client.disconnect(reconnect)
}
