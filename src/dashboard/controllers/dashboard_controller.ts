import type { HttpContext } from '@adonisjs/core/http'
import { alertJson } from '../../alerts/alert_json.ts'
import { lagOf } from '../../mirror/mirror_status.ts'
import { chartRangeOf, type ChartRange } from '../metrics.ts'
import { sendJson, wishOf } from '../negotiation.ts'
import { parametersOf } from '../parameters.ts'
import { dashboardPage, statistics, usage } from '../presenters/dashboard_page.ts'
import { iso, jobJson } from '../presenters/job_json.ts'
import { jobRow } from '../presenters/job_row.ts'
import type { Viewer } from '../viewer.ts'
import { answerPage } from './page_answer.ts'

/** Rows of "what runs now". */
const MOST_RUNNING = 20

/**
 * The Job Dashboard: how things stand now.
 */
export default class DashboardController {
  async show(ctx: HttpContext) {
    const viewer = ctx.queuedeck
    const { dashboard, urls, clock } = viewer
    const range = chartRangeOf(parametersOf(ctx, ['range']).range)
    const revision = await dashboard.live.revision()
    const [history, workers, mirror, cleanup, alerts] = await Promise.all([
      this.#history(viewer, range),
      dashboard.workers(),
      dashboard.mirror(),
      dashboard.cleanup(),
      dashboard.openAlerts(),
    ])
    const { counts, charted, running } = history ?? { counts: null, charted: null, running: [] }

    const texts = await dashboard.texts.forJobs(running)
    if (wishOf(ctx) === 'json') {
      const health = usage(workers)
      return sendJson(ctx, {
        statistics: statistics({ counts, workers }),
        health: {
          ...health,
          redis: { away: dashboard.redisAwaySince !== null, since: iso(dashboard.redisAwaySince) },
          database: { away: history === null, since: iso(mirror?.sql.since ?? null) },
          mirror: { lag: mirror && lagOf(mirror) },
        },
        cleanup: { last: iso(cleanup.last), next: iso(cleanup.next) },
        alerts: (alerts ?? []).map(alertJson),
        running: running.map((job) => jobJson(job, texts.get(job.id)!)),
      })
    }

    const context = running.length > 0 ? await viewer.rowContext(running) : null
    const seen = {
      ...{ counts, workers, charted, range, cleanup, alerts, urls, clock },
      running: history && running.map((job) => jobRow(job, texts.get(job.id)!, context!)),
      mirrorLag: mirror && lagOf(mirror),
    }
    return answerPage(
      viewer,
      {
        ...{ title: 'Job Dashboard', kind: 'dashboard', template: 'pages/dashboard', revision },
        ...{ databaseAway: history === null, alerts },
      },
      () => ({ dashboard: dashboardPage(seen) })
    )
  }

  /** What the records tell; null while the database is away: the rest of the page still stands. */
  async #history({ dashboard: { reader, charts } }: Viewer, range: ChartRange) {
    try {
      const [counts, charted, running] = await Promise.all([
        reader.counts(),
        charts.chart(range),
        reader.runningNow(MOST_RUNNING),
      ])
      return { counts, charted, running }
    } catch (error) {
      if ((error as { code?: string }).code === 'E_DATABASE_UNAVAILABLE') return null
      throw error
    }
  }
}
