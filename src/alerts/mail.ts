import { cutText } from '../cut_text.ts'
import type { MailSettings } from '../alert_types.ts'
import { NotDelivered, type AlertMessage, type Receiver } from './receiver.ts'
import { oneLine } from './words.ts'

/** What is used of a message of `@adonisjs/mail`. */
type Mail = {
  to(address: string): unknown
  from(address: string): unknown
  subject(text: string): unknown
  text(text: string): unknown
  html(html: string): unknown
}

type Mailer = { send(write: (message: Mail) => void): Promise<unknown> }

/** Binding `mail.manager` of `@adonisjs/mail`. */
export type MailManager = Mailer & { use(name: string): Mailer }

/** Longest subject of a mail. */
const LONGEST_SUBJECT = 200

/** How long the mail's server may take, ms. */
const PATIENCE = 30_000

/**
 * Sends alerts by `@adonisjs/mail`.
 */
export class MailReceiver implements Receiver {
  readonly target = 'mail'
  #settings: MailSettings
  #manager: () => Promise<MailManager>

  constructor(settings: MailSettings, manager: () => Promise<MailManager>) {
    this.#settings = settings
    this.#manager = manager
  }

  async send({ id, event, alert }: AlertMessage, stop: AbortSignal): Promise<void> {
    const { to, from, mailer } = this.#settings
    const { subject, text, html } = mailTexts(event, alert, id)
    const manager = await this.#manager()
    const sending = (mailer === undefined ? manager : manager.use(mailer)).send((message) => {
      for (const address of to) message.to(address)
      if (from !== undefined) message.from(from)
      message.subject(subject)
      message.text(text)
      message.html(html)
    })
    const within = AbortSignal.any([stop, AbortSignal.timeout(PATIENCE)])
    const late = new Promise<never>((_, reject) =>
      within.addEventListener('abort', () => reject(within.reason), { once: true })
    )
    await Promise.race([sending, late]).catch((error: Error) => {
      throw new NotDelivered(`The mail was not sent: ${error.message}`)
    })
  }
}

/** Names in it come from whoever makes jobs: one line each in the text, escaped in HTML. */
export function mailTexts(
  event: AlertMessage['event'],
  alert: AlertMessage['alert'],
  id: string
): { subject: string; text: string; html: string } {
  const about = oneLine(`${alert.title}: ${alert.subject}`)
  const subject = cutText(
    event === 'opened' ? `Alert: ${about}` : `Over: ${about}`,
    LONGEST_SUBJECT
  )
  const lines: [string, string][] = [
    ['What', oneLine(alert.text)],
    ['Since', new Date(alert.openedAt).toISOString()],
    ...(alert.clearedAt === null
      ? [['What to do', alert.remedy] as [string, string]]
      : [['Until', new Date(alert.clearedAt).toISOString()] as [string, string]]),
    ['Message', id],
  ]
  const html = lines
    .map(([name, value]) => `<tr><th align="left">${name}</th><td>${escaped(value)}</td></tr>`)
    .join('\n')
  return {
    subject,
    text: `${lines.map(([name, value]) => `${name}: ${value}`).join('\n')}\n`,
    html: `<h1>${escaped(subject)}</h1>\n<table>\n${html}\n</table>\n`,
  }
}

function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
}
