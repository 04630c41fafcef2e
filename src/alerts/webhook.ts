import { createHash, createHmac } from 'node:crypto'
import { lookup as systemLookup, type LookupAddress } from 'node:dns'
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import type { WebhookSettings } from '../alert_types.ts'
import { alertJson } from './alert_json.ts'
import { isPrivateAddress } from './private_addresses.ts'
import { NotDelivered, type AlertMessage, type Receiver } from './receiver.ts'

/** Answers that say: later. Any other 4xx means that the message is not wanted as it is. */
const LATER = new Set([408, 425, 429])

export type Resolve = (
  host: string,
  done: (error: Error | null, addresses: LookupAddress[]) => void
) => void

const resolveHost: Resolve = (host, done) => systemLookup(host, { all: true }, done)

/**
 * Posts alerts to an address, signed. Redirects are not followed, and of the answer only the status is read.
 *
 * `x-queuedeck-signature` is `sha256=` and the hexadecimal HMAC-SHA256, by the secret, of `x-queuedeck-timestamp`, a dot, and the body.
 */
export class Webhook implements Receiver {
  readonly target: string
  #settings: WebhookSettings
  #resolve: Resolve

  /** @param resolve  For tests. */
  constructor(settings: WebhookSettings, resolve: Resolve = resolveHost) {
    this.#settings = settings
    this.#resolve = resolve
    const name = createHash('sha256').update(settings.url).digest('hex').slice(0, 12)
    this.target = `webhook:${name}`
  }

  async send(message: AlertMessage, stop: AbortSignal): Promise<void> {
    const { timeout, secret } = this.#settings
    const body = JSON.stringify({
      id: message.id,
      event: message.event,
      alert: alertJson(message.alert),
    })
    const timestamp = String(Math.floor(Date.now() / 1_000))
    const signature = createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')
    const headers = {
      'content-type': 'application/json; charset=utf-8',
      'content-length': String(Buffer.byteLength(body)),
      'user-agent': 'queuedeck',
      'x-queuedeck-delivery': message.id,
      'x-queuedeck-event': message.event,
      'x-queuedeck-timestamp': timestamp,
      'x-queuedeck-signature': `sha256=${signature}`,
    }
    const within = AbortSignal.any([stop, AbortSignal.timeout(timeout)])
    const status = await this.#post(headers, body, within).catch((error: Error) => {
      if (error instanceof NotDelivered) throw error
      if (within.aborted) throw new NotDelivered(`It has not answered within ${timeout} ms`)
      throw new NotDelivered(error.message || 'The connection failed')
    })
    if (status >= 200 && status < 300) return
    if (status >= 300 && status < 400) {
      throw new NotDelivered(`It answered ${status}: redirects are not followed`, true)
    }
    throw new NotDelivered(`It answered ${status}`, status < 500 && !LATER.has(status))
  }

  #post(headers: Record<string, string>, body: string, signal: AbortSignal): Promise<number> {
    const url = new URL(this.#settings.url)
    /** Addresses need no lookup, and get none. */
    const literal = url.hostname.replaceAll(/^\[|\]$/g, '')
    if (isIP(literal) !== 0) this.#assertAllowed(literal)
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest
    return new Promise((resolve, reject) => {
      /** A lookup under way cannot be ended, but need not be waited for. */
      signal.addEventListener('abort', () => reject(signal.reason), { once: true })
      const request = send(url, {
        method: 'POST',
        headers,
        signal,
        agent: false,
        lookup: this.#lookup,
      })
      request.once('response', (response) => {
        response.on('error', () => {})
        response.destroy()
        resolve(response.statusCode!)
      })
      request.on('error', reject)
      request.end(body)
    })
  }

  /** What it answers is what is connected to: a name that changes its address in between gains nothing. */
  #lookup: LookupFunction = (host, options, done) => {
    this.#resolve(host, (error, addresses) => {
      try {
        if (error) throw error
        if (addresses.length === 0) throw new NotDelivered(`No address of "${host}" is known`)
        for (const { address } of addresses) this.#assertAllowed(address)
      } catch (refused) {
        return done(refused as Error, [])
      }
      if (options.all) done(null, addresses)
      else done(null, addresses[0].address, addresses[0].family)
    })
  }

  #assertAllowed(address: string): void {
    if (this.#settings.allowPrivate || !isPrivateAddress(address)) return
    throw new NotDelivered(
      `Its address ${address} is not public: set allowPrivate for this webhook if it is meant`,
      true
    )
  }
}
