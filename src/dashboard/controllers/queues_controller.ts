import type { HttpContext } from '@adonisjs/core/http'
import { findQueue, readQueues, type QueueView } from '../../operations/queue_views.ts'
import { answeredUnchanged, refreshOf, tagOf } from '../conditional.ts'
import type { Dashboard } from '../dashboard.ts'
import { sendJson, wishOf } from '../negotiation.ts'
import { framePage } from '../presenters/page.ts'
import { queueJson } from '../presenters/queue_json.ts'
import { queueRow, type QueueRow } from '../presenters/queues_page.ts'
import { Shared } from '../shared.ts'
import type { Viewer } from '../viewer.ts'
import { mayManageQueue, namedQueue, queueDependencies } from './queue_answers.ts'

/** What open pages of one process ask for at the same moment. */
const shared = new WeakMap<Dashboard, Shared<QueueView[]>>()

/**
 * All queues, and one of them, as they stand now.
 */
export default class QueuesController {
  async index(ctx: HttpContext) {
    const viewer = ctx.queuedeck
    if (wishOf(ctx) === 'json') {
      const queues = await readQueues(queueDependencies(viewer))
      return sendJson(ctx, { data: queues.map(queueJson) })
    }
    const revision = await viewer.dashboard.live.revision()
    const queues = await unlessAway(viewer, () => this.#queues(viewer, revision))
    const rows = queues && (await Promise.all(queues.map((queue) => rowOf(viewer, queue))))
    return this.#render(viewer, { title: 'Queues', revision, rows, queue: null })
  }

  async show(ctx: HttpContext) {
    const viewer = ctx.queuedeck
    const revision = await viewer.dashboard.live.revision()
    const view = await findQueue(queueDependencies(viewer), namedQueue(ctx))
    if (wishOf(ctx) === 'json') return sendJson(ctx, queueJson(view))
    const queue = await rowOf(viewer, view)
    return this.#render(viewer, { title: `Queue ${view.name}`, revision, rows: [queue], queue })
  }

  /** A page that a person asked for shows what is so now, also right after an action. */
  #queues(viewer: Viewer, revision: number): Promise<QueueView[]> {
    const read = () => readQueues(queueDependencies(viewer))
    if (refreshOf(viewer.ctx) === null) return read()
    const { dashboard } = viewer
    if (!shared.has(dashboard)) shared.set(dashboard, new Shared())
    return shared.get(dashboard)!.get('', revision, read)
  }

  async #render(
    viewer: Viewer,
    {
      title,
      revision,
      rows,
      queue,
    }: { title: string; revision: number; rows: QueueRow[] | null; queue: QueueRow | null }
  ) {
    const { ctx, dashboard, urls } = viewer
    const page = await framePage(viewer, {
      title,
      kind: 'queues',
      fragment: wishOf(ctx) === 'fragment',
      stream: { page: 'queues' },
      revision,
    })
    const queues = { rows, url: urls.queues() }
    const html = await dashboard.views.render('pages/queues', { page, queues, queue })
    ctx.response.header('x-queuedeck-revision', String(revision))
    if (refreshOf(ctx) !== null && answeredUnchanged(ctx, tagOf(html))) return
    return html
  }
}

async function rowOf(viewer: Viewer, queue: QueueView): Promise<QueueRow> {
  const { urls, clock } = viewer
  return queueRow(queue, { urls, clock, manage: await mayManageQueue(viewer, queue.name) })
}

/** The page stands while Redis is away, and says so. */
async function unlessAway<T>({ dashboard }: Viewer, read: () => Promise<T>): Promise<T | null> {
  if (dashboard.redisAwaySince !== null) return null
  try {
    return await read()
  } catch (error) {
    if ((error as { code?: string }).code === 'E_REDIS_UNAVAILABLE') return null
    throw error
  }
}
