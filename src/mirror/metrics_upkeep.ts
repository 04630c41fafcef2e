import type { HostSample } from '../records/metrics/metric_types.ts'
import type { RedisClient } from '../transport/client.ts'
import { usageReports } from '../transport/host_usage.ts'
import type { Transport } from '../transport/transport.ts'
import type { WorkerReport } from '../transport/worker_report.ts'
import { isSuspect } from '../transport/worker_times.ts'

/**
 * What the leader does for metrics beside mirroring: notes what hosts use, and sums up hours.
 */
export class MetricsUpkeep {
  constructor(
    private keeper: {
      sample(samples: readonly HostSample[], at: number): Promise<void>
      sumUp(now: number, signal?: AbortSignal): Promise<number>
    },
    private transport: Transport,
    private redis: RedisClient
  ) {}

  /** Notes what the hosts of all workers use now. */
  async sample(): Promise<void> {
    const workers = await this.transport.workers.seen(this.redis)
    const fresh = workers.filter((worker) => !isSuspect(worker))
    await this.keeper.sample(samplesOf(usageReports(fresh)), await this.transport.time(this.redis))
  }

  /** Sums up the hours that are over. */
  async sumUp(signal?: AbortSignal): Promise<number> {
    return this.keeper.sumUp(await this.transport.time(this.redis), signal)
  }
}

/**
 * Workers of one host together: their shares of a core against all cores, their memory against the largest limit.
 */
function samplesOf(reports: readonly WorkerReport[]): HostSample[] {
  const hosts = new Map<string, { cpu: number; cores: number; used: number; limit: number }>()
  for (const { host, cpu, cores, memory } of reports) {
    const sum = hosts.get(host) ?? { cpu: 0, cores: 1, used: 0, limit: 0 }
    hosts.set(host, {
      cpu: sum.cpu + cpu,
      cores: Math.max(sum.cores, cores),
      used: sum.used + Math.round(memory.used),
      limit: Math.max(sum.limit, Math.round(memory.limit)),
    })
  }
  return [...hosts].map(([host, { cpu, cores, used, limit }]) => ({
    host,
    cpu: Math.min(1, cpu / cores),
    memory: { used, limit },
  }))
}
