import type { HttpContext } from '@adonisjs/core/http'
import type { NextFn } from '@adonisjs/core/types/http'
import { comesFromUs } from '../access/same_origin.ts'
import { showError } from '../errors.ts'
import { enter } from './enter.ts'

/** For hosts without Shield; with it, the host's own policy stands. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

/**
 * Stands in front of every page, action and stream: closed unless the application said who may look.
 */
export default class GateMiddleware {
  async handle(ctx: HttpContext, next: NextFn): Promise<void> {
    const { dashboard, viewer } = await enter(ctx)
    ctx.response.header('referrer-policy', 'same-origin')
    if (!ctx.response.getHeader('content-security-policy')) {
      ctx.response.header('content-security-policy', POLICY)
    }

    if (!comesFromUs(ctx.request, this.#hasToken(ctx))) {
      return showError(viewer, {
        status: 403,
        code: 'E_CROSS_SITE',
        message: ctx.request.header('sec-fetch-site')
          ? 'This request comes from another site'
          : "This request comes from another site, or through a proxy that puts another Host in place of the browser's: have it hand that on",
      })
    }
    const verdict = await dashboard.gate.view(ctx)
    if (verdict !== 'yes') {
      return showError(viewer, {
        status: 403,
        code: 'E_FORBIDDEN',
        message: verdict === 'closed' ? 'These pages are closed' : 'You may not see these pages',
      })
    }
    await next()
  }

  /** Shield has checked its token when it is there, so a request that came this far carries one. */
  #hasToken({ request }: HttpContext): boolean {
    return request.csrfToken !== undefined
  }
}
