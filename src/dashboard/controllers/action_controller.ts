import type { HttpContext } from '@adonisjs/core/http'
import { findJob, type OperationAnswer } from '../../operations/job_lookup.ts'
import type { Actor, JobView } from '../../types.ts'
import { assertManage } from '../access/assert_manage.ts'
import { sendJson, wishOf } from '../negotiation.ts'
import { fieldsOf, parametersOf } from '../parameters.ts'
import { jobJson } from '../presenters/job_json.ts'
import { jobRow } from '../presenters/job_row.ts'
import { framePage } from '../presenters/page.ts'
import type { ConfirmPage, JobRow } from '../presenters/types.ts'
import type { Viewer } from '../viewer.ts'
import { leadTo } from './lead_to.ts'

/** What the answers are called, where a page tells them. */
type Words = Record<OperationAnswer['outcome'], string>

/**
 * An action on one job: GET asks, POST acts. Works with and without scripts.
 */
export abstract class ActionController {
  protected abstract readonly words: Words
  protected abstract question(
    row: JobRow,
    viewer: Viewer,
    job: JobView
  ): Omit<ConfirmPage, 'job' | 'backUrl'>
  protected abstract act(
    viewer: Viewer,
    id: string,
    actor: Actor,
    fields: Record<string, unknown>
  ): Promise<OperationAnswer>

  /** Names of the fields that the action takes. */
  protected readonly takes: readonly string[] = []

  async create(ctx: HttpContext) {
    const viewer = ctx.queuedeck
    const { dashboard, urls } = viewer
    parametersOf(ctx, [])
    const job = await findJob(dashboard.operations, ctx.params.id)
    const [texts, context] = await Promise.all([
      dashboard.texts.forJobs([job]),
      viewer.rowContext([job]),
    ])
    const row = jobRow(job, texts.get(job.id)!, context)
    const confirm: ConfirmPage = {
      ...this.question(row, viewer, job),
      job: row,
      backUrl: urls.job(job.id),
    }
    if (wishOf(ctx) === 'json') {
      const { action, title, text, url, refused } = confirm
      return sendJson(ctx, { action, title, text, url, refused })
    }
    const page = await framePage(viewer, { title: confirm.title, kind: 'confirm', stream: null })
    const template = wishOf(ctx) === 'fragment' ? 'partials/confirm' : 'pages/confirm'
    return dashboard.views.render(template, { page, confirm })
  }

  async store(ctx: HttpContext): Promise<unknown> {
    const viewer = ctx.queuedeck
    const { dashboard } = viewer
    /** First whether this viewer may act at all, so that nobody learns from the answer which jobs there are. */
    await assertManage(viewer)
    const fields = fieldsOf(ctx, this.takes)
    const target = await findJob(dashboard.operations, ctx.params.id)
    await assertManage(viewer, target)
    const answer = await this.act(viewer, target.id, await viewer.actor(), fields)
    const { outcome, reason, job } = answer
    if (wishOf(ctx) === 'json') {
      const [text, waiting] = await Promise.all([
        dashboard.texts.forJob(job),
        dashboard.waiting([job]),
      ])
      return sendJson(ctx, { outcome, reason, job: jobJson(job, text, waiting.get(job.id)) })
    }
    const good = outcome === 'done' || outcome === 'requested'
    return leadTo(ctx, this.leadsTo(answer, viewer), {
      level: good ? 'success' : 'error',
      text: reason === null ? this.words[outcome] : `${this.words[outcome]}: ${reason}`,
    })
  }

  /** The page after the action. */
  protected leadsTo({ job }: OperationAnswer, { urls }: Viewer): string {
    return urls.job(job.id)
  }
}
