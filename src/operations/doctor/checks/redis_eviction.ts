import type { Check } from '../check.ts'

/** A Redis that throws keys away throws jobs away. */
export const redisEviction: Check = {
  name: 'redis-eviction',
  title: 'Redis keeps what it was given',
  needs: ['redis'],
  async look(facts) {
    const servers = await facts.servers()
    return servers
      .filter(({ evictionPolicy }) => evictionPolicy !== 'noeviction')
      .map(({ address, cli, evictionPolicy, maxMemory }) => ({
        severity: maxMemory > 0 ? 'problem' : 'warning',
        title:
          maxMemory > 0
            ? `Redis ${address} throws keys away when it is full, jobs among them`
            : `Redis ${address} would throw keys away if it had a memory limit`,
        detail: `maxmemory-policy is ${evictionPolicy}, maxmemory ${maxMemory}`,
        remedy: `${cli} config set maxmemory-policy noeviction (and in redis.conf, or it is lost at the next start)`,
        measured: { address, policy: evictionPolicy, maxMemory },
      }))
  },
}
