import type { RedisClient } from './client.ts'
import { HUNG_UP, reasonOf } from './outage.ts'

/**
 * How long a server that refuses connections is waited for, ms: somewhat more than a restart takes. One that hangs may still answer,
 * so it is waited for until the deadline.
 */
const REFUSED_PATIENCE = 1_200

/**
 * Waits until a client can take commands; it must be connecting already, or trying again by itself.
 *
 * @param deadline by `performance.now()`, which nobody sets
 * @returns null once it can, `refused` with the reason when the server refuses for good, `late` when the deadline has passed
 */
export function untilReady(
  client: RedisClient,
  deadline: number
): Promise<{ refused: string } | 'late' | null> {
  return new Promise((resolve) => {
    const patient = performance.now() + Math.min(REFUSED_PATIENCE, deadline - performance.now())
    /** What the last try to connect met; a connection that is made takes it back. */
    let refused: string | null = null

    const end = (result: { refused: string } | 'late' | null) => {
      clearTimeout(late)
      clearTimeout(patience)
      client.off('ready', ready)
      client.off('connect', connected)
      client.off('error', failed)
      client.off('close', closed)
      resolve(result)
    }
    const ready = () => end(null)
    const connected = () => (refused = null)
    /** A connection that was just made when patience ended, and is hung up only then, counts as well. */
    const closed = () => {
      refused ??= HUNG_UP
      if (performance.now() >= patient) end({ refused })
    }
    const failed = (error: Error) => {
      const reason = reasonOf(error)
      refused = reason?.refused ? reason.text : null
      if (refused !== null && performance.now() >= patient) end({ refused })
    }
    const late = setTimeout(() => end('late'), Math.max(deadline - performance.now(), 0))
    const patience = setTimeout(() => {
      if (refused !== null) end({ refused })
    }, patient - performance.now())
    client.on('ready', ready)
    client.on('connect', connected)
    client.on('error', failed)
    client.on('close', closed)
  })
}
