import { JobQuery } from '../../../records/job_query.ts'
import type { Check } from '../check.ts'
import type { Finding } from '../finding.ts'
import { jobsText, momentText } from '../words.ts'

/** Failures that are looked at, and how far back, ms. */
const NEWEST = 200
const RECENT = 86_400_000

/** Job types that failed because no class of theirs is known. */
export const jobTypes: Check = {
  name: 'job-types',
  title: 'The class of each job is known',
  needs: ['database'],
  async look(facts) {
    const { records } = facts.dependencies
    const { rows } = await records.reader.page(
      JobQuery.from({
        status: 'failed',
        from: new Date(Date.now() - RECENT).toISOString(),
        limit: String(NEWEST),
      })
    )
    const types = new Map<string, { jobs: number; newest: number; queue: string }>()
    for (const { type, queue, error, createdAt } of rows) {
      if (error?.code !== 'UNKNOWN_TYPE') continue
      const { jobs = 0, newest = createdAt } = types.get(type) ?? {}
      types.set(type, { jobs: jobs + 1, newest, queue })
    }
    return [...types].map(([type, { jobs, newest, queue }]): Finding => ({
      severity: 'warning',
      title: `Jobs of the type "${type}" fail: no worker knows a class of it`,
      detail: `${jobsText(jobs)} among the newest ${NEWEST} that failed in a day, the last created ${momentText(newest)}, queue "${queue}"`,
      remedy:
        'deploy the class to all workers (node ace make:job writes one), or let only workers that know it serve its queue: node ace queue:work --queues=...',
      measured: { type, queue, jobs, newest },
    }))
  },
}
