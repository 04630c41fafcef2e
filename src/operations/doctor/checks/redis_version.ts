import type { Check } from '../check.ts'
import type { Finding } from '../finding.ts'

/** Streams and scripts as we use them need this, and functions the second. */
const OLDEST = [6, 2]
const FUNCTIONS = [7, 0]

/** Which Redis it is, and whether it takes writes. */
export const redisVersion: Check = {
  name: 'redis-version',
  title: 'Redis can do what is asked of it',
  needs: ['redis'],
  async look(facts) {
    const servers = await facts.servers()
    const found = servers.flatMap(({ address, version, role }) => {
      const measured = { address, version, role }
      const some: Finding[] = []
      if (role !== 'master') {
        some.push({
          severity: 'problem',
          title: `Redis ${address} is a replica: it takes no jobs`,
          detail: `its role is ${role}`,
          remedy: 'point the connection of config/redis.ts at the primary, or at its sentinels',
          measured,
        })
      }
      if (isOlder(version, OLDEST)) {
        some.push({
          severity: 'problem',
          title: `Redis ${address} is too old`,
          detail: `it is ${version}; ${OLDEST.join('.')} or newer is needed`,
          remedy: 'run Redis 7 or newer, or Valkey',
          measured,
        })
      }
      return some
    })
    const [{ address, version }] = servers
    if (found.length === 0 && facts.transport.delivery.mode === 'eval') {
      const isOld = isOlder(version, FUNCTIONS)
      found.push({
        severity: 'info',
        title: 'Scripts run by EVALSHA, which costs Redis about a quarter more for each job',
        detail: isOld
          ? `Redis ${address} is ${version}, without functions`
          : `Redis ${address} is ${version}, and its user may not use functions`,
        remedy: isOld
          ? 'run Redis 7 or newer, or Valkey'
          : 'allow the user the commands FUNCTION and FCALL (ACL SETUSER ... +function +fcall)',
        measured: { address, version, mode: 'eval' },
      })
    }
    return found
  },
}

function isOlder(version: string, than: number[]): boolean {
  const parts = version.split('.').map(Number)
  const at = than.findIndex((part, index) => (parts[index] || 0) !== part)
  return at !== -1 && (parts[at] || 0) < than[at]
}
