import { ALERT_RULES, type AlertRule } from '../../../src/alert_rules.ts'
import { Alerts } from '../../../src/alerts/alerts.ts'
import { Deliverer } from '../../../src/alerts/deliverer.ts'
import type { MailManager } from '../../../src/alerts/mail.ts'
import { receiversOf } from '../../../src/alerts/receivers.ts'
import { AlertService, type AlertServiceOptions } from '../../../src/alerts/alert_service.ts'
import { Watch, type WatchDependencies } from '../../../src/alerts/watch.ts'
import { defineConfig } from '../../../src/config.ts'
import type { EmitEvent } from '../../../src/events.ts'
import type { Records } from '../../../src/records/records.ts'
import type { AlertRuleConfig, AlertView, QueuedeckConfig } from '../../../src/types.ts'
import { type Lab, silent } from '../mirror/lab.ts'

/** The settings of some rules, with all others off. */
export function only(
  rules: Partial<Record<AlertRule, AlertRuleConfig>>
): Partial<Record<AlertRule, AlertRuleConfig | false>> {
  return Object.fromEntries(ALERT_RULES.map((rule) => [rule, rules[rule] ?? false]))
}

/**
 * What watches a lab's Redis and these records, with a clock that a test sets.
 */
export class AlertLab {
  /** How far the clock is ahead of the machine's, ms. */
  ahead = 0

  /** What the application was told: `opened noWorker mails`. */
  readonly told: string[] = []
  readonly events: { name: string; alert: AlertView }[] = []

  #closing: (() => Promise<unknown>)[] = []
  #watch: Watch | undefined

  constructor(
    readonly lab: Lab,
    readonly records: Records,
    readonly config: QueuedeckConfig = {}
  ) {}

  dependencies(): WatchDependencies {
    return {
      transport: this.lab.transport,
      records: this.records,
      config: defineConfig(this.config),
      logger: silent,
      emit: this.#emit,
      deliverer: this.deliverer(),
      now: () => Date.now() + this.ahead,
    }
  }

  /** What stands for `@adonisjs/mail`. */
  mail: MailManager | undefined

  deliverer(options: { claim?: number; backoff?: number } = {}): Deliverer {
    const { alerts } = defineConfig(this.config)
    const receivers = receiversOf(alerts, async () => this.mail!)
    return new Deliverer({ records: this.records, receivers, logger: silent, ...options })
  }

  alerts(): Alerts {
    return new Alerts(this.dependencies())
  }

  watch(): Watch {
    return new Watch(this.dependencies())
  }

  service(options: Partial<AlertServiceOptions> = {}): AlertService {
    const service = new AlertService({ ...this.dependencies(), turn: 50, ...options })
    this.#closing.push(() => service.stop())
    service.start()
    return service
  }

  /** Looks once, with the clock moved on by so much, and answers what is open: `noWorker mails`. */
  async look(later = 0): Promise<string[]> {
    this.ahead += later
    await (this.#watch ??= this.watch()).look(this.lab.redis)
    return this.open()
  }

  async open(): Promise<string[]> {
    const open = await this.alerts().open()
    return open.map(({ rule, subject }) => `${rule} ${subject}`)
  }

  async close(): Promise<void> {
    await Promise.all(this.#closing.splice(0).map((close) => close()))
  }

  #emit: EmitEvent = (name, alert) => {
    this.events.push({ name, alert })
    this.told.push(`${name.split(':')[2]} ${alert.rule} ${alert.subject}`)
  }
}
