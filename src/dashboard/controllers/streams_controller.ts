import type { HttpContext } from '@adonisjs/core/http'
import { answeredHead } from '../live/event_stream.ts'
import { readLiveView } from '../live/live_view.ts'

/**
 * The event stream of one page.
 */
export default class StreamsController {
  async show(ctx: HttpContext) {
    const viewer = ctx.queuedeck
    const { dashboard, urls } = viewer
    const view = readLiveView(ctx.request.qs())
    if (answeredHead(ctx)) return
    dashboard.live.assertRoom(ctx)
    await dashboard.live.open(ctx, view, urls, () => viewer.mayView())
  }
}
