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
  [/^(NOAUTH|WRONGPASS)|invalid password|invalid username/i, 'it refuses the password'],
  [/^NOPERM/, 'its user lacks a permission'],
  [/^MISCONF/, 'it cannot write its data to disk and therefore takes no writes'],
  [/^(CLUSTERDOWN|MASTERDOWN|TRYAGAIN)/, 'its cluster is not complete'],
  [/^BUSY /, 'a long script of another client blocks it'],
]

const BROKEN =
  /Connection is closed|ECONNRESET|EPIPE|socket|Stream isn't writeable|MaxRetries|max retries per request/i

/**
 * Why a command failed, when Redis' condition is the reason and not the command. `sent`: it may have been executed.
 */
export function reasonOf(error: Error & { code?: string }): { text: string; sent: boolean } | null {
  for (const [pattern, text] of REFUSALS) {
    if (pattern.test(error.message)) return { text: `${text} (${error.message})`, sent: false }
  }
  if (error.code === 'ECONNREFUSED')
    return { text: `the connection is refused (${error.message})`, sent: false }
  if (error.code === 'ENOTFOUND' || error.code === 'EAI_AGAIN')
    return { text: `its host is not known (${error.message})`, sent: false }
  if (error.code === 'ETIMEDOUT' || /ETIMEDOUT|connect timeout/i.test(error.message)) {
    return { text: `its host does not answer (${error.message})`, sent: false }
  }
  if (BROKEN.test(error.message))
    return { text: 'the connection broke before the answer came', sent: true }
  return null
}

/** Why a connection did not become usable in time. */
export function whyNotReady(client: RedisClient, lastReason: string | null): string {
  if (client.status === 'connect') return 'it accepts the connection but does not answer'
  return lastReason ?? 'no connection was made in time'
}
