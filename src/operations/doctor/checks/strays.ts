import { oldestPendingJobs } from '../../../records/oldest_pending.ts'
import type { JobView } from '../../../types.ts'
import type { Check } from '../check.ts'
import type { Facts } from '../facts.ts'
import { jobsText, momentText } from '../words.ts'

/** Of each queue so many jobs are looked for, those that wait longest: whoever cannot come is among them sooner or later. */
const LOOKED_FOR = 5

/** So many are listed: some may be of a queue whose name differs only in case. */
const LISTED = 20

/** Pending jobs that no worker can come to: Redis holds them, and none of a queue's lists names them. */
export const strays: Check = {
  name: 'strays',
  title: 'Pending jobs stand in a list from which workers take them',
  needs: ['redis', 'database'],
  async look(facts) {
    const queues = await facts.transport.queueNames()
    const found = []
    for (const queue of queues) {
      const jobs = await straysOf(facts, queue)
      if (jobs.length > 0) found.push({ queue, jobs })
    }
    return found.map(({ queue, jobs }) => ({
      severity: 'problem',
      title: `The queue "${queue}" holds pending jobs that no worker can reach`,
      detail: `none of its lists names ${jobsText(jobs.length)} of the ${LOOKED_FOR} that wait longest, the first since ${momentText(jobs[0].createdAt)}: another tool took the list away, or its write broke off half-way`,
      remedy: `cancel and restart each: node ace queue:cancel ${jobs[0].id} && node ace queue:restart ${jobs[0].id}`,
      measured: { queue, ids: jobs.map(({ id }) => id) },
    }))
  },
}

async function straysOf(facts: Facts, queue: string): Promise<JobView[]> {
  const { transport, dependencies } = facts
  const oldest = await oldestPendingJobs(dependencies.records.reader, queue, LISTED)
  const jobs = oldest.slice(0, LOOKED_FOR)
  if (jobs.length === 0) return []
  const ids = jobs.map(({ transportId }) => transportId)
  const found = await transport.connections.produce('jobs cannot be looked for', (client) =>
    transport.audit.strays(queue, ids, client)
  )
  return jobs.filter(({ transportId }) => found.includes(transportId))
}
