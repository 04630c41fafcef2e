import { once } from 'node:events'
import type { Redis } from 'ioredis'
import type { ApplicationService } from '@adonisjs/core/types'

/** How long a connection may take to end, ms. */
const GOODBYE = 2_000

/**
 * Ends connections of the host that have not come about, as with a wrong password. Its provider would say goodbye on them at the end,
 * which fails as the rest did: a stack after the answer, and a process that stays.
 */
export async function leaveRedis({ container }: ApplicationService): Promise<void> {
  const { activeConnections } = await container.make('redis')
  const all = Object.values(activeConnections) as { ioConnection: Redis }[]
  const open = all.flatMap(({ ioConnection }) => {
    return ['ready', 'wait', 'end'].includes(ioConnection.status) ? [] : [ioConnection]
  })
  await Promise.all(
    open.map(async (connection) => {
      const ended = once(connection, 'end', { signal: AbortSignal.timeout(GOODBYE) })
      // Between two attempts there is nothing but a timer, whose end ioredis tells nobody: an attempt that is given up at once ends.
      if (connection.status === 'reconnecting') connection.connect().catch(() => {})
      connection.disconnect()
      await ended.catch(() => {})
    })
  )
}
