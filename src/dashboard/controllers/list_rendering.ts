import type { JobQuery } from '../../records/job_query.ts'
import { refreshOf, tagOf } from '../conditional.ts'
import { shownKey, type ListFragment, type ListRows } from '../lists.ts'
import { listKey } from '../live/live_view.ts'
import { wishOf } from '../negotiation.ts'
import { Clock } from '../presenters/format.ts'
import { jobRow } from '../presenters/job_row.ts'
import { jobsPage } from '../presenters/jobs_page.ts'
import { framePage } from '../presenters/page.ts'
import type { JobRow, SameRow } from '../presenters/types.ts'
import type { Viewer } from '../viewer.ts'

/** Enough of an id's end to tell the rows of one page apart: in an address a hundred whole ids take 4 kB. */
export const ID_END = 12

export type ListRequest = {
  query: JobQuery
  /** Exactly these rows; null: those that the query asks for. */
  pins: string[] | null
  /** Ends of the ids of rows that the browser has as they are. */
  have: string
}

/**
 * The page of a list, its region, or its rows alone. What refreshes ask for is made once for all viewers who see the same.
 */
export async function renderList(viewer: Viewer, request: ListRequest): Promise<ListFragment> {
  const { dashboard, ctx } = viewer
  const { query, pins, have } = request
  const refresh = refreshOf(ctx)
  const revision = await dashboard.live.revision()
  const list = await dashboard.lists.rows(query, pins, revision, refresh !== null)
  const manageable = await viewer.manageable(list.rows)
  dashboard.live.show(
    listKey(query),
    list.rows.map(({ id }) => id)
  )
  if (refresh === null) return render(viewer, request, list, manageable, revision)

  const key = JSON.stringify([
    refresh,
    shownKey(query, pins),
    have,
    viewer.urls.prefix,
    viewer.clock.zone,
    await viewer.mayManage(),
    list.rows.map(({ id }) => Number(manageable.has(id))).join(''),
  ])
  return dashboard.lists.fragments.get(key, revision, () =>
    refresh === 'rows'
      ? renderRows(viewer, request, list, manageable)
      : render(viewer, request, list, manageable, revision)
  )
}

async function render(
  viewer: Viewer,
  { query, have }: ListRequest,
  list: ListRows,
  manageable: ReadonlySet<string>,
  newest: number
): Promise<ListFragment> {
  const { dashboard, ctx, urls } = viewer
  const wish = wishOf(ctx)
  const isRefresh = refreshOf(ctx) !== null
  const around = await dashboard.lists.around(query, newest, isRefresh)
  /** What is shown is as new as its oldest part: a page that is told of more asks again. */
  const revision = Math.min(list.revision, around.revision)
  const data = {
    page: await framePage(viewer, {
      title: 'Jobs',
      kind: 'jobs',
      fragment: wish === 'fragment',
      stream: { page: 'jobs', ...query.toParams() },
      revision,
      search: query.q,
    }),
    jobs: jobsPage({
      ...around,
      query,
      rows: rowsOf(viewer, list, manageable, have),
      page: list.page,
      fresh: list.fresh,
      urls,
      clock: new Clock(viewer.clock.zone, list.now),
    }),
  }
  const template = wish === 'page' ? 'pages/jobs' : 'partials/jobs_region'
  const html = await dashboard.views.render(template, data)
  const tag = isRefresh ? tagOf(html) : ''
  return { html, tag, rowsRevision: list.revision, state: data.page }
}

/**
 * The rows alone: most changes are a new status of a row that is on the screen.
 */
async function renderRows(
  viewer: Viewer,
  { have }: ListRequest,
  list: ListRows,
  manageable: ReadonlySet<string>
): Promise<ListFragment> {
  const rows = rowsOf(viewer, list, manageable, have)
  const html = await viewer.dashboard.views.render('partials/jobs_rows', { rows })
  return { html, tag: tagOf(html), rowsRevision: list.revision, state: null }
}

/**
 * Of rows that the browser has, the name only. Dimmed ones are made anew: nothing changed in them when they left the filter.
 */
function rowsOf(
  viewer: Viewer,
  { rows, texts, about, left, now }: ListRows,
  manageable: ReadonlySet<string>,
  have: string
): (JobRow | SameRow)[] {
  const known = new Set(have.match(new RegExp(`.{${ID_END}}`, 'g')))
  const context = viewer.rowContextOf(about, manageable, new Clock(viewer.clock.zone, now))
  return rows.map((job) =>
    known.has(job.id.slice(-ID_END)) && !left.has(job.id)
      ? { id: job.id, same: true }
      : jobRow(job, texts.get(job.id)!, context, left.has(job.id))
  )
}
