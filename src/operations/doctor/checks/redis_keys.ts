import { foreignKeys } from '../../../transport/foreign_keys.ts'
import type { Check } from '../check.ts'
import { shellWord } from '../finding.ts'

/** Another program's data under a name that jobs need: they are refused, or wait for ever. */
export const redisKeys: Check = {
  name: 'redis-keys',
  title: 'No other program uses the keys of queues',
  needs: ['redis'],
  async look({ transport }) {
    const found = await transport.connections.produce(
      'keys cannot be looked at',
      async (client) => {
        const queues = await transport.queueNames(client).catch(() => [])
        return foreignKeys(client, transport.keys, queues)
      }
    )
    return found.map(({ key, holds, needs }) => ({
      severity: 'problem',
      title: `Redis holds a ${holds} at the key ${key}, where jobs need a ${needs}`,
      detail: 'another program has written it: jobs that meet it are refused, or do not run',
      remedy: `rename the key, and give one of the two programs another prefix: redis-cli rename ${shellWord(key)} ${shellWord(`other:${key}`)}`,
      measured: { key, holds, needs },
    }))
  },
}
