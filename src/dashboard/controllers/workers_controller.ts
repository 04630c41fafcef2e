import type { HttpContext } from '@adonisjs/core/http'
import { E_REDIS_UNAVAILABLE, E_WORKER_NOT_FOUND } from '../../errors.ts'
import type { WorkerAnswer } from '../../operations/ask_worker.ts'
import type { WorkerWish } from '../../transport/types.ts'
import type { WorkerView } from '../../types.ts'
import { assertManage, assertManageQueues } from '../access/assert_manage.ts'
import { chartRangeOf, type ChartRange } from '../metrics.ts'
import { sendJson, wishOf } from '../negotiation.ts'
import { fieldsOf, parametersOf } from '../parameters.ts'
import { hostCharts, usageJson } from '../presenters/host_charts.ts'
import { rangeChoice } from '../presenters/metric_charts.ts'
import { framePage } from '../presenters/page.ts'
import { workerItem, workerJson, workersJson, workersPage } from '../presenters/workers_page.ts'
import type { Viewer } from '../viewer.ts'
import { answerPage } from './page_answer.ts'
import { leadTo } from './lead_to.ts'
import { shown } from '../../shown.ts'

const WORDS: Record<WorkerWish, Record<WorkerAnswer['outcome'], string>> = {
  quiet: { requested: 'Asked to take no more jobs', done: 'Quiet', too_late: 'Too late' },
  resume: { requested: 'Asked to take jobs again', done: 'Active', too_late: 'Too late' },
  stop: { requested: 'Asked to stop', done: 'Stopped', too_late: 'Too late' },
}

/**
 * The worker processes, and what they can be asked.
 */
export default class WorkersController {
  async index(ctx: HttpContext) {
    const viewer = ctx.queuedeck
    const { dashboard, urls, clock } = viewer
    parametersOf(ctx, [])
    const revision = await dashboard.live.revision()
    const [workers, removals] = await Promise.all([dashboard.workers(), dashboard.removedWorkers()])
    if (wishOf(ctx) === 'json') {
      if (workers === null) throw away()
      return sendJson(ctx, workersJson(workers, removals))
    }
    const mayManage = await this.#manageable(viewer, workers ?? [])
    return answerPage(
      viewer,
      { title: 'Workers', kind: 'workers', template: 'pages/workers', revision },
      () => ({ list: workersPage(workers, removals, { urls, clock, mayManage }) })
    )
  }

  async show(ctx: HttpContext) {
    const viewer = ctx.queuedeck
    const { dashboard, urls, clock } = viewer
    const range = chartRangeOf(parametersOf(ctx, ['range']).range)
    const revision = await dashboard.live.revision()
    const worker = await this.#find(viewer)
    const charted = await this.#usage(viewer, worker.host, range)
    if (wishOf(ctx) === 'json') {
      return sendJson(ctx, { ...workerJson(worker), usage: charted && usageJson(charted) })
    }
    const mayManage = await this.#manageable(viewer, [worker])
    const urlOf = (each: ChartRange) =>
      urls.worker(worker.id) + (each === '1h' ? '' : `?range=${each}`)
    const title = `${worker.host}, pid ${worker.pid}`
    return answerPage(
      viewer,
      { title, kind: 'workers', template: 'pages/worker', revision },
      () => ({
        worker: workerItem(worker, { urls, clock, mayManage }),
        charts: charted && hostCharts(worker.host, charted, range, clock),
        ranges: rangeChoice(range, urlOf),
      })
    )
  }

  /** Asks whether it is meant. */
  async confirmStop(ctx: HttpContext) {
    const viewer = ctx.queuedeck
    const { dashboard, urls, clock } = viewer
    parametersOf(ctx, [])
    const worker = await this.#find(viewer)
    const mayManage = await this.#manageable(viewer, [worker])
    const item = workerItem(worker, { urls, clock, mayManage })
    const confirm = {
      action: 'stop',
      title: 'Stop this worker?',
      text:
        worker.running.length === 0
          ? 'Its process ends. Whatever keeps your workers alive may start it again.'
          : `It takes no more jobs. What it runs now (${item.busy}) may finish within its grace period and goes back to its queue after that; then its process ends.`,
      url: item.stop.url,
      button: 'Stop the worker',
      destructive: true,
      refused: item.stop.reason,
    }
    if (wishOf(ctx) === 'json') {
      const { action, title, text, url, refused } = confirm
      return sendJson(ctx, { action, title, text, url, refused })
    }
    const page = await framePage(viewer, { title: confirm.title, kind: 'confirm', stream: null })
    const template = wishOf(ctx) === 'fragment' ? 'partials/confirm' : 'pages/confirm'
    const about = { mark: item.mark, type: item.host, id: item.id, shortId: `pid ${item.pid}` }
    return dashboard.views.render(template, {
      page,
      confirm: { ...confirm, job: about, backUrl: urls.workers() },
    })
  }

  quiet(ctx: HttpContext) {
    return this.#ask(ctx, 'quiet')
  }

  resume(ctx: HttpContext) {
    return this.#ask(ctx, 'resume')
  }

  stop(ctx: HttpContext) {
    return this.#ask(ctx, 'stop')
  }

  async #ask(ctx: HttpContext, wish: WorkerWish) {
    const viewer = ctx.queuedeck
    const { dashboard, urls } = viewer
    await assertManage(viewer)
    fieldsOf(ctx, [])
    const actor = await viewer.actor()
    const { outcome, reason, worker } = await dashboard.askWorker.handle(
      ctx.params.id,
      wish,
      actor,
      ({ queues }) => assertManageQueues(viewer, queues)
    )
    if (wishOf(ctx) === 'json') {
      return sendJson(ctx, { outcome, reason, worker: worker && workerJson(worker) })
    }
    const word = WORDS[wish][outcome]
    /** To the list: the worker's own page goes with it. */
    return leadTo(ctx, urls.workers(), {
      level: outcome === 'too_late' ? 'error' : 'success',
      text: reason === null ? word : `${word}: ${reason}`,
    })
  }

  /**
   * A worker serves several queues: whoever may act on some of them only must not stop it for the others.
   */
  async #manageable(viewer: Viewer, workers: WorkerView[]) {
    const queues = new Set(workers.flatMap((worker) => worker.queues))
    const allowed = new Set<string>()
    if (!(await viewer.mayManage())) return () => false
    await Promise.all(
      [...queues].map(async (queue) => {
        if (await viewer.mayManage({ queue, user: null })) allowed.add(queue)
      })
    )
    return (worker: WorkerView) => worker.queues.every((queue) => allowed.has(queue))
  }

  /** Null while the database is away: what the worker does now is still known. */
  async #usage({ dashboard }: Viewer, host: string, range: ChartRange) {
    try {
      return await dashboard.charts.host(range, host)
    } catch (error) {
      if ((error as { code?: string }).code === 'E_DATABASE_UNAVAILABLE') return null
      throw error
    }
  }

  async #find({ dashboard, ctx }: Viewer): Promise<WorkerView> {
    const workers = await dashboard.workers()
    if (workers === null) throw away()
    const worker = workers.find(({ id }) => id === ctx.params.id)
    if (!worker) throw new E_WORKER_NOT_FOUND([shown(ctx.params.id, 200)])
    return worker
  }
}

function away() {
  return new E_REDIS_UNAVAILABLE(['workers cannot be seen', 'it does not answer'])
}
