import type { HttpContext } from '@adonisjs/core/http'
import { ALERT_SPECIFICATIONS, isAlertRule } from '../../alert_rules.ts'
import { assertManage, assertManageQueues } from '../access/assert_manage.ts'
import { sendJson, wishOf } from '../negotiation.ts'
import type { Viewer } from '../viewer.ts'
import { leadTo } from './lead_to.ts'

/**
 * Whoever acts on an alert about a queue needs the right to manage that queue; on such a rule as a whole, every queue.
 *
 * @throws E_FORBIDDEN
 */
export async function manageAlert(
  viewer: Viewer,
  rule: unknown,
  subject: string | null
): Promise<void> {
  await assertManage(viewer)
  if (!isAlertRule(rule) || ALERT_SPECIFICATIONS[rule].subject !== 'queue') return
  const queues = subject === null ? await viewer.dashboard.queueNames() : [subject]
  await assertManageQueues(viewer, queues)
}

/**
 * Answers an action: JSON for programs, else the page of alerts, which says once what happened.
 */
export function answerAlerts(
  ctx: HttpContext,
  outcome: 'done' | 'too_late',
  text: string,
  more: object
) {
  if (wishOf(ctx) === 'json') return sendJson(ctx, { outcome, text, ...more })
  const level = outcome === 'done' ? 'success' : 'info'
  return leadTo(ctx, ctx.queuedeck.urls.alerts(), { level, text })
}
