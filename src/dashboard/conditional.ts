import { createHash } from 'node:crypto'
import type { HttpContext } from '@adonisjs/core/http'

/** Which part of a page asks for itself again: the id of its region, or `rows` for the rows of a list alone. */
export type Refresh =
  | 'jobs'
  | 'rows'
  | 'dashboard'
  | 'queues'
  | 'job'
  | 'sheet-job'
  | 'workers-page'
  | 'cleanups'
  | 'audit'
  | 'bulk-page'
  | 'alerts'

const REFRESHES: readonly string[] = [
  'jobs',
  'rows',
  'dashboard',
  'queues',
  'job',
  'sheet-job',
  'workers-page',
  'cleanups',
  'audit',
  'bulk-page',
  'alerts',
]

/**
 * What a request of our own script refreshes; null when a person asks.
 */
export function refreshOf({ request }: HttpContext): Refresh | null {
  const name = request.header('x-queuedeck-refresh')
  return name !== undefined && REFRESHES.includes(name) ? (name as Refresh) : null
}

/**
 * A tag for what a fragment shows. Relative times and running durations go on in the browser by themselves, so that they make no
 * difference. Neither does the token of a form: it is another each time, and the one that the browser has still counts.
 */
export function tagOf(html: string): string {
  const lasting = html
    .replace(/ name="_csrf" value="[^"]*"/g, '')
    .replace(/ data-(?:now|revision|elapsed)="[^"]*"/g, (attribute) => attribute.split('=')[0])
    .replace(/(<[^<>]* data-(?:moment="[^"]*"|elapsed)[^<>]*>)[^<]*/g, '$1')
  return hash(lasting)
}

export function hash(text: string): string {
  return `W/"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"`
}

/** Caches on the way may make a weak tag a strong one. */
function opaque(tag: string): string {
  return tag.replace(/^W\//, '')
}

/**
 * Tells the tag of an answer, and whether the client has it already: then it is answered with 304, and there is no body to send.
 * (RFC 9110, section 13.1.2: weak comparison, since what is compared is what one sees.)
 */
export function answeredUnchanged({ request, response }: HttpContext, tag: string): boolean {
  response.header('etag', tag)
  const known = request.header('if-none-match')
  if (known === undefined) return false
  const isKnown = known.split(',').some((one) => ['*', opaque(tag)].includes(opaque(one.trim())))
  if (!isKnown) return false
  response.status(304).send('')
  return true
}
