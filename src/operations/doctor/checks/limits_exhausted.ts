import type { LimitsView } from '../../../transport/limits.ts'
import type { QueueView } from '../../queue_views.ts'
import type { Check } from '../check.ts'
import { shellWord, type Finding } from '../finding.ts'
import { jobsText } from '../words.ts'

/** Users who are named for one limit. */
const NAMED = 5

/** Limits that hold jobs back now, and whose jobs take their room. That is what limits are for, so it is no problem. */
export const limitsExhausted: Check = {
  name: 'limits-exhausted',
  title: 'No limit holds jobs back',
  needs: ['redis'],
  async look(facts) {
    const [view, queues] = await Promise.all([facts.limits(), facts.queues()])
    const waiting = queues.filter(({ paused, depths }) => !paused && depths.pending > 0)
    return [...globalLimit(view, waiting), ...queueLimits(waiting), ...heldBack(view)]
  },
}

function globalLimit({ limits, users }: LimitsView, waiting: QueueView[]): Finding[] {
  const global = limits.find(({ kind }) => kind === 'global')
  const pending = waiting.reduce((sum, { depths }) => sum + depths.pending, 0)
  if (!global?.limit || global.running < global.limit || pending === 0) return []
  const named = users.slice(0, NAMED)
  const others = global.running - named.reduce((sum, { running }) => sum + running, 0)
  const holders = named.map(({ user, running }) => `user ${user} ${running}`)
  if (others > 0) holders.push(`${named.length > 0 ? 'others' : 'without a user'} ${others}`)
  return [
    {
      severity: 'info',
      title: `The limit over all jobs is reached: ${global.running}/${global.limit}`,
      detail: `${jobsText(pending)} pending; running: ${holders.join(', ')}`,
      remedy: `node ace queue:limits --global=${global.limit * 2}`,
      measured: {
        kind: 'global',
        limit: global.limit,
        running: global.running,
        pending,
        users: named.map(({ user, running }) => ({ user, running })),
      },
    },
  ]
}

function queueLimits(waiting: QueueView[]): Finding[] {
  return waiting.flatMap(({ name, depths, limit: { limit, running } }) => {
    if (limit === null || running < limit) return []
    return [
      {
        severity: 'info' as const,
        title: `The limit of the queue "${name}" is reached: ${running}/${limit}`,
        detail: `${jobsText(depths.pending)} pending in it`,
        remedy: `node ace queue:limits --queue-of=${shellWord(`${name}:${limit * 2}`)}`,
        measured: { kind: 'queue', name, limit, running, pending: depths.pending },
      },
    ]
  })
}

function heldBack({ heldBack: held, limits, users }: LimitsView): Finding[] {
  const groups = new Map<string, { kind: 'user' | 'type'; name: string; jobs: number }>()
  for (const { kind, name, jobs } of held) {
    const key = `${kind}:${name}`
    const jobsBefore = groups.get(key)?.jobs ?? 0
    groups.set(key, { kind, name, jobs: jobsBefore + jobs })
  }
  return [...groups.values()].flatMap(({ kind, name, jobs }) => {
    const own =
      kind === 'user'
        ? users.find(({ user }) => user === name)
        : limits.find((one) => one.kind === 'type' && one.type === name)
    const limit = own?.limit ?? null
    /** Room again: a claim takes them any moment. */
    if (!own || limit === null || own.running < limit) return []
    return [
      {
        severity: 'info' as const,
        title: `The limit of the ${kind} "${name}" is reached: ${own.running}/${limit}`,
        detail: `${jobsText(jobs)} held back`,
        remedy: `node ace queue:limits --${kind}-of=${shellWord(`${name}:${limit * 2}`)}`,
        measured: { kind, name, limit, running: own.running, heldBack: jobs },
      },
    ]
  })
}
