import type { JobQuery } from '../records/job_query.ts'
import type { Facets, Histogram, JobPage } from '../records/reader_types.ts'
import type { JobView } from '../types.ts'
import { recentHistogram } from './chart.ts'
import type { Dashboard } from './dashboard.ts'
import { listKey, mayBeOneOf } from './live/live_view.ts'
import type { RowFacts } from './presenters/job_row.ts'
import type { PageState } from './presenters/page.ts'
import type { JobText } from './redaction/job_texts.ts'
import { Shared } from './shared.ts'

const BARS = 96
const DAY = 86_400_000

/** How old what surrounds the rows may be while jobs change all the time, ms: it counts over all jobs, and nobody counts along. */
const STALE = 500

/** The rows of a list, with all they need but who looks. */
export type ListRows = {
  /** They are at least as new. */
  revision: number
  /** When they were read, epoch ms. */
  now: number
  page: JobPage
  rows: JobView[]
  /** Pinned rows that no longer match the filter. */
  left: ReadonlySet<string>
  /** Jobs that came in above pinned rows. */
  fresh: number
  texts: Map<string, JobText>
  about: RowFacts
}

/** What stands around the rows: counted over all jobs. */
export type ListAround = {
  revision: number
  total: number
  facets: Facets
  histogram: Histogram
}

/** A fragment as it is sent, and the tag of what it shows. */
export type ListFragment = {
  html: string
  tag: string
  /** How new its rows are; what surrounds them may be older. */
  rowsRevision: number
  /** Of the page around the rows; null for rows alone. */
  state: PageState | null
}

/**
 * Reads lists for all who look at them: pages that show the same ask at the same moment, each time something changed, and that
 * costs one reading.
 */
export class Lists {
  /** Rendered fragments by list, and by everything that differs between viewers. */
  readonly fragments = new Shared<ListFragment>()

  #dashboard: Dashboard
  #rows = new Shared<ListRows>()
  #around = new Shared<ListAround>()

  constructor(dashboard: Dashboard) {
    this.#dashboard = dashboard
  }

  /**
   * @param pins  exactly these rows, in this order; null: the page that the query asks for
   * @param shared  whether what others were just given will do; false where a person asks
   */
  rows(
    query: JobQuery,
    pins: string[] | null,
    revision: number,
    shared: boolean
  ): Promise<ListRows> {
    const read = () => this.#readRows(query, pins, revision)
    return shared ? this.#rows.get(shownKey(query, pins), revision, read) : read()
  }

  around(query: JobQuery, revision: number, shared: boolean): Promise<ListAround> {
    const read = () => this.#readAround(query, revision)
    return shared ? this.#around.get(listKey(query), revision, read, STALE) : read()
  }

  async #readRows(query: JobQuery, pins: string[] | null, revision: number): Promise<ListRows> {
    const { reader, texts } = this.#dashboard
    const now = Date.now()
    const page = await reader.page(query)
    const shown = pins ? pinned(query, await reader.rowsById(pins), page) : unpinned(page)
    const [known, about] = await Promise.all([
      texts.forJobs(shown.rows),
      this.#dashboard.rowFacts(shown.rows),
    ])
    return { revision, now, page, ...shown, texts: known, about }
  }

  async #readAround(query: JobQuery, revision: number): Promise<ListAround> {
    const { reader } = this.#dashboard
    const now = Date.now()
    const range = chartRange(query, now)
    const all = query.with({ from: null, to: null })
    const [counts, facets, histogram] = await Promise.all([
      reader.counts(),
      reader.facets(query),
      range
        ? reader.histogram(all, { ...range, bars: BARS })
        : recentHistogram(reader, all, { from: now - DAY, to: now, bars: BARS }),
    ])
    const total = Object.values(counts).reduce((sum, value) => sum + value, 0)
    return { revision, total, facets, histogram }
  }
}

/** Lists with the same key show the same. */
export function shownKey(query: JobQuery, pins: string[] | null): string {
  return `${listKey(query)} ${pins ?? ''}`
}

type Shown = Pick<ListRows, 'rows' | 'left' | 'fresh'>

function unpinned({ rows }: JobPage): Shown {
  return { rows, left: new Set(), fresh: 0 }
}

/**
 * Exactly the rows that are on the screen, in their order. What left the filter since stays, dimmed; what came in is counted.
 */
function pinned(query: JobQuery, rows: JobView[], page: JobPage): Shown {
  const inside = new Set(page.rows.map(({ id }) => id))
  const shown = new Set(rows.map(({ id }) => id))
  const fresh = page.rows.filter(({ id }) => !shown.has(id)).length
  const isPushed = pushedOff(query, rows, page, inside)
  const left = rows.filter(
    (job, place) => !inside.has(job.id) && !(mayPass(query, job) && isPushed(place))
  )
  return { rows, left: new Set(left.map(({ id }) => id)), fresh }
}

/**
 * Whether a row that is not on the page any more may stand on another one, by its place on the screen. New rows push those at the end
 * of a page off it: behind the last that is still there, where the list goes on. By anything but its creation a job may have moved
 * anywhere.
 */
function pushedOff(
  { sort, position }: JobQuery,
  rows: JobView[],
  page: JobPage,
  inside: ReadonlySet<string>
): (place: number) => boolean {
  if (sort !== 'created') return () => page.next !== null || page.previous !== null
  const isInside = ({ id }: JobView) => inside.has(id)
  if (position?.back) {
    /** Filled from its end: new rows push off the first. */
    const first = rows.findIndex(isInside)
    return (place) => page.previous !== null && (first === -1 || place < first)
  }
  const last = rows.findLastIndex(isInside)
  return (place) => page.next !== null && place > last
}

/** By what may change of a job or of the filter: its status, its host, and what began `2h` ago. */
function mayPass({ statuses, hosts, from }: JobQuery, job: JobView): boolean {
  return (
    (statuses.length === 0 || statuses.includes(job.status)) &&
    mayBeOneOf(hosts, job.host) &&
    (from === null || job.createdAt >= from)
  )
}

/**
 * What the chart covers: the chosen range within its day; null without one.
 */
function chartRange({ from, to }: JobQuery, now: number): { from: number; to: number } | null {
  if (from === null && to === null) return null
  const end = to ?? now
  const start = Math.min(from ?? end - DAY, end - 60_000)
  return { from: Math.min(start, now - DAY), to: Math.max(now, end) }
}
