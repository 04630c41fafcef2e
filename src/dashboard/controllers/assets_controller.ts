import type { HttpContext } from '@adonisjs/core/http'
import { showError } from '../errors.ts'

/**
 * Styles and scripts, kept by browsers for as long as they like: a new content has a new name.
 */
export default class AssetsController {
  async show(ctx: HttpContext) {
    const { params, response, containerResolver } = ctx
    const { assets } = await containerResolver.make('queuedeck.dashboard')
    const asset = assets.find(params.name)
    if (!asset) {
      return showError(ctx.queuedeck, {
        status: 404,
        code: 'E_ROUTE_NOT_FOUND',
        message: 'There is no such file',
      })
    }
    response
      .header('content-type', asset.type)
      .header('cache-control', 'private, max-age=31536000, immutable')
      .header('x-content-type-options', 'nosniff')
    return response.send(asset.body)
  }
}
