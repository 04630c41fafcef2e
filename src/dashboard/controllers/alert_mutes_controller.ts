import type { HttpContext } from '@adonisjs/core/http'
import { ALERT_SPECIFICATIONS } from '../../alert_rules.ts'
import { muteJson } from '../../alerts/alert_json.ts'
import { toMilliseconds } from '../../durations.ts'
import { InvalidInputException } from '../../errors.ts'
import { assertManage } from '../access/assert_manage.ts'
import { fieldsOf } from '../parameters.ts'
import { answerAlerts, manageAlert } from './alert_answers.ts'

/**
 * Mutes: rules, or single subjects of them, that nobody wants to be told of.
 */
export default class AlertMutesController {
  async store(ctx: HttpContext) {
    const viewer = ctx.queuedeck
    await assertManage(viewer)
    const { rule, ...input } = fieldsOf(ctx, ['rule', 'subject', 'for'])
    const subject = readSubject(input.subject)
    await manageAlert(viewer, rule, subject)
    const milliseconds = readDuration(input.for)
    const { alerts } = viewer.dashboard
    const mute = await alerts.mute(rule, subject, milliseconds, await viewer.actor())
    const text = `Muted: ${ALERT_SPECIFICATIONS[mute.rule].title}`
    return answerAlerts(ctx, 'done', text, { mute: muteJson(mute) })
  }

  async destroy(ctx: HttpContext) {
    const viewer = ctx.queuedeck
    await assertManage(viewer)
    const { rule, ...input } = fieldsOf(ctx, ['rule', 'subject'])
    const subject = readSubject(input.subject)
    await manageAlert(viewer, rule, subject)
    const changed = await viewer.dashboard.alerts.unmute(rule, subject, await viewer.actor())
    const text = changed ? 'No longer muted' : 'It was not muted'
    return answerAlerts(ctx, 'done', text, { changed })
  }
}

/** Forms send an empty text for all of a rule's. */
function readSubject(value: unknown): string | null {
  if (value === undefined || value === null || value === '') return null
  if (typeof value === 'string') return value
  throw new InvalidInputException('"subject" must be a text, or null for all', 'subject')
}

/** What is no length at all is refused where its bounds are. */
function readDuration(value: unknown): number | null {
  if (value === null || value === 'ever') return null
  const isDuration = typeof value === 'string' || typeof value === 'number'
  return isDuration ? toMilliseconds(value, 'for') : Number.NaN
}
