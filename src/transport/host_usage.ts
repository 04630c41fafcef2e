import type { SeenWorker } from './worker_registry.ts'
import { HEARTBEAT } from './worker_times.ts'

/** A worker that has not reported for so long beside one that has is gone: killed, and perhaps replaced, ms. */
const GONE_AFTER = 1.5 * HEARTBEAT

/**
 * The reports that together say what each host uses: a killed worker's last one would count beside its replacement. Of a host that is
 * silent, perhaps because it is used up, the last that was heard still counts.
 */
export function usageReports<Seen extends Pick<SeenWorker, 'host' | 'age' | 'cores'>>(
  workers: readonly Seen[]
): Seen[] {
  const newest = new Map<string, number>()
  for (const { host, age } of workers) newest.set(host, Math.min(age, newest.get(host) ?? age))
  return workers.filter(({ host, age, cores }) => {
    const heard = newest.get(host)!
    /** Those that fell silent together reported within one heartbeat. */
    const oldest = heard < GONE_AFTER ? GONE_AFTER : heard + HEARTBEAT
    return cores >= 1 && age <= oldest
  })
}
