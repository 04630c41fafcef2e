import type { Check } from '../check.ts'
import { durationText } from '../words.ts'

/** Reports are on their way for a moment, and a busy process writes them late, ms. */
const TOLERATED = 2_000

/** Clocks of hosts that differ from Redis'. Nothing is decided by them, but people compare the times that they write into logs. */
export const clocks: Check = {
  name: 'clocks',
  title: 'Clocks go alike',
  needs: ['redis'],
  async look(facts) {
    const { redis, own } = await facts.clocks()
    const hosts = new Map<string, number>([['this host', own - redis]])
    for (const { age, report } of await facts.workers()) {
      if (!report || report.clock === null) continue
      hosts.set(report.host, report.clock - (redis - age))
    }
    return [...hosts]
      .filter(([, apart]) => Math.abs(apart) > TOLERATED)
      .map(([host, apart]) => ({
        severity: 'info',
        title: `The clock of ${host} is ${durationText(Math.abs(apart))} ${apart > 0 ? 'ahead of' : 'behind'} Redis'`,
        detail: 'no limit, due moment or status depends on it; times in logs of that host differ',
        remedy: 'let the host synchronise its clock (timedatectl set-ntp true)',
        measured: { host, apart: Math.round(apart) },
      }))
  },
}
