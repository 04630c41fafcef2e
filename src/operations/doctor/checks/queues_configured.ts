import type { Check } from '../check.ts'
import { shellWord } from '../finding.ts'

/** Queues of the configuration and of job types that no worker serves and that hold nothing: often a slip of the pen. */
export const queuesConfigured: Check = {
  name: 'queues-configured',
  title: 'Each configured queue has a worker',
  needs: ['redis'],
  async look(facts) {
    const { config, dependencies } = facts
    const sources = new Map<string, string>()
    const { registry } = dependencies
    for (const name of registry.names()) {
      const { queue } = registry.get(name)!.options
      if (queue !== undefined) sources.set(queue, `the job type ${name}`)
    }
    for (const name of Object.keys(config.limits.queues)) {
      sources.set(name, '"limits.queues" of config/queuedeck.ts')
    }
    for (const name of config.queues) sources.set(name, '"queues" of config/queuedeck.ts')
    const [queues, plain] = await Promise.all([facts.queues(), facts.plainWorkers()])
    const known = new Map(queues.map((queue) => [queue.name, queue]))
    return [...sources]
      .filter(([name]) => {
        const queue = known.get(name)
        if (!queue) return true
        /** Queues that hold jobs are told of as such. */
        const { pending, running, scheduled } = queue.depths
        return queue.workers + (plain?.get(name) ?? 0) + pending + running + scheduled === 0
      })
      .map(([name, source]) => ({
        severity: 'info',
        title: `No worker serves the queue "${name}", and it is empty`,
        detail: `it is named by ${source}`,
        remedy: `node ace queue:work --queues=${shellWord(name)}, or take the name out`,
        measured: { queue: name, source },
      }))
  },
}
