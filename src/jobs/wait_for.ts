import { E_FLOW_CIRCLE, E_INVALID_OPTION } from '../errors.ts'
import { isUuid } from '../records/ids.ts'
import type { OnFailure } from '../transport/flow_edges.ts'
import type { AwaitedJob, WaitForOptions } from '../types.ts'
import { assertMembers, checkQueueName } from './names.ts'
import { shown } from '../shown.ts'

/** One job that a dispatch waits for. `queue` is null where only the id was given. */
export type WaitedFor = { jobId: string; queue: string | null; onFailure: OnFailure }

/** Most jobs that one job may wait for. */
const MOST_AWAITED = 100_000

const POLICIES: readonly OnFailure[] = ['cancel', 'run', 'skip']

/**
 * Checks what a dispatch says about the jobs that it waits for: ids, handles, or `{ jobId, onFailure }`, one or a list.
 *
 * @throws E_INVALID_OPTION
 */
export function resolveWaitFor(
  jobs: AwaitedJob | readonly AwaitedJob[],
  options: WaitForOptions = {}
): WaitedFor[] {
  assertMembers(options, 'waitFor', ['onFailure'])
  const { onFailure = 'cancel' } = options
  const fallback = policy(onFailure)
  const list = Array.isArray(jobs) ? (jobs as readonly AwaitedJob[]) : [jobs as AwaitedJob]
  if (list.length > MOST_AWAITED) {
    throw new E_INVALID_OPTION([
      'waitFor',
      `may name at most ${MOST_AWAITED} jobs, not ${list.length}: let groups of them be awaited by jobs of their own`,
    ])
  }
  return withoutRepeats(list.map((job) => one(job, fallback)))
}

/** Adds to what was said before; of a job that is named twice the later policy counts. */
export function withoutRepeats(list: WaitedFor[]): WaitedFor[] {
  return [...new Map(list.map((awaited) => [awaited.jobId, awaited])).values()]
}

function one(job: unknown, fallback: OnFailure): WaitedFor {
  if (typeof job === 'string') return { jobId: id(job), queue: null, onFailure: fallback }
  if (typeof job !== 'object' || job === null) {
    throw new E_INVALID_OPTION([
      'waitFor',
      `must name jobs by their handles, ids, or as { jobId, onFailure }, not ${shown(job, 100)}`,
    ])
  }
  /** A handle, also one that was JSON, and what `awaited()` gives say of what type the job is; everything else was written for us. */
  if (!('type' in job)) assertMembers(job, 'waitFor', ['jobId', 'queue', 'onFailure'])
  const { jobId, queue, onFailure } = job as Record<string, unknown>
  return {
    jobId: id(jobId),
    queue: queue === undefined || queue === null ? null : checkQueueName(queue),
    onFailure: onFailure === undefined ? fallback : policy(onFailure),
  }
}

function policy(value: unknown): OnFailure {
  if (POLICIES.includes(value as OnFailure)) return value as OnFailure
  throw new E_INVALID_OPTION([
    'waitFor.onFailure',
    `must be one of: ${POLICIES.join(', ')}, not "${shown(value, 100)}"`,
  ])
}

function id(value: unknown): string {
  const text = typeof value === 'string' ? value.toLowerCase() : ''
  if (isUuid(text)) return text
  throw new E_INVALID_OPTION([
    'waitFor',
    `must name jobs by their ids, UUIDs, not "${shown(value, 100)}"`,
  ])
}

/**
 * Puts jobs of one dispatch into an order in which each comes after those that it waits for; where there is no need, the order stays.
 *
 * @throws E_FLOW_CIRCLE
 */
export function inFlowOrder<Item extends { jobId: string; options: { waitFor?: WaitedFor[] } }>(
  items: Item[]
): Item[] {
  if (items.every(({ options }) => options.waitFor === undefined)) return items
  const byId = new Map(items.map((item) => [item.jobId, item]))
  const ordered: Item[] = []
  const state = new Map<Item, 'open' | 'done'>()
  for (const first of items) {
    if (state.has(first)) continue
    state.set(first, 'open')
    /** Without recursion: a chain may be longer than the stack is deep. */
    const path = [{ item: first, next: 0 }]
    while (path.length > 0) {
      const top = path[path.length - 1]
      const awaited = top.item.options.waitFor?.[top.next++]
      if (awaited === undefined) {
        state.set(top.item, 'done')
        ordered.push(top.item)
        path.pop()
        continue
      }
      const item = byId.get(awaited.jobId)
      if (item === undefined || state.get(item) === 'done') continue
      if (state.get(item) === 'open') throw new E_FLOW_CIRCLE([item.jobId])
      state.set(item, 'open')
      path.push({ item, next: 0 })
    }
  }
  return ordered
}
