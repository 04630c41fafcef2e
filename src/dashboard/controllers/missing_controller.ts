import type { HttpContext } from '@adonisjs/core/http'
import { showError } from '../errors.ts'

/**
 * Every other address below the prefix, so that our gate answers there too.
 */
export default class MissingController {
  async handle(ctx: HttpContext) {
    await showError(ctx.queuedeck, {
      status: 404,
      code: 'E_ROUTE_NOT_FOUND',
      message: `There is nothing at ${ctx.request.url().slice(0, 200)}`,
    })
  }
}
