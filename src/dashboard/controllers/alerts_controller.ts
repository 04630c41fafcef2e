import type { HttpContext } from '@adonisjs/core/http'
import { ALERT_RULES, ALERT_SPECIFICATIONS } from '../../alert_rules.ts'
import { alertJson, muteJson } from '../../alerts/alert_json.ts'
import { E_ALERT_NOT_FOUND, InvalidInputException } from '../../errors.ts'
import { assertManage } from '../access/assert_manage.ts'
import { sendJson, wishOf } from '../negotiation.ts'
import { fieldsOf, parametersOf } from '../parameters.ts'
import { alertsPage } from '../presenters/alerts_page.ts'
import type { Viewer } from '../viewer.ts'
import { answerAlerts, manageAlert } from './alert_answers.ts'
import { answerPage } from './page_answer.ts'
import { shown } from '../../shown.ts'

/** Alerts that are over, on one page. */
const PAGE = 50

/**
 * Alerts: what is open, what is muted, what is over, and what each rule means.
 */
export default class AlertsController {
  async index(ctx: HttpContext) {
    const viewer = ctx.queuedeck
    const { dashboard, urls, clock } = viewer
    const below = readCursor(parametersOf(ctx, ['cursor']).cursor)
    const isJson = wishOf(ctx) === 'json'
    const revision = await dashboard.live.revision()
    const reading = this.#read(viewer, below)
    const [open, found] = await Promise.all([
      dashboard.openAlerts(),
      isJson ? reading : reading.catch(unlessAway),
    ])
    const past = found?.past.slice(0, PAGE) ?? []
    const older = (found?.past.length ?? 0) > PAGE ? past.at(-1)!.id : null
    const mutes = found?.mutes ?? []
    if (isJson) {
      return sendJson(ctx, {
        open: (open ?? []).map(alertJson),
        data: past.map(alertJson),
        page: { next: older === null ? null : String(older) },
        mutes: mutes.map(muteJson),
        rules: this.#rules(viewer),
      })
    }
    const settings = dashboard.alertSettings
    const seen = { open, past, mutes, older, isFirst: below === null, settings }
    return answerPage(
      viewer,
      {
        ...{ title: 'Alerts', kind: 'alerts', template: 'pages/alerts', revision },
        ...{ databaseAway: found === null, alerts: open },
      },
      () => ({ alerts: alertsPage(seen, { urls, clock }) })
    )
  }

  async acknowledge(ctx: HttpContext) {
    const viewer = ctx.queuedeck
    const { alerts } = viewer.dashboard
    await assertManage(viewer)
    fieldsOf(ctx, [])
    const id = readId(ctx.params.id)
    const found = await alerts.find(id)
    await manageAlert(viewer, found.rule, found.subject)
    const { outcome, reason, alert } = await alerts.acknowledge(id, await viewer.actor())
    const text = outcome === 'done' ? `Acknowledged: ${alert.title}` : `Too late: ${reason}`
    return answerAlerts(ctx, outcome, text, { reason, alert: alertJson(alert) })
  }

  async #read({ dashboard: { alerts } }: Viewer, below: number | null) {
    const [past, mutes] = await Promise.all([
      alerts.past({ limit: PAGE + 1, ...(below === null ? {} : { below }) }),
      alerts.mutes(),
    ])
    return { past, mutes }
  }

  #rules({ dashboard: { alertSettings } }: Viewer) {
    return ALERT_RULES.map((rule) => {
      const { title, meaning, remedy, unit } = ALERT_SPECIFICATIONS[rule]
      return { rule, title, meaning, remedy, unit, settings: alertSettings.rules[rule] }
    })
  }
}

function readId(value: unknown): number {
  if (typeof value === 'string' && /^[1-9]\d{0,14}$/.test(value)) return Number(value)
  throw new E_ALERT_NOT_FOUND([shown(value, 40)])
}

function readCursor(value: unknown): number | null {
  if (value === undefined || value === '') return null
  if (typeof value === 'string' && /^[1-9]\d{0,14}$/.test(value)) return Number(value)
  throw new InvalidInputException(
    `"cursor" must be the "next" of another page, not "${shown(value, 40)}"`,
    'cursor'
  )
}

/** The page stands while the database is away, and says so. */
function unlessAway(error: { status?: number }): null {
  if (error.status === 503) return null
  throw error
}
