import type { Check } from '../check.ts'
import { bytesText } from '../words.ts'

/** Shares of the limit from which on it is said. */
const NEAR = 0.75
const VERY_NEAR = 0.9

/** Share of the machine's memory, where Redis has no limit of its own. */
const MACHINE = 0.8

/** A full Redis takes no jobs. */
export const redisMemory: Check = {
  name: 'redis-memory',
  title: 'Redis has room',
  needs: ['redis'],
  async look(facts) {
    return (await facts.servers()).flatMap(
      ({ address, cli, usedMemory: used, maxMemory, systemMemory }) => {
        const limit = maxMemory > 0 ? maxMemory : systemMemory
        const share = limit > 0 ? used / limit : 0
        if (share < (maxMemory > 0 ? NEAR : MACHINE)) return []
        const isUrgent = share >= VERY_NEAR
        const what = maxMemory > 0 ? 'maxmemory' : 'the memory of its machine'
        return [
          {
            severity: isUrgent ? ('problem' as const) : ('warning' as const),
            title:
              maxMemory > 0 && share >= 1
                ? `Redis ${address} is full: it refuses new jobs`
                : `Redis ${address} is nearly full`,
            detail: `${bytesText(used)} used of ${bytesText(limit)} (${what}), ${Math.round(share * 100)} %`,
            remedy:
              maxMemory > 0
                ? `raise maxmemory (${cli} config set maxmemory ${2 * maxMemory}), or free some with "node ace queue:cleanup" and shorter "kept" clocks in config/queuedeck.ts`
                : 'give the machine more memory, or free some with "node ace queue:cleanup"; set maxmemory, so that the system does not end Redis',
            measured: { address, used, limit, share },
          },
        ]
      }
    )
  },
}
