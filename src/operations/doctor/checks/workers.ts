import { isSuspect } from '../../../transport/worker_times.ts'
import type { Check } from '../check.ts'
import type { Finding } from '../finding.ts'
import { durationText } from '../words.ts'

/** Workers that are silent, and releases that run side by side. */
export const workers: Check = {
  name: 'workers',
  title: 'Workers report, and are of one release',
  needs: ['redis'],
  async look(facts) {
    const list = await facts.workers()
    const found: Finding[] = list.filter(isSuspect).map(({ id, age, report }) => ({
      severity: 'warning',
      title: `The worker ${id} has not reported for ${durationText(age)}`,
      detail: `it has ended without a goodbye, its host is cut off, or its code blocks the event loop; queues: ${report?.queues.join(', ') || 'not known'}`,
      remedy: report
        ? `look at process ${report.pid} of ${report.host}; its jobs go on elsewhere, and after five minutes it is taken off the list`
        : 'its jobs go on elsewhere, and after five minutes it is taken off the list',
      measured: { id, age, host: report?.host ?? null, pid: report?.pid ?? null },
    }))
    const versions = new Map<string, number>()
    for (const worker of list) {
      const { report } = worker
      if (!report?.version || isSuspect(worker)) continue
      versions.set(report.version, (versions.get(report.version) ?? 0) + 1)
    }
    if (versions.size > 1) {
      found.push({
        severity: 'info',
        title: `Workers of ${versions.size} releases run side by side`,
        detail: [...versions].map(([version, n]) => `${version}: ${n}`).join(', '),
        remedy: 'while a deployment rolls out that is as it should be; else restart the older ones',
        measured: { versions: Object.fromEntries(versions) },
      })
    }
    return found
  },
}
