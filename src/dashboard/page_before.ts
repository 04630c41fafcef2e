import type { HttpContext } from '@adonisjs/core/http'

/**
 * The page that a form or link stands on, if it is one of ours: an address from outside leads nowhere else.
 */
export function pageBefore({ request }: HttpContext, home: string): string | null {
  try {
    const { host, pathname, search } = new URL(request.header('referer') ?? '')
    const isOurs = host === request.host() && pathname.startsWith(home)
    /** Two slashes in front name another host. */
    return isOurs && !pathname.startsWith('//') ? pathname + search : null
  } catch {
    return null
  }
}
