import type { Check } from '../check.ts'
import type { Finding } from '../finding.ts'

/** What Redis does not write down is gone at its next start. */
export const redisPersistence: Check = {
  name: 'redis-persistence',
  title: 'Redis keeps jobs over a restart',
  needs: ['redis'],
  async look(facts) {
    return (await facts.servers()).flatMap(({ address, cli, appendOnly, save, writesFail }) => {
      const measured = { address, appendOnly, save, writesFail }
      const found: Finding[] = []
      if (writesFail) {
        found.push({
          severity: 'problem',
          title: `Redis ${address} cannot write its data to disk`,
          detail: 'its newest save or append failed; it may refuse all writes for that',
          remedy: "look into Redis' log, make room on its disk and let it write to its folder",
          measured,
        })
      }
      if (!appendOnly && save === '') {
        found.push({
          severity: 'warning',
          title: `Redis ${address} keeps jobs in memory only: those that wait are lost when it restarts`,
          detail: 'appendonly is no, and save is empty',
          remedy: `${cli} config set appendonly yes (and in redis.conf, or it is lost at the next start)`,
          measured,
        })
      }
      return found
    })
  },
}
