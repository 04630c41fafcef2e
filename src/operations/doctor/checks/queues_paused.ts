import type { Check } from '../check.ts'
import { shellWord } from '../finding.ts'
import { jobsText, momentText } from '../words.ts'

/** Queues that somebody paused while jobs wait in them. */
export const queuesPaused: Check = {
  name: 'queues-paused',
  title: 'No queue with waiting jobs is paused',
  needs: ['redis'],
  async look(facts) {
    return (await facts.queues())
      .filter(({ paused, depths }) => paused && depths.pending > 0)
      .map(({ name, depths, oldest }) => ({
        severity: 'warning',
        title: `The queue "${name}" is paused`,
        detail: `${jobsText(depths.pending)} pending${oldest ? `, the oldest since ${momentText(oldest.createdAt)}` : ''}`,
        remedy: `node ace queue:resume ${shellWord(name)}`,
        measured: { queue: name, pending: depths.pending, oldest: oldest?.createdAt ?? null },
      }))
  },
}
