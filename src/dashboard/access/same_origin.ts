import type { HttpRequest } from '@adonisjs/core/http'

const SAFE_METHODS = ['GET', 'HEAD', 'OPTIONS']

/**
 * Whether a request that changes something comes from one of our own pages, or from no browser at all. Browsers say where
 * a request comes from in `Sec-Fetch-Site`, which no page can forge; older ones send `Origin` only. A program without a
 * browser sends neither and carries nobody's cookies. (OWASP CSRF prevention cheat sheet, "Fetch Metadata".)
 *
 * With Shield its token decides as well; this rule alone protects applications without it.
 */
export function comesFromUs(request: HttpRequest, hasToken: boolean): boolean {
  if (SAFE_METHODS.includes(request.method())) return true
  const site = request.header('sec-fetch-site')
  if (site !== undefined) return site === 'same-origin' || site === 'none'
  if (hasToken) return true
  const origin = request.header('origin')
  if (origin === undefined) return true
  try {
    return new URL(origin).host === request.host()
  } catch {
    return false
  }
}
