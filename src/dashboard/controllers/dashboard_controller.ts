import type { HttpContext } from '@adonisjs/core/http'
import { JobQuery } from '../../records/job_query.ts'
import { answeredUnchanged, refreshOf, tagOf } from '../conditional.ts'
import { recentHistogram } from '../chart.ts'
import { sendJson, wishOf } from '../negotiation.ts'
import { dashboardPage, statistics, usage } from '../presenters/dashboard_page.ts'
import { iso, jobJson } from '../presenters/job_json.ts'
import { jobRow } from '../presenters/job_row.ts'
import { framePage } from '../presenters/page.ts'
import type { Viewer } from '../viewer.ts'

/** Rows of "what runs now", and the time that the chart covers. */
const MOST_RUNNING = 20
const CHART = { hours: 2, bars: 60 }

/**
 * The Job Dashboard: how things stand now.
 */
export default class DashboardController {
  async show(ctx: HttpContext) {
    const viewer = ctx.queuedeck
    const { dashboard, urls, clock } = viewer
    const revision = await dashboard.live.revision()
    const [history, workers, mirror, cleanup] = await Promise.all([
      this.#history(viewer),
      dashboard.workers(),
      dashboard.mirror(),
      dashboard.cleanup(),
    ])
    const { counts, histogram, running } = history ?? {
      counts: null,
      histogram: null,
      running: [],
    }

    const texts = await dashboard.texts.forJobs(running)
    if (wishOf(ctx) === 'json') {
      const health = usage(workers)
      return sendJson(ctx, {
        statistics: statistics({ counts, workers }),
        health: {
          ...health,
          redis: { away: dashboard.redisAwaySince !== null, since: iso(dashboard.redisAwaySince) },
          database: { away: history === null, since: iso(mirror?.sql.since ?? null) },
          mirror: { lag: mirror?.lag ?? null },
        },
        cleanup: { last: iso(cleanup.last), next: iso(cleanup.next) },
        alerts: [],
        running: running.map((job) => jobJson(job, texts.get(job.id)!)),
      })
    }

    const context = running.length > 0 ? await viewer.rowContext(running) : null
    const page = await framePage(viewer, {
      title: 'Job Dashboard',
      kind: 'dashboard',
      fragment: wishOf(ctx) === 'fragment',
      stream: { page: 'dashboard' },
      revision,
      databaseAway: history === null,
    })
    const html = await dashboard.views.render('pages/dashboard', {
      page,
      dashboard: dashboardPage({
        counts,
        workers,
        histogram,
        running: running.map((job) => jobRow(job, texts.get(job.id)!, context!)),
        mirrorLag: mirror?.lag ?? null,
        cleanup,
        urls,
        clock,
      }),
    })
    ctx.response.header('x-queuedeck-revision', String(revision))
    if (refreshOf(ctx) !== null && answeredUnchanged(ctx, tagOf(html))) return
    return html
  }

  /** What the records tell; null while the database is away: the rest of the page still stands. */
  async #history({ dashboard: { reader }, clock }: Viewer) {
    try {
      const from = clock.now - CHART.hours * 3_600_000
      const [counts, histogram, running] = await Promise.all([
        reader.counts(),
        recentHistogram(reader, JobQuery.from(), { from, to: clock.now, bars: CHART.bars }),
        reader.runningNow(MOST_RUNNING),
      ])
      return { counts, histogram, running }
    } catch (error) {
      if ((error as { code?: string }).code === 'E_DATABASE_UNAVAILABLE') return null
      throw error
    }
  }
}
