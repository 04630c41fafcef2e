import type { RedisClient } from './client.ts'

/**
 * Since when Redis is away, and why: what pages say while history stays readable.
 */
export class Outage {
  /** Epoch milliseconds; null while Redis answers. */
  since: number | null = null

  /** The last connection error, in words. */
  reason: string | null = null

  began() {
    this.since ??= Date.now()
  }

  failed(error: Error) {
    this.since ??= Date.now()
    this.reason = reasonOf(error)?.text ?? error.message
  }

  ended() {
    this.since = null
    this.reason = null
  }
}

/** What the first word of a refusal by Redis means for a person. */
const REFUSALS: [RegExp, string][] = [
  [
    /^OOM|used memory > 'maxmemory'/,
    `it is full (used memory has reached "maxmemory"): free memory or raise the limit`,
  ],
  [/^READONLY/, 'it is a read-only replica: point the connection at the primary'],
  [/^LOADING/, 'it is still loading its data'],
  [/^MISCONF/, 'it cannot write its data to disk and therefore takes no writes'],
  [/^(CLUSTERDOWN|MASTERDOWN|TRYAGAIN)/, 'its cluster is not complete'],
  [/^NOREPLICAS/, 'it has too few replicas to take writes'],
  [/max number of clients reached/, 'it has as many connections as it takes (maxclients)'],
  [/^BUSY /, 'a long script of another client blocks it'],
]

/** What no waiting mends: how the connection is configured has to change. */
const REFUSED_SETTINGS: [RegExp, string][] = [
  [/^WRONGPASS|invalid password|invalid username/i, 'it refuses the user or the password'],
  [/^NOAUTH/, 'it wants a password'],
  [/^NOPERM/, 'its user lacks a permission'],
]

const BROKEN =
  /Connection is closed|ECONNRESET|EPIPE|socket|Stream isn't writeable|MaxRetries|max retries per request/i

/** Nobody knows what became of the command. */
export const BROKE = 'the connection broke before the answer came'

const UNTRUSTED = 'its certificate is not trusted: give its authority as "ca" below "tls"'

/**
 * What a server does that expects TLS and hears none, or hears TLS and expects none; also one with as many clients as it takes, whose
 * words are mostly lost with the connection.
 */
export const HUNG_UP =
  'it ends every connection at once, as when only one side uses TLS, or when it has as many connections as it takes (maxclients)'

/** Why no connection can be made: the machine says so at once, and says the same until somebody mends it. */
const REFUSED: Record<string, string> = {
  ECONNREFUSED: 'the connection is refused',
  ENOTFOUND: 'its host is not known',
  EAI_AGAIN: 'its host is not known',
  EHOSTUNREACH: 'there is no way to its host',
  ENETUNREACH: 'there is no way to its host',
  ENOENT: 'its socket is not there',
  EACCES: 'its socket may not be used',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another host',
  DEPTH_ZERO_SELF_SIGNED_CERT: UNTRUSTED,
  SELF_SIGNED_CERT_IN_CHAIN: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNTRUSTED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNTRUSTED,
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS',
  EPROTO: 'it does not speak TLS as expected',
}

/**
 * Why a command failed, when Redis' condition is the reason and not the command.
 *
 * - `sent`: the command may have been executed
 * - `refused`: connections are refused, so that waiting longer than a restart takes does not help
 */
export type Reason = { text: string; sent: boolean; refused: boolean }

export function reasonOf(error: Error & { code?: string; lastNodeError?: Error }): Reason | null {
  /** A cluster's client says only that all nodes failed. */
  if (error.lastNodeError) return reasonOf(error.lastNodeError)
  const reason = (text: string, more: Partial<Reason> = {}) => ({
    text: `${text} (${error.message})`,
    sent: false,
    refused: false,
    ...more,
  })
  for (const [pattern, text] of REFUSALS) {
    if (pattern.test(error.message)) return reason(text)
  }
  for (const [pattern, text] of REFUSED_SETTINGS) {
    if (pattern.test(error.message)) return reason(text, { refused: true })
  }
  if (error.code !== undefined && Object.hasOwn(REFUSED, error.code)) {
    return reason(REFUSED[error.code], { refused: true })
  }
  if (error.code === 'ETIMEDOUT' || /ETIMEDOUT|connect timeout/i.test(error.message)) {
    return reason('its host does not answer')
  }
  if (BROKEN.test(error.message)) {
    return { text: BROKE, sent: true, refused: false }
  }
  return null
}

/** Why a connection did not become usable in time. */
export function whyNotReady(client: RedisClient, lastReason: string | null): string {
  if (client.status === 'connect') return 'it accepts the connection but does not answer'
  return lastReason ?? 'no connection was made in time'
}
