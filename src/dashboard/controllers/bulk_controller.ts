import type { HttpContext } from '@adonisjs/core/http'
import { InvalidInputException } from '../../errors.ts'
import { MOST_JOBS, readBulkRequest } from '../../operations/bulk/begin_bulk.ts'
import { findBulk } from '../../operations/bulk/stop_bulk.ts'
import type { BulkOperation } from '../../records/bulk/bulk_rows.ts'
import type { Outcome } from '../../types.ts'
import { assertManage } from '../access/assert_manage.ts'
import { sendJson, wishOf } from '../negotiation.ts'
import { fieldsOf, parametersOf } from '../parameters.ts'
import { bulkConfirm, bulkItemJson, bulkJson, bulkPage } from '../presenters/bulk_page.ts'
import { framePage } from '../presenters/page.ts'
import type { Viewer } from '../viewer.ts'
import { answerPage } from './page_answer.ts'
import { leadTo } from './lead_to.ts'
import { shown } from '../../shown.ts'

const PAGE = 100
const MOST = 1_000
const OUTCOMES: readonly Outcome[] = ['done', 'requested', 'too_late', 'refused']

/**
 * Actions on many jobs: asked about, begun, watched and stopped.
 */
export default class BulkController {
  /** Asks whether it is meant. Changes nothing; POST, because the ids of many jobs are too long for an address. */
  async confirm(ctx: HttpContext) {
    const viewer = ctx.queuedeck
    const { dashboard, urls } = viewer
    await assertManage(viewer)
    const fields = fieldsOf(ctx, ['action', 'ids'])
    /** Whoever asks about a priority has not said which yet. */
    const asked = fields.action === 'priority' ? { ...fields, priority: 0 } : fields
    const { action, ids } = readBulkRequest(asked, isForm(ctx))
    const found = await dashboard.beginBulk.preview(ids, (job) => viewer.mayManage(job))
    const bulk = bulkConfirm(action, found, urls)
    if (wishOf(ctx) === 'json') {
      const { title, text, refused } = bulk
      const jobs = found.map(({ id, job, refusal }) => ({ id, type: job?.type ?? null, refusal }))
      return sendJson(ctx, { action, title, text, url: bulk.url, refused, jobs })
    }
    const page = await framePage(viewer, { title: bulk.title, kind: 'confirm', stream: null })
    const template = wishOf(ctx) === 'fragment' ? 'partials/bulk_confirm' : 'pages/bulk_confirm'
    return dashboard.views.render(template, { page, bulk })
  }

  async store(ctx: HttpContext) {
    const viewer = ctx.queuedeck
    const { dashboard, urls } = viewer
    await assertManage(viewer)
    const wish = readBulkRequest(fieldsOf(ctx, ['action', 'ids', 'priority']), isForm(ctx))
    const operation = await dashboard.beginBulk.handle(wish, await viewer.actor(), (job) =>
      viewer.mayManage(job)
    )
    const url = urls.bulkOperation(operation.id)
    if (wishOf(ctx) === 'json') {
      ctx.response.header('location', url)
      const answer = { outcome: 'requested', reason: null, url, operation: bulkJson(operation) }
      return sendJson(ctx, answer, 202)
    }
    return ctx.response.redirect().status(303).toPath(url)
  }

  async show(ctx: HttpContext) {
    const viewer = ctx.queuedeck
    const { dashboard, urls, clock } = viewer
    const {
      cursor,
      limit: wanted,
      outcome: named,
    } = parametersOf(ctx, ['cursor', 'limit', 'outcome'])
    const after = readWhole(cursor, 'cursor', -1, 0, 1_000_000)
    const limit = readWhole(wanted, 'limit', PAGE, 1, MOST)
    const outcome = readOutcome(named)
    const revision = await dashboard.live.revision()
    const operation = await findBulk(dashboard.bulk, ctx.params.id)
    const found = await dashboard.bulk.items(operation.seq, { after, limit: limit + 1, outcome })
    const items = found.slice(0, limit)
    const next = found.length > limit ? items.at(-1)!.n : null
    if (wishOf(ctx) === 'json') {
      return sendJson(ctx, {
        operation: bulkJson(operation),
        data: items.map(bulkItemJson),
        page: { next: next === null ? null : String(next) },
      })
    }
    const seen = { operation, items, next, isFirst: after === -1, outcome }
    return answerPage(
      viewer,
      { title: 'Bulk action', kind: 'bulk', template: 'pages/bulk', revision },
      ({ manage }) => ({ bulk: bulkPage({ ...seen, manage }, { urls, clock }) })
    )
  }

  /** Stops it: jobs that are left are left alone. */
  async destroy(ctx: HttpContext) {
    const viewer = ctx.queuedeck
    const { dashboard, urls } = viewer
    await assertManage(viewer)
    fieldsOf(ctx, [])
    await assertManageRest(viewer, await findBulk(dashboard.bulk, ctx.params.id))
    const { outcome, reason, operation } = await dashboard.stopBulk.handle(
      ctx.params.id,
      await viewer.actor()
    )
    if (wishOf(ctx) === 'json') {
      return sendJson(ctx, { outcome, reason, operation: bulkJson(operation) })
    }
    return leadTo(ctx, urls.bulkOperation(operation.id), {
      level: outcome === 'requested' ? 'success' : 'info',
      text: reason ?? 'Asked to stop',
    })
  }
}

/**
 * Whoever stops an operation needs the right to act on what it would still act on: the queue that it drains, or the jobs that are left.
 *
 * @throws E_FORBIDDEN
 */
async function assertManageRest(viewer: Viewer, { seq, drain }: BulkOperation): Promise<void> {
  if (drain) return assertManage(viewer, { queue: drain.queue, user: null })
  const { bulk, reader } = viewer.dashboard
  const items = await bulk.items(seq, { after: -1, limit: MOST_JOBS })
  const left = items.filter(({ outcome }) => outcome === null).map(({ jobId }) => jobId)
  for (const job of await reader.rowsById(left)) await assertManage(viewer, job)
}

function isForm({ request }: HttpContext): boolean {
  return !(request.header('content-type') ?? '').includes('json')
}

function readOutcome(value: unknown): Outcome | undefined {
  if (value === undefined || value === '') return undefined
  const outcome = OUTCOMES.find((name) => name === value)
  if (outcome) return outcome
  throw new InvalidInputException(
    `"outcome" must be one of ${OUTCOMES.join(', ')}, not "${shown(value, 40)}"`,
    'outcome'
  )
}

function readWhole(
  value: unknown,
  field: string,
  fallback: number,
  least: number,
  most: number
): number {
  if (value === undefined || value === '') return fallback
  const number = typeof value === 'string' && /^\d{1,7}$/.test(value) ? Number(value) : -1
  if (number >= least && number <= most) return number
  throw new InvalidInputException(
    `"${field}" must be a whole number from ${least} to ${most}, not "${shown(value, 40)}"`,
    field
  )
}
