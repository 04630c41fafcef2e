import type { RegisteredWorker } from '../../../transport/worker_registry.ts'
import { isSuspect } from '../../../transport/worker_times.ts'
import type { QueueView } from '../../queue_views.ts'
import type { Check } from '../check.ts'
import type { Facts } from '../facts.ts'
import { shellWord, type Finding } from '../finding.ts'
import { jobsText, momentText } from '../words.ts'

/** Queues that hold jobs which nobody takes. */
export const queuesUnserved: Check = {
  name: 'queues-unserved',
  title: 'Each queue with jobs has a worker',
  needs: ['redis'],
  async look(facts) {
    const [queues, workers, plain] = await Promise.all([
      facts.queues(),
      facts.workers(),
      facts.plainWorkers(),
    ])
    const unserved = queues.filter(({ name, depths, workers: serving }) => {
      const held = depths.pending + depths.running + depths.scheduled
      return held > 0 && serving + (plain?.get(name) ?? 0) === 0
    })
    return Promise.all(
      unserved.map(async (queue) =>
        describe(queue, await since(facts, queue), workers, plain === null)
      )
    )
  },
}

/** What records do not say yet, Redis does: of the job whose turn is next. */
async function since(facts: Facts, { name, oldest }: QueueView): Promise<number | null> {
  if (oldest !== null) return oldest.createdAt
  const { connections, audit } = facts.transport
  return connections.produce('the next job cannot be read', (client) =>
    audit.nextSince(name, client)
  )
}

function describe(
  { name, depths: { pending, running, scheduled } }: QueueView,
  oldest: number | null,
  workers: RegisteredWorker[],
  unsure: boolean
): Finding {
  const parts = [
    ...(pending > 0 ? [`${jobsText(pending)} pending`] : []),
    ...(running > 0 ? [`${jobsText(running)} whose worker is gone`] : []),
    ...(scheduled > 0 ? [`${jobsText(scheduled)} scheduled`] : []),
    ...(oldest !== null ? [`waiting since ${momentText(oldest)}`] : []),
    ...(unsure ? ['Redis does not show whether workers of other programs serve it'] : []),
  ]
  const own = workers.filter(({ report }) => report?.queues.includes(name))
  const quiet = own.filter((worker) => worker.report?.state === 'quiet' && !isSuspect(worker))
  const start = `node ace queue:work --queues=${shellWord(name)}`
  return {
    /** Nothing is late yet where all jobs wait for their time. */
    severity: pending + running > 0 && !unsure ? 'problem' : 'warning',
    title:
      own.length === 0
        ? `No worker serves the queue "${name}"`
        : `No worker takes jobs of the queue "${name}"`,
    detail: parts.join(', '),
    remedy:
      quiet.length === 0
        ? start
        : `resume a worker that is quiet, on the page of workers (${quiet.map(({ id }) => id).join(', ')}), or start one: ${start}`,
    measured: {
      queue: name,
      pending,
      running,
      scheduled,
      oldest,
      workers: own.map(({ id, age, report }) => ({ id, age, state: report?.state })),
    },
  }
}
