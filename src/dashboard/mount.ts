import type { Route, Router } from '@adonisjs/core/http'

/** The dashboard's own page by router: hosts may put groups with prefixes around ours at any later moment. */
const homes = new WeakMap<Router, Route<any>>()

export function rememberHome(router: Router, home: Route<any>): void {
  homes.set(router, home)
}

/**
 * Where the routes are mounted, with every prefix around them, as in `/tenants/:tenant/admin/queue`; null when they are not.
 */
export function mountedAt(router: Router): string | null {
  const pattern = homes.get(router)?.toJSON().pattern
  if (pattern === undefined) return null
  return pattern === '/' ? '' : pattern
}

/**
 * The address that a pattern stands for.
 *
 * @throws Error naming the parameter that is not given
 */
export function filled(pattern: string, params: Record<string, unknown>): string {
  return pattern
    .split('/')
    .map((segment) => {
      if (!segment.startsWith(':')) return segment
      const name = segment.slice(1).replace(/\?$/, '')
      const value = params[name]
      if (value !== undefined && value !== null) return encodeURIComponent(String(value))
      throw new Error(
        `The Queuedeck pages are at "${pattern}", and "${name}" is not known on this page: give the monitor "params" with it`
      )
    })
    .join('/')
}
