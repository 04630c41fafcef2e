import { InvalidInputException } from '../../errors.ts'
import { fold } from '../../records/fold.ts'
import { JobQuery } from '../../records/job_query.ts'
import { isUuid } from '../../records/ids.ts'
import type { ChangeNotice } from '../../types.ts'
import { shown } from '../../shown.ts'
import { strangerIn } from '../../strangers.ts'

type Change = ChangeNotice['changed'][number]

/**
 * What a page shows, as its stream's address says: decides which changes concern it.
 */
export type LiveView = {
  /** The same for pages that show the same. */
  key: string
  wantsStatistics: boolean
  concerns(change: Change): boolean
  /** The one job that is shown; null for lists. */
  jobId: string | null
}

/** Jobs around one that its page may follow with it. */
const MOST_OTHERS = 100

/** Pages that change without any job changing. */
const ASKING = ['alerts', 'workers', 'cleanups', 'audit', 'bulk']

/**
 * Reads the address of a stream: `page` is `dashboard`, `queues`, `schedules`, `jobs` (with the list's own parameters), `job` (with `id`,
 * and `with` the jobs that are shown around it), or one of
 * `alerts`, `workers`, `cleanups`, `audit` and `bulk`, whose pages ask by themselves: they change without any job changing.
 *
 * @throws InvalidInputException
 */
export function readLiveView(params: Record<string, unknown>): LiveView {
  const { page, ...rest } = params
  if (page === 'dashboard') {
    assertOnly(rest, [])
    return { key: 'dashboard', wantsStatistics: true, concerns: () => true, jobId: null }
  }
  if (page !== undefined && ASKING.includes(page as string)) {
    assertOnly(rest, [])
    return { key: page as string, wantsStatistics: false, concerns: () => false, jobId: null }
  }
  if (page === 'queues' || page === 'schedules') {
    assertOnly(rest, [])
    return { key: page, wantsStatistics: false, concerns: () => true, jobId: null }
  }
  if (page === 'job') {
    const { id, with: around } = rest
    assertOnly(rest, ['id', 'with'])
    if (typeof id !== 'string' || !isUuid(id)) {
      throw new InvalidInputException('"id" must be the id of a job: a UUID in lower case', 'id')
    }
    const others = readOthers(around)
    return {
      key: ['job', id, ...others].join(' '),
      wantsStatistics: false,
      concerns: (change) => change.id === id || others.has(change.id),
      jobId: id,
    }
  }
  if (page === 'jobs' || page === undefined) {
    const query = JobQuery.from(rest)
    return {
      key: listKey(query),
      wantsStatistics: false,
      concerns: (change) => mayEnterOrLeave(query, change),
      jobId: null,
    }
  }
  throw new InvalidInputException(
    `"page" must be dashboard, jobs, job, queues, schedules, alerts, workers, cleanups, audit or bulk, not "${shown(page, 60)}"`,
    'page'
  )
}

/** Of the pages that say nothing more, or of a job's. */
function assertOnly(rest: Record<string, unknown>, known: readonly string[]): void {
  const stranger = strangerIn(rest, known)
  if (stranger === undefined) return
  throw new InvalidInputException(
    `The stream of this page takes no "${shown(stranger, 60)}": its address has ${['page', ...known].join(', ')}`,
    stranger.slice(0, 60)
  )
}

function readOthers(value: unknown): Set<string> {
  const list = value === undefined ? [] : Array.isArray(value) ? (value as unknown[]) : [value]
  if (list.length <= MOST_OTHERS && list.every((id) => typeof id === 'string' && isUuid(id))) {
    return new Set(list as string[])
  }
  throw new InvalidInputException(
    `"with" must be ids of at most ${MOST_OTHERS} jobs: UUIDs in lower case`,
    'with'
  )
}

export function listKey(query: JobQuery): string {
  return `jobs ${JSON.stringify(query.toParams())}`
}

/**
 * Whether a job may stand in a list, now or before: its status does not count, since leaving a list is a change too.
 */
function mayEnterOrLeave(query: JobQuery, { queue, type, user }: Change): boolean {
  return (
    mayBeOneOf(query.queues, queue) &&
    mayBeOneOf(query.types, type) &&
    mayBeOneOf(query.users, user)
  )
}

/** Whether a filter by these names lets a name pass; one with wildcards may let any. */
export function mayBeOneOf(names: readonly string[], name: string | null): boolean {
  if (names.length === 0) return true
  if (name === null) return false
  const folded = fold(name)
  return names.some((wanted) => wanted.includes('*') || fold(wanted) === folded)
}
