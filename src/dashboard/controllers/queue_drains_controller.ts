import type { HttpContext } from '@adonisjs/core/http'
import { InvalidInputException } from '../../errors.ts'
import { findQueue } from '../../operations/queue_views.ts'
import { sendJson, wishOf } from '../negotiation.ts'
import { fieldsOf, parametersOf } from '../parameters.ts'
import { framePage } from '../presenters/page.ts'
import { drainedText, drainPage } from '../presenters/queues_page.ts'
import {
  answerAction,
  manageableQueue,
  mayManageQueue,
  namedQueue,
  queueDependencies,
} from './queue_answers.ts'
import { shown } from '../../shown.ts'

/**
 * Draining a queue: GET asks and says how many jobs would go, POST acts.
 */
export default class QueueDrainsController {
  async create(ctx: HttpContext) {
    const viewer = ctx.queuedeck
    const { dashboard, urls } = viewer
    parametersOf(ctx, [])
    const queue = await findQueue(queueDependencies(viewer), namedQueue(ctx))
    const manage = await mayManageQueue(viewer, queue.name)
    const drain = drainPage(queue, { urls, manage })
    if (wishOf(ctx) === 'json') {
      const { url, refused } = drain
      const { pending, scheduled } = queue.depths
      return sendJson(ctx, { action: 'drain', url, refused, pending, scheduled })
    }
    const title = `Drain ${queue.name}?`
    const page = await framePage(viewer, { title, kind: 'confirm', stream: null })
    const template = wishOf(ctx) === 'fragment' ? 'partials/drain' : 'pages/drain'
    return dashboard.views.render(template, { page, drain })
  }

  async store(ctx: HttpContext) {
    const viewer = ctx.queuedeck
    const name = await manageableQueue(ctx)
    const scheduled = isTicked(fieldsOf(ctx, ['scheduled', 'back']).scheduled)
    const actor = await viewer.actor()
    const answer = await viewer.dashboard.beginDrain.handle(name, actor, { scheduled })
    const { cancelled, requested, operation } = answer
    const text = `Queue ${name}: ${drainedText(answer)}`
    if (operation === null) return answerAction(ctx, answer, text, { cancelled, requested })
    const url = viewer.urls.bulkOperation(operation)
    if (wishOf(ctx) !== 'json') return ctx.response.redirect().status(303).toPath(url)
    ctx.response.header('location', url)
    return answerAction(ctx, answer, text, { cancelled, requested, url })
  }
}

function isTicked(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === 'false') return false
  if (value === true || value === 'true' || value === 'on' || value === '1') return true
  throw new InvalidInputException(
    `"scheduled" must be true or false, not "${shown(value, 40)}"`,
    'scheduled'
  )
}
