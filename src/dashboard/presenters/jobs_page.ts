import { SORTS, type JobQuery, type JobQueryChanges, type Sort } from '../../records/job_query.ts'
import type { Count, FacetName, Facets, Histogram, JobPage } from '../../records/reader_types.ts'
import type { DashboardUrls } from '../urls.ts'
import { count, type Clock } from './format.ts'
import { histogram } from './histogram.ts'
import type { Facet, JobRow, JobsPage, SameRow, SortColumn } from './types.ts'

const FACETS: [key: FacetName, label: string, field: ListField][] = [
  ['status', 'Status', 'statuses'],
  ['queue', 'Queue', 'queues'],
  ['type', 'Type', 'types'],
  ['user', 'User', 'users'],
  ['host', 'Host', 'hosts'],
  ['tag', 'Tag', 'tags'],
]

type ListField = 'statuses' | 'queues' | 'types' | 'users' | 'hosts' | 'tags'

/** Values of one facet that a page lists; active ones always. */
const MOST_VALUES = 12

export type JobsPageInput = {
  query: JobQuery
  rows: (JobRow | SameRow)[]
  page: Pick<JobPage, 'next' | 'previous' | 'count' | 'bounded'>
  total: number
  facets: Facets
  histogram: Histogram | null
  /** Jobs that came in above pinned rows. */
  fresh: number
  urls: DashboardUrls
  clock: Clock
}

/**
 * The list of jobs, with everything around it that leads to other lists.
 */
export function jobsPage(input: JobsPageInput): JobsPage {
  const { query, rows, page, total, urls, clock } = input
  const url = (changes: JobQueryChanges) => urls.jobs(query.with(changes).toParams())
  const self = urls.jobs(query.toParams())
  const params = query.toParams()
  return {
    rows,
    count: countText(page.count),
    total: count(total),
    showing: showing(input),
    fresh: input.fresh,
    freshUrl: url({}),
    selfUrl: self,
    next: page.next === null ? null : url({ cursor: page.next }),
    previous: page.previous === null ? null : url({ cursor: page.previous }),
    first: query.cursor === null ? null : url({}),
    facets: FACETS.map(([key, label, field]) => facet(input, key, label, field)),
    facetsSampled: Object.values(input.facets).some(({ sampled }) => sampled),
    histogram:
      input.histogram && histogram(input.histogram, clock, (from, to) => url({ from, to }), query),
    sort: Object.fromEntries(SORTS.map((key) => [key, sortColumn(key, query, url)])) as Record<
      Sort,
      SortColumn
    >,
    fields: {
      q: query.q,
      status: [...query.statuses],
      type: [...query.types],
      queue: [...query.queues],
      user: [...query.users],
      tag: [...query.tags],
      host: [...query.hosts],
      from: String(params.from ?? ''),
      to: String(params.to ?? ''),
      sort: String(params.sort ?? ''),
      direction: String(params.direction ?? ''),
      tz: String(params.tz ?? ''),
      limit: String(params.limit ?? ''),
    },
    chips: chips(query, url),
    clearUrl: urls.jobs(),
    empty: rows.length > 0 ? null : emptyState(input),
  }
}

export function countText({ value, capped }: Count): string {
  return capped ? `${count(value)}+` : count(value)
}

function showing({ query, rows, page }: JobsPageInput): string {
  const jobs = `${count(rows.length)} ${rows.length === 1 ? 'job' : 'jobs'}`
  if (page.bounded) return `${jobs} found so far`
  const all = page.next === null && page.previous === null && query.cursor === null
  if (all) return jobs
  const first = query.cursor === null && query.sort === 'created'
  const which = first ? (query.direction === 'desc' ? 'Newest ' : 'Oldest ') : ''
  return `${which}${count(rows.length)} of ${countText(page.count)}`
}

function facet(
  { query, facets, total, urls }: JobsPageInput,
  key: FacetName,
  label: string,
  field: ListField
): Facet {
  const active = query[field] as readonly string[]
  const found = facets[key].values
  const named = new Set(found.map(({ name }) => name))
  const values = [
    ...found.filter(({ name }, index) => index < MOST_VALUES || active.includes(name)),
    ...active.filter((name) => !named.has(name)).map((name) => ({ name, count: 0 })),
  ]
  return {
    key,
    label,
    values: values.map(({ name, count: jobs }) => {
      const isActive = active.includes(name)
      const next = isActive ? active.filter((other) => other !== name) : [...active, name]
      return {
        name,
        count: count(jobs),
        share: total === 0 ? 0 : Math.min(100, Math.round((jobs / total) * 1_000) / 10),
        mark: key === 'status' ? (name as Facet['values'][number]['mark']) : null,
        active: isActive,
        url: urls.jobs(query.with({ [field]: next }).toParams()),
      }
    }),
  }
}

function sortColumn(
  key: Sort,
  query: JobQuery,
  url: (changes: JobQueryChanges) => string
): SortColumn {
  const sorted = query.sort === key
  const next = sorted && query.direction === 'desc' ? 'asc' : 'desc'
  return {
    key,
    direction: sorted ? (query.direction === 'asc' ? 'ascending' : 'descending') : null,
    url: url({ sort: key, direction: next }),
  }
}

function chips(query: JobQuery, url: (changes: JobQueryChanges) => string): JobsPage['chips'] {
  const lists = FACETS.flatMap(([key, , field]) =>
    (query[field] as readonly string[]).map((value) => ({
      label: key,
      value,
      url: url({
        [field]: (query[field] as readonly string[]).filter((other) => other !== value),
      }),
    }))
  )
  const { from, to } = query.toParams()
  return [
    ...(query.q ? [{ label: 'search', value: query.q, url: url({ q: '' }) }] : []),
    ...lists,
    ...(from ? [{ label: 'from', value: String(from), url: url({ from: null }) }] : []),
    ...(to ? [{ label: 'to', value: String(to), url: url({ to: null }) }] : []),
  ]
}

function emptyState({ query, page, urls }: JobsPageInput): JobsPage['empty'] {
  if (page.bounded && page.next !== null) {
    return {
      icon: 'search',
      title: 'Nothing found yet',
      text: 'No index serves this combination, so only a part of the jobs was looked through.',
      action: { label: 'Search on', url: urls.jobs(query.with({ cursor: page.next }).toParams()) },
    }
  }
  if (query.isFiltered) {
    return {
      icon: 'search',
      title: 'No job matches this filter',
      text: 'Take a filter away, or look at a longer time.',
      action: { label: 'Clear all filters', url: urls.jobs() },
    }
  }
  if (query.cursor !== null) {
    return {
      icon: 'search',
      title: 'This is the end of the list',
      text: 'There are no jobs beyond this page.',
      action: { label: 'To the first page', url: urls.jobs() },
    }
  }
  return {
    icon: 'jobs',
    title: 'No job yet',
    text: 'Dispatch one in your code, or with "node ace queue:dispatch", and it appears here at once.',
    action: null,
  }
}
