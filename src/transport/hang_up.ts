import { serversOf, type RedisClient } from './client.ts'

/**
 * Cuts a connection at once. While both sides still shake hands over TLS, the server answers the cut with an alert. Behind a certificate
 * that is not trusted this is the second error of its socket, and ioredis listens for one: it would end the process.
 *
 * @param reconnect whether the client connects anew
 */
export function hangUp(client: RedisClient, reconnect = false): void {
  for (const { stream } of serversOf(client, 'all')) {
    // Until the first attempt to connect there is none.
    const socket = stream as typeof stream | undefined
    socket?.on('error', () => {})
  }
  client.disconnect(reconnect)
}
