import type { HttpContext } from '@adonisjs/core/http'
import type { QueueAnswer } from '../../operations/queue_answer.ts'
import type { QueueDependencies } from '../../operations/queue_views.ts'
import { assertManage } from '../access/assert_manage.ts'
import { sendJson, wishOf } from '../negotiation.ts'
import { queueJson } from '../presenters/queue_json.ts'
import { queueNameOf } from '../urls.ts'
import type { Viewer } from '../viewer.ts'
import { leadTo } from './lead_to.ts'

export function queueDependencies({ dashboard }: Viewer): QueueDependencies {
  return { reader: dashboard.reader, transport: dashboard.operations.transport }
}

/** The queue that an address names. */
export function namedQueue({ params }: HttpContext): string {
  return queueNameOf(String(params.name))
}

/**
 * The queue to act on, for those who may: at all, and on this queue. Asked first, so that nobody learns from an answer which queues
 * there are.
 *
 * @throws E_FORBIDDEN
 */
export async function manageableQueue(ctx: HttpContext): Promise<string> {
  const name = namedQueue(ctx)
  await assertManage(ctx.queuedeck)
  await assertManage(ctx.queuedeck, { queue: name, user: null })
  return name
}

/** Whether this viewer may act on a queue. */
export async function mayManageQueue(viewer: Viewer, name: string): Promise<boolean> {
  return (await viewer.mayManage()) && viewer.mayManage({ queue: name, user: null })
}

/**
 * Answers an action: JSON for programs, else the page that the form stood on, which says once what happened.
 */
export function answerAction(
  ctx: HttpContext,
  answer: Omit<QueueAnswer, 'outcome'> & { outcome: 'done' | 'requested' },
  text: string,
  more: Record<string, number | string> = {}
) {
  const { urls } = ctx.queuedeck
  const { outcome, changed, queue } = answer
  if (wishOf(ctx) === 'json') {
    const status = outcome === 'requested' ? 202 : 200
    return sendJson(ctx, { outcome, changed, text, ...more, queue: queueJson(queue) }, status)
  }
  const isOnList = ctx.request.body().back === 'queues'
  const path = isOnList ? urls.queues() : urls.queue(queue.name)
  return leadTo(ctx, path, { level: changed ? 'success' : 'info', text })
}
