import type { HttpContext } from '@adonisjs/core/http'
import { InvalidInputException } from '../../errors.ts'
import { findJob } from '../../operations/job_lookup.ts'
import { isUuid } from '../../records/ids.ts'
import { JobQuery } from '../../records/job_query.ts'
import { assertManage } from '../access/assert_manage.ts'
import { answeredUnchanged, refreshOf } from '../conditional.ts'
import { sendJson, wishOf } from '../negotiation.ts'
import { bodyOf, parametersOf } from '../parameters.ts'
import { jobDetailsJson, jobJson } from '../presenters/job_json.ts'
import type { Viewer } from '../viewer.ts'
import { renderJob } from './job_rendering.ts'
import { tellPageState } from './page_state.ts'
import { ID_END, renderList, type ListRequest } from './list_rendering.ts'

const MOST_PINS = 200

/**
 * The list of jobs, one job, and new ones.
 */
export default class JobsController {
  async index(ctx: HttpContext) {
    const viewer = ctx.queuedeck
    const { dashboard } = viewer
    const list = readList(viewer)
    if (wishOf(ctx) === 'json') {
      const { rows, next, previous, count } = await dashboard.reader.page(list.query)
      const [known, waiting] = await Promise.all([
        dashboard.texts.forJobs(rows),
        dashboard.waiting(rows),
      ])
      return sendJson(ctx, {
        data: rows.map((job) => jobJson(job, known.get(job.id)!, waiting.get(job.id))),
        page: { next, previous, count: count.value, capped: count.capped },
      })
    }
    const { html, tag, rowsRevision, state } = await renderList(viewer, list)
    if (state) tellPageState(ctx, state)
    else ctx.response.header('x-queuedeck-revision', String(rowsRevision))
    ctx.response.header('x-queuedeck-rows-revision', String(rowsRevision))
    const refresh = refreshOf(ctx)
    if (refresh !== null && answeredUnchanged(ctx, tag)) return
    /** The form sends its empty fields too; the address that stays is the short one. Refreshes change no address. */
    if (wishOf(ctx) === 'fragment' && refresh === null) {
      ctx.response.header('hx-push-url', viewer.urls.jobs(list.query.toParams()))
    }
    return html
  }

  async show(ctx: HttpContext) {
    const viewer = ctx.queuedeck
    const { dashboard } = viewer
    parametersOf(ctx, [])
    const revision = await dashboard.live.revision()
    const job = await findJob(dashboard.operations, ctx.params.id)
    if (wishOf(ctx) === 'json') {
      const [waiting, family, flow] = await Promise.all([
        dashboard.waiting([job]),
        dashboard.family(job),
        dashboard.flow(job),
      ])
      const more = { waiting: waiting.get(job.id), family, flow }
      return sendJson(ctx, jobDetailsJson(job, dashboard.texts, more))
    }

    return renderJob(viewer, job, revision)
  }

  async store(ctx: HttpContext) {
    const viewer = ctx.queuedeck
    await assertManage(viewer)
    const { job, duplicate } = await viewer.dashboard.createJob.handle(
      bodyOf(ctx),
      await viewer.actor(),
      (target) => assertManage(viewer, target)
    )
    /** It may be another user's. */
    if (duplicate) await assertManage(viewer, job)
    const [text, waiting] = await Promise.all([
      viewer.dashboard.texts.forJob(job),
      viewer.dashboard.waiting([job]),
    ])
    ctx.response.header('location', viewer.urls.job(job.id))
    const json = jobJson(job, text, waiting.get(job.id))
    return sendJson(ctx, { job: json, duplicate }, duplicate ? 200 : 201)
  }
}

/**
 * The list that an address asks for. Days are days of the viewer's zone, unless the address names another.
 */
function readList({ ctx, preferences }: Viewer): ListRequest {
  const { pin, have, ...params } = ctx.request.qs()
  const isRange = Boolean(params.from || params.to)
  if (isRange && !params.tz && preferences.zone) params.tz = preferences.zone
  return { query: JobQuery.from(params), pins: readPins(pin), have: readEnds(have) }
}

function readPins(pin: unknown): string[] | null {
  if (pin === undefined || pin === '') return null
  const ids = typeof pin === 'string' ? pin.split(',') : []
  if (ids.length === 0 || ids.length > MOST_PINS || !ids.every(isUuid)) {
    throw new InvalidInputException(
      `"pin" must be 1 to ${MOST_PINS} ids of jobs, separated by commas`,
      'pin'
    )
  }
  return [...new Set(ids)]
}

/** Ends of the ids of rows that the browser has as they are, each 12 digits, without anything between them. */
function readEnds(have: unknown): string {
  if (have === undefined) return ''
  const fits = new RegExp(`^(?:[0-9a-f]{${ID_END}}){0,${MOST_PINS}}$`)
  if (typeof have === 'string' && fits.test(have)) return have
  throw new InvalidInputException(
    `"have" must be the last ${ID_END} digits of at most ${MOST_PINS} ids, one behind the other`,
    'have'
  )
}
