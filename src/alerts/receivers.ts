import type { AlertSettings } from '../alert_types.ts'
import { MailReceiver, type MailManager } from './mail.ts'
import type { Receiver } from './receiver.ts'
import { Webhook } from './webhook.ts'

/**
 * Everybody whom the configuration names.
 *
 * @param mail  Gives the binding `mail.manager` of `@adonisjs/mail`
 */
export function receiversOf(
  { webhooks, mail: settings }: AlertSettings,
  mail: () => Promise<MailManager>
): Receiver[] {
  return [
    ...webhooks.map((webhook) => new Webhook(webhook)),
    ...(settings === null ? [] : [new MailReceiver(settings, mail)]),
  ]
}
