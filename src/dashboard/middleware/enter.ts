import type { HttpContext } from '@adonisjs/core/http'
import type { Dashboard } from '../dashboard.ts'
import { forbidStoring } from '../negotiation.ts'
import { Viewer } from '../viewer.ts'

/**
 * What every gate begins with: who asks, and that no answer is kept or taken for something else.
 */
export async function enter(ctx: HttpContext): Promise<{ dashboard: Dashboard; viewer: Viewer }> {
  const dashboard = await ctx.containerResolver.make('queuedeck.dashboard')
  const viewer = new Viewer(dashboard, ctx)
  ctx.queuedeck = viewer
  forbidStoring(ctx)
  ctx.response.header('x-content-type-options', 'nosniff')
  /** Our scripts tell by it what is ours from a page to which a host leads those who have to log in. */
  ctx.response.header('x-queuedeck', 'true')
  return { dashboard, viewer }
}
