import type { HttpContext } from '@adonisjs/core/http'
import { answeredHead } from '../live/event_stream.ts'
import { readLiveView } from '../live/live_view.ts'
import { showError } from '../errors.ts'

/**
 * The event stream of one page.
 */
export default class StreamsController {
  async show(ctx: HttpContext) {
    const viewer = ctx.queuedeck
    const { dashboard, urls } = viewer
    const view = readLiveView(ctx.request.qs())
    if (answeredHead(ctx)) return
    if (dashboard.live.isFull) {
      ctx.response.header('retry-after', '30')
      return showError(viewer, {
        status: 503,
        code: 'E_TOO_MANY_STREAMS',
        message: 'This process holds as many streams as it may: the page polls',
      })
    }
    await dashboard.live.open(ctx, view, urls, () => viewer.mayView())
  }
}
