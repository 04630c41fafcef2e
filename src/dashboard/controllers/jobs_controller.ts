import type { HttpContext } from '@adonisjs/core/http'
import { InvalidInputException } from '../../errors.ts'
import { findJob } from '../../operations/job_lookup.ts'
import { isUuid } from '../../records/ids.ts'
import { JobQuery } from '../../records/job_query.ts'
import type { JobPage as RecordsPage } from '../../records/reader_types.ts'
import type { JobView } from '../../types.ts'
import { assertManage } from '../access/assert_manage.ts'
import { listKey } from '../live/live_view.ts'
import { sendJson, wishOf } from '../negotiation.ts'
import { jobDetailsJson, jobJson } from '../presenters/job_json.ts'
import { jobRow } from '../presenters/job_row.ts'
import { jobsPage } from '../presenters/jobs_page.ts'
import { framePage } from '../presenters/page.ts'
import type { Viewer } from '../viewer.ts'
import { renderJob } from './job_rendering.ts'

const BARS = 96
const DAY = 86_400_000
const MOST_PINS = 200

/**
 * The list of jobs, one job, and new ones.
 */
export default class JobsController {
  async index(ctx: HttpContext) {
    const viewer = ctx.queuedeck
    const { dashboard, urls, clock } = viewer
    const { reader } = dashboard
    const { query, pins } = readList(viewer)
    const revision = await dashboard.live.revision()

    if (wishOf(ctx) === 'json') {
      const { rows, next, previous, count } = await reader.page(query)
      const texts = await dashboard.texts.forJobs(rows)
      return sendJson(ctx, {
        data: rows.map((job) => jobJson(job, texts.get(job.id)!)),
        page: { next, previous, count: count.value, capped: count.capped },
      })
    }

    const range = chartRange(query, clock.now)
    const [page, counts, facets, histogram] = await Promise.all([
      reader.page(query),
      reader.counts(),
      reader.facets(query),
      reader.histogram(query.with({ from: null, to: null }), { ...range, bars: BARS }),
    ])
    const { rows, left, fresh } = pins ? await pinned(viewer, pins, page) : unpinned(page)
    const [texts, context] = await Promise.all([
      dashboard.texts.forJobs(rows),
      viewer.rowContext(rows),
    ])
    dashboard.live.show(
      listKey(query),
      rows.map(({ id }) => id)
    )
    const data = {
      page: await framePage(viewer, {
        title: 'Jobs',
        kind: 'jobs',
        fragment: wishOf(ctx) === 'fragment',
        stream: { page: 'jobs', ...query.toParams() },
        revision,
        search: query.q,
      }),
      jobs: jobsPage({
        query,
        rows: rows.map((job) => jobRow(job, texts.get(job.id)!, context, left.has(job.id))),
        page,
        total: Object.values(counts).reduce((sum, value) => sum + value, 0),
        facets,
        histogram,
        fresh,
        urls,
        clock,
      }),
    }
    if (wishOf(ctx) === 'page') return ctx.view.render('queuedeck::pages/jobs', data)
    /** The form sends its empty fields too; the address that stays is the short one. Refreshes change no address. */
    if (ctx.request.header('x-queuedeck-refresh') === undefined) {
      ctx.response.header('hx-push-url', urls.jobs(query.toParams()))
    }
    return ctx.view.render('queuedeck::partials/jobs_region', data)
  }

  async show(ctx: HttpContext) {
    const viewer = ctx.queuedeck
    const { dashboard } = viewer
    const revision = await dashboard.live.revision()
    const job = await findJob(dashboard.operations, ctx.params.id)
    if (wishOf(ctx) === 'json') return sendJson(ctx, jobDetailsJson(job, dashboard.texts))

    return renderJob(viewer, job, revision)
  }

  async store(ctx: HttpContext) {
    const viewer = ctx.queuedeck
    await assertManage(viewer)
    const { _csrf: token, ...request } = ctx.request.all()
    const job = await viewer.dashboard.createJob.handle(request, (target) =>
      assertManage(viewer, target)
    )
    const text = await viewer.dashboard.texts.forJob(job)
    ctx.response.header('location', viewer.urls.job(job.id))
    return sendJson(ctx, { job: jobJson(job, text) }, 201)
  }
}

/**
 * The list that an address asks for. Days are days of the viewer's zone, unless the address names another.
 */
function readList({ ctx, preferences }: Viewer): { query: JobQuery; pins: string[] | null } {
  const { pin, ...params } = ctx.request.qs()
  const isRange = Boolean(params.from || params.to)
  if (isRange && !params.tz && preferences.zone) params.tz = preferences.zone
  return { query: JobQuery.from(params), pins: readPins(pin) }
}

function readPins(pin: unknown): string[] | null {
  if (pin === undefined || pin === '') return null
  const ids = typeof pin === 'string' ? pin.split(',') : []
  if (ids.length === 0 || ids.length > MOST_PINS || !ids.every(isUuid)) {
    throw new InvalidInputException(
      `"pin" must be 1 to ${MOST_PINS} ids of jobs, separated by commas`,
      'pin'
    )
  }
  return [...new Set(ids)]
}

type Rows = { rows: JobView[]; left: Set<string>; fresh: number }

function unpinned({ rows }: RecordsPage): Rows {
  return { rows, left: new Set(), fresh: 0 }
}

/**
 * Exactly the rows that are on the screen, in their order. What left the filter since stays, dimmed; what came in is counted.
 */
async function pinned({ dashboard }: Viewer, pins: string[], page: RecordsPage): Promise<Rows> {
  const rows = await dashboard.reader.rowsById(pins)
  const inside = new Set(page.rows.map(({ id }) => id))
  const shown = new Set(rows.map(({ id }) => id))
  const fresh = page.rows.filter(({ id }) => !shown.has(id)).length
  /** Rows that new ones pushed below the page have not left the filter. */
  const left = rows.filter(({ id }) => !inside.has(id)).slice(fresh)
  return { rows, left: new Set(left.map(({ id }) => id)), fresh }
}

/**
 * What the chart covers: the chosen range with as much again on both sides, else the last day.
 */
function chartRange({ from, to }: JobQuery, now: number): { from: number; to: number } {
  if (from === null && to === null) return { from: now - DAY, to: now }
  const end = to ?? now
  const start = Math.min(from ?? end - DAY, end - 60_000)
  return { from: Math.min(start, now - DAY), to: Math.max(now, end) }
}
