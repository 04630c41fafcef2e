import type { HttpContext } from '@adonisjs/core/http'
import type { PageState } from '../presenters/page.ts'

/**
 * Says beside a page, or the region of one alone, how new it is and what a page shows around that region.
 */
export function tellPageState(
  { response }: HttpContext,
  { revision, more, away }: PageState
): void {
  response.header('x-queuedeck-revision', String(revision))
  response.header('x-queuedeck-alerts', String(more.count))
  response.header('x-queuedeck-away', away.map(({ service }) => service).join(' '))
}
