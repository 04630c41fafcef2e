import type { HttpContext } from '@adonisjs/core/http'
import { E_JOB_NOT_FOUND } from '../../errors.ts'
import { checkJobId } from '../../operations/job_lookup.ts'
import { answeredHead } from '../live/event_stream.ts'
import { sendJson } from '../negotiation.ts'
import { parametersOf } from '../parameters.ts'
import { monitorState } from '../presenters/monitor_view.ts'
import type { MonitorView } from '../presenters/types.ts'
import type { Viewer } from '../viewer.ts'

/** Of its own component. */
const PARAMETERS = ['token', 'for', 'html'] as const

/** A monitor that missed a notice looks by itself this often, ms. */
const LOOK_EVERY = 2_000

/**
 * One job for a page of the host: its state, its HTML and its stream.
 */
export default class MonitorsController {
  async show(ctx: HttpContext) {
    const viewer = ctx.queuedeck
    const view = await this.#view(viewer)
    if (parametersOf(ctx, PARAMETERS).html === undefined) return sendJson(ctx, monitorState(view))
    return viewer.dashboard.views.render('components/monitor_state', { monitor: view })
  }

  async stream(ctx: HttpContext) {
    const viewer = ctx.queuedeck
    const { live } = viewer.dashboard
    const first = await this.#view(viewer)
    if (answeredHead(ctx)) return
    live.assertRoom(ctx)
    let sent = ''
    let looking = false
    let again = false
    const { token } = parametersOf(ctx, PARAMETERS)
    const stream = live.stream(ctx, async () =>
      viewer.dashboard.monitorTokens.admits(token, first.id) ? true : viewer.mayView()
    )
    const tell = (view: MonitorView) => {
      const state = monitorState(view)
      /** Entries that change nothing of what is shown, such as lines of the log, are not worth a message. */
      const shown = JSON.stringify({ ...state, version: 0 })
      if (shown === sent || !stream.isFree) return
      sent = shown
      stream.send('state', state)
      if (view.terminal) stream.close()
    }
    const look = async () => {
      if (looking) return void (again = true)
      looking = true
      do {
        again = false
        await this.#view(viewer).then(tell, (error) => {
          /** Deleted before its end was told: who asks again learns it. Anything else may be over by the next look. */
          if (error instanceof E_JOB_NOT_FOUND) stream.close()
        })
      } while (again && !stream.ended.aborted)
      looking = false
    }
    tell(first)
    /** The job had ended before: nothing would ever clear what is set up below, and the process could not end. */
    if (stream.ended.aborted) return
    live.listen(({ changed, progress, more }) => {
      if (
        more ||
        changed.some(({ id }) => id === first.id) ||
        progress.some(([id]) => id === first.id)
      ) {
        void look()
      }
    }, stream.ended)
    const timer = setInterval(() => void look(), LOOK_EVERY)
    stream.ended.addEventListener('abort', () => clearInterval(timer), { once: true })
  }

  async #view(viewer: Viewer): Promise<MonitorView> {
    const { dashboard, ctx, urls } = viewer
    const id = checkJobId(ctx.params.id)
    const job = await dashboard.reader.find(id)
    if (!job) throw new E_JOB_NOT_FOUND([id])
    const { for: forId } = parametersOf(ctx, PARAMETERS)
    const isName = typeof forId === 'string' && forId.length <= 200
    return dashboard.monitorOf(job, urls, isName ? forId : null)
  }
}
