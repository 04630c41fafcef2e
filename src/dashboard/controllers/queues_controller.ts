import type { HttpContext } from '@adonisjs/core/http'
import { findQueue, readQueues, type QueueView } from '../../operations/queue_views.ts'
import type { MetricSums } from '../../records/metrics/main.ts'
import { refreshOf } from '../conditional.ts'
import type { Dashboard } from '../dashboard.ts'
import { chartRangeOf, type ChartRange } from '../metrics.ts'
import { sendJson, wishOf } from '../negotiation.ts'
import { parametersOf } from '../parameters.ts'
import { queueJson } from '../presenters/queue_json.ts'
import { metricCharts, rangeChoice } from '../presenters/metric_charts.ts'
import { queueRow, type QueueCharts, type QueueRow } from '../presenters/queues_page.ts'
import { Shared } from '../shared.ts'
import type { Viewer } from '../viewer.ts'
import { answerPage } from './page_answer.ts'
import { mayManageQueue, namedQueue, queueDependencies } from './queue_answers.ts'

/** What open pages of one process ask for at the same moment. */
const shared = new WeakMap<Dashboard, Shared<QueueView[]>>()

/**
 * All queues, and one of them, as they stand now.
 */
export default class QueuesController {
  async index(ctx: HttpContext) {
    const viewer = ctx.queuedeck
    parametersOf(ctx, [])
    if (wishOf(ctx) === 'json') {
      const queues = await readQueues(queueDependencies(viewer))
      return sendJson(ctx, { data: queues.map(queueJson) })
    }
    const revision = await viewer.dashboard.live.revision()
    const queues = await unlessAway(viewer, () => this.#queues(viewer, revision))
    const hours = queues && (await unlessAway(viewer, () => viewer.dashboard.charts.queues()))
    const rows = queues && (await Promise.all(queues.map((queue) => rowOf(viewer, queue, hours))))
    return answerQueues(viewer, { title: 'Queues', revision, rows, queue: null, charts: null })
  }

  async show(ctx: HttpContext) {
    const viewer = ctx.queuedeck
    const range = chartRangeOf(parametersOf(ctx, ['range']).range)
    const revision = await viewer.dashboard.live.revision()
    const view = await findQueue(queueDependencies(viewer), namedQueue(ctx))
    if (wishOf(ctx) === 'json') return sendJson(ctx, queueJson(view))
    const hours = await unlessAway(viewer, () => viewer.dashboard.charts.queues())
    const queue = await rowOf(viewer, view, hours)
    const charts = await unlessAway(viewer, () => this.#charts(viewer, view.name, range))
    const title = `Queue ${view.name}`
    return answerQueues(viewer, { title, revision, rows: [queue], queue, charts })
  }

  /** A page that a person asked for shows what is so now, also right after an action. */
  #queues(viewer: Viewer, revision: number): Promise<QueueView[]> {
    const read = () => readQueues(queueDependencies(viewer))
    if (refreshOf(viewer.ctx) === null) return read()
    const { dashboard } = viewer
    if (!shared.has(dashboard)) shared.set(dashboard, new Shared())
    return shared.get(dashboard)!.get('', revision, read)
  }

  async #charts(
    { dashboard, urls, clock }: Viewer,
    name: string,
    range: ChartRange
  ): Promise<QueueCharts> {
    const charted = await dashboard.charts.chart(range, { queue: name })
    const urlOf = (each: ChartRange) => urls.queue(name) + (each === '1h' ? '' : `?range=${each}`)
    return { charts: metricCharts(charted, range, clock), ranges: rangeChoice(range, urlOf) }
  }
}

type Seen = { rows: QueueRow[] | null; queue: QueueRow | null; charts: QueueCharts | null }

function answerQueues(
  viewer: Viewer,
  { title, revision, rows, queue, charts }: Seen & { title: string; revision: number }
) {
  const frame = { title, kind: 'queues', template: 'pages/queues', revision } as const
  const queues = { rows, url: viewer.urls.queues() }
  return answerPage(viewer, frame, () => ({ queues, queue, charts }))
}

async function rowOf(
  viewer: Viewer,
  queue: QueueView,
  hours: Map<string, MetricSums> | null
): Promise<QueueRow> {
  const { urls, clock } = viewer
  const manage = await mayManageQueue(viewer, queue.name)
  return queueRow(queue, { urls, clock, manage, hour: hours && hours.get(queue.name) })
}

/** The page stands while Redis or the database is away, and says so. */
async function unlessAway<T>({ dashboard }: Viewer, read: () => Promise<T>): Promise<T | null> {
  if (dashboard.redisAwaySince !== null) return null
  try {
    return await read()
  } catch (error) {
    const { code } = error as { code?: string }
    if (code === 'E_REDIS_UNAVAILABLE' || code === 'E_DATABASE_UNAVAILABLE') return null
    throw error
  }
}
