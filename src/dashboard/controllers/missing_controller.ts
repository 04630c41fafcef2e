import type { HttpContext } from '@adonisjs/core/http'
import { showError } from '../errors.ts'

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']

/**
 * Every other address below the prefix, and other methods of those that there are, so that our gate answers there too.
 */
export default class MissingController {
  async handle(ctx: HttpContext) {
    const path = ctx.request.url().slice(0, 200)
    const methods = await this.#methodsOf(ctx)
    if (methods.length === 0) {
      return showError(ctx.queuedeck, {
        status: 404,
        code: 'E_ROUTE_NOT_FOUND',
        message: `There is nothing at ${path}`,
      })
    }
    const allowed = methods.join(', ')
    ctx.response.header('allow', allowed)
    await showError(ctx.queuedeck, {
      status: 405,
      code: 'E_METHOD_NOT_ALLOWED',
      message: `${path} does not take ${ctx.request.method()}: use ${allowed}`,
    })
  }

  async #methodsOf({ request, containerResolver }: HttpContext): Promise<string[]> {
    const router = await containerResolver.make('router')
    const host = router.usingDomains ? (request.hostname() ?? undefined) : undefined
    return METHODS.filter((method) => {
      const found = router.match(request.url(), method, false, host)
      return found !== null && !found.route.pattern.endsWith('/*')
    })
  }
}
