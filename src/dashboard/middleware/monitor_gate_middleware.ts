import type { HttpContext } from '@adonisjs/core/http'
import type { NextFn } from '@adonisjs/core/types/http'
import { showError } from '../errors.ts'
import { enter } from './enter.ts'

/**
 * In front of monitors: the host let this browser follow one job by rendering the component, and the token proves it. Whoever may
 * see the dashboard needs none.
 */
export default class MonitorGateMiddleware {
  async handle(ctx: HttpContext, next: NextFn): Promise<void> {
    const { dashboard, viewer } = await enter(ctx)
    const { id } = ctx.params
    if (
      !dashboard.monitorTokens.admits(ctx.request.input('token'), id) &&
      !(await viewer.mayView())
    ) {
      return showError(viewer, {
        status: 403,
        code: 'E_FORBIDDEN',
        message: 'You may not follow this job',
      })
    }
    await next()
  }
}
