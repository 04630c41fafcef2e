import type { HttpContext } from '@adonisjs/core/http'
import { InvalidInputException } from '../../errors.ts'
import { writePayload } from '../../jobs/payload.ts'
import { findJob, type OperationAnswer } from '../../operations/job_lookup.ts'
import type { Actor, JobDetails } from '../../types.ts'
import { assertManage } from '../access/assert_manage.ts'
import { explain } from '../errors.ts'
import { sendJson, wishOf } from '../negotiation.ts'
import { parametersOf } from '../parameters.ts'
import { editPage } from '../presenters/edit_page.ts'
import { documentJson } from '../presenters/job_json.ts'
import { jobRow } from '../presenters/job_row.ts'
import { framePage } from '../presenters/page.ts'
import type { JobRow } from '../presenters/types.ts'
import type { JobText } from '../redaction/job_texts.ts'
import { joinJson, splitJson } from '../redaction/json_text.ts'
import { restoreSecrets } from '../redaction/restore.ts'
import type { Viewer } from '../viewer.ts'
import { ActionController } from './action_controller.ts'

/**
 * Running a job again as a new one, with its payload or an edited one.
 */
export default class RunsAgainController extends ActionController {
  protected words = {
    done: 'Runs again as this new job',
    requested: 'Runs again as this new job',
    too_late: 'Too late',
    refused: 'Not run again',
  }

  protected override readonly takes = ['payload']

  protected question(row: JobRow) {
    return {
      action: 'run-again' as const,
      title: 'Run this job again?',
      text: 'A new job with the same payload and options begins at once, linked to this one. This one stays as it is.',
      url: row.runAgain.url,
      button: 'Run it again',
      destructive: false,
      refused: row.runAgain.reason,
      leaves: true,
    }
  }

  /** The payload in a form. */
  async edit(ctx: HttpContext) {
    const viewer = ctx.queuedeck
    parametersOf(ctx, [])
    const job = await findJob(viewer.dashboard.operations, ctx.params.id)
    return this.#form(viewer, job, null, null)
  }

  override async store(ctx: HttpContext): Promise<unknown> {
    try {
      return await super.store(ctx)
    } catch (error) {
      const { status, message } = explain(error)
      const { payload } = ctx.request.body() as { payload?: unknown }
      const isForm = wishOf(ctx) !== 'json' && payload !== undefined
      if (!isForm || (status !== 422 && status !== 413)) throw error
      const job = await findJob(ctx.queuedeck.dashboard.operations, ctx.params.id)
      ctx.response.status(422)
      return this.#form(ctx.queuedeck, job, String(payload ?? ''), message)
    }
  }

  protected async act(
    { dashboard, ctx }: Viewer,
    id: string,
    actor: Actor,
    { payload }: Record<string, unknown>
  ) {
    if (payload === undefined) return dashboard.runAgain.handle(id, actor)
    const job = await findJob(dashboard.operations, id)
    if (job.sensitive) {
      throw new InvalidInputException(
        'The payload of a sensitive job is not shown and cannot be edited: run it again as it is',
        'payload'
      )
    }
    const isJson = ctx.request.is(['json']) !== null
    const text = isJson
      ? writePayload(job.type, payload, dashboard.payloadLimit)
      : String(payload ?? '').trim()
    const shown = editable(job, dashboard.texts.make(job, job))
    const restored =
      job.payload === null ? text : restoreSecrets(text, shown, job.payload, dashboard.secretKeys)
    /** Without the spaces of the form; digits and order stay. */
    const pieces = splitJson(restored)
    return dashboard.runAgain.handle(id, actor, pieces ? joinJson(pieces) : restored)
  }

  protected override leadsTo({ job }: OperationAnswer, { urls }: Viewer): string {
    return urls.job(job.id)
  }

  async #form(viewer: Viewer, job: JobDetails, typed: string | null, error: string | null) {
    const { dashboard } = viewer
    await assertManage(viewer, job)
    const text = dashboard.texts.make(job, job)
    const row = jobRow(job, text, await viewer.rowContext([job]))
    if (wishOf(viewer.ctx) === 'json') {
      const { url, refused } = editPage(row, { payload: '', sensitive: job.sensitive, error })
      const payload = documentJson(job.payload, text, job.sensitive)
      return sendJson(viewer.ctx, { action: 'edit-and-run', url, refused, payload })
    }
    const page = await framePage(viewer, { title: 'Edit and run', kind: 'confirm', stream: null })
    const edit = editPage(row, {
      payload: typed ?? editable(job, text),
      sensitive: job.sensitive,
      error,
    })
    return dashboard.views.render('pages/edit_and_run', { page, edit })
  }
}

/** As the job's page shows it: without secrets. */
function editable({ payload, sensitive }: JobDetails, text: JobText): string {
  return payload === null || sensitive ? '' : text.json(payload).text
}
