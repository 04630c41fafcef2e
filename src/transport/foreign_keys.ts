import type { RedisClient } from './client.ts'
import type { Keys } from './keys.ts'

/** What BullMQ keeps at each of a queue's keys, in Redis' words. */
const KEPT: Record<string, string> = {
  'wait': 'list',
  'paused': 'list',
  'active': 'list',
  'prioritized': 'zset',
  'delayed': 'zset',
  'waiting-children': 'zset',
  'completed': 'zset',
  'failed': 'zset',
  'marker': 'zset',
  'events': 'stream',
  'meta': 'hash',
  'stalled': 'set',
  'id': 'number',
  'pc': 'number',
}

/** A key that holds something else than jobs need there: another program uses it. */
export type ForeignKey = { key: string; holds: string; needs: string }

/** Whether that is why Redis refused a script. */
export function metForeignKey(error: Error): boolean {
  return /WRONGTYPE|not an integer/.test(error.message)
}

/**
 * Keys of these queues, and what we keep beside all queues, that hold something else than jobs need there.
 */
export async function foreignKeys(
  client: RedisClient,
  keys: Keys,
  queues: string[]
): Promise<ForeignKey[]> {
  const looked = [
    { key: keys.queues, needs: 'set' },
    { key: keys.unique, needs: 'hash' },
    ...queues.flatMap((queue) =>
      Object.entries(KEPT).map(([name, needs]) => ({ key: keys.queue(queue) + name, needs }))
    ),
  ]
  const pipeline = client.pipeline()
  for (const { key } of looked) pipeline.type(key).get(key)
  const answers = (await pipeline.exec()) ?? []
  return looked.flatMap(({ key, needs }, at) => {
    const [type, text] = [answers[2 * at]?.[1], answers[2 * at + 1]?.[1]]
    const isNumber = type === 'string' && /^-?\d+$/.test(String(text))
    const holds = isNumber ? 'number' : String(type ?? 'none')
    return holds === 'none' || holds === needs ? [] : [{ key, holds, needs }]
  })
}
