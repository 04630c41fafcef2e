import type { HttpContext } from '@adonisjs/core/http'
import { E_JOB_NOT_FOUND, InvalidInputException } from '../../errors.ts'
import { checkJobId, findJob } from '../../operations/job_lookup.ts'
import { sendJson, wishOf } from '../negotiation.ts'
import { parametersOf } from '../parameters.ts'
import { documentJson, logJson } from '../presenters/job_json.ts'
import { logView } from '../presenters/job_page.ts'
import { framePage } from '../presenters/page.ts'
import { renderJob } from './job_rendering.ts'
import { shown } from '../../shown.ts'

const MOST_LINES = 1_000

/**
 * The log and the result of one job.
 */
export default class JobPartsController {
  async logs(ctx: HttpContext) {
    const viewer = ctx.queuedeck
    const { dashboard } = viewer
    const { run, limit, cursor } = parametersOf(ctx, ['run', 'limit', 'cursor'])
    const id = checkJobId(ctx.params.id)
    const [job] = await dashboard.reader.rowsById([id])
    if (!job) throw new E_JOB_NOT_FOUND([id])
    if (wishOf(ctx) === 'page' && cursor !== undefined) {
      /** "Older lines" without scripts: the page of the job, with those lines. */
      const whole = await findJob(dashboard.operations, id)
      return renderJob(viewer, whole, await dashboard.live.revision(), String(cursor))
    }
    const log = await dashboard.reader.logs(id, {
      run: wholeNumber(run, 'run', 1, 2 ** 31 - 1),
      limit: wholeNumber(limit, 'limit', 1, MOST_LINES) ?? 100,
      cursor: cursor === undefined ? undefined : String(cursor),
      newest: wishOf(ctx) !== 'json',
    })
    const text = (await dashboard.texts.forJobs([job])).get(id)!
    if (wishOf(ctx) !== 'fragment') return sendJson(ctx, logJson(log, text))
    const page = await framePage(viewer, {
      title: 'Log',
      kind: 'job',
      fragment: true,
      stream: null,
    })
    return viewer.dashboard.views.render('partials/log_lines', {
      page,
      log: logView(id, log, text, viewer),
    })
  }

  /** Always JSON: what the job returned, whole, with its own digits. */
  async result(ctx: HttpContext) {
    const { dashboard } = ctx.queuedeck
    parametersOf(ctx, [])
    const job = await findJob(dashboard.operations, ctx.params.id)
    const body = { payload: job.payload, options: job.options, result: job.result }
    const text = dashboard.texts.make(job, body)
    return sendJson(ctx, {
      status: job.status,
      result: documentJson(job.result, text, job.sensitive),
    })
  }
}

function wholeNumber(value: unknown, field: string, least: number, most: number) {
  if (value === undefined || value === '') return undefined
  const number = typeof value === 'string' && /^\d{1,10}$/.test(value) ? Number(value) : Number.NaN
  if (number >= least && number <= most) return number
  throw new InvalidInputException(
    `"${field}" must be a whole number from ${least} to ${most}, not "${shown(value, 60)}"`,
    field
  )
}
