import type { HttpContext } from '@adonisjs/core/http'
import { answeredUnchanged, hash } from './conditional.ts'
import { toJson } from './redaction/json_text.ts'

/**
 * How a request wants its answer: `json` for programs, `fragment` for htmx, else the whole page.
 */
export type Wish = 'json' | 'fragment' | 'page'

export function wishOf({ request }: HttpContext): Wish {
  if (isHtmx(request)) return request.header('hx-request-type') === 'full' ? 'page' : 'fragment'
  return request.accepts(['html', 'json']) === 'json' ? 'json' : 'page'
}

export function isHtmx(request: HttpContext['request']): boolean {
  return request.header('hx-request') === 'true'
}

/**
 * Sends JSON that may carry JSON texts of jobs as they stand. Whoever asks again and again may send the tag of what it has.
 */
export function sendJson(ctx: HttpContext, body: unknown, status = 200) {
  const text = toJson(body)
  const isRead = status === 200 && ['GET', 'HEAD'].includes(ctx.request.method())
  if (isRead && answeredUnchanged(ctx, hash(text))) return
  ctx.response.status(status).header('content-type', 'application/json; charset=utf-8').send(text)
}

/**
 * One address answers pages, fragments and JSON, and all of them hold what this viewer may see now.
 */
export function forbidStoring({ response }: HttpContext) {
  response.header('cache-control', 'no-store, private')
  response.vary('Accept, HX-Request, HX-Request-Type, X-Queuedeck-Refresh, Cookie')
}

/**
 * The address as it was sent, with nothing decoded: names in it may hold `/`, `%`, `?` and `#`.
 */
export function addressOf({ request }: HttpContext): string {
  return request.request.url ?? '/'
}
