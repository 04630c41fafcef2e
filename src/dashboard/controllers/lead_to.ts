import type { HttpContext } from '@adonisjs/core/http'
import { FLASH } from '../presenters/page.ts'
import type { Page } from '../presenters/types.ts'

/**
 * Leads whoever sent a form to a page, which says once what became of it. Where the host has no sessions, nothing is said.
 */
export function leadTo(ctx: HttpContext, path: string, flash: NonNullable<Page['flash']>): void {
  const { session } = ctx as { session?: { flash(key: string, value: unknown): void } }
  session?.flash(FLASH, flash)
  ctx.response.redirect().status(303).toPath(path)
}
