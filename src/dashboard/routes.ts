import type { HttpContext, RouteGroup, Router } from '@adonisjs/core/http'
import type { NextFn } from '@adonisjs/core/types/http'
import app from '@adonisjs/core/services/app'
import { resolveConfig } from '../config.ts'

const gate = lazily(() => import('./middleware/gate_middleware.ts'))
const monitorGate = lazily(() => import('./middleware/monitor_gate_middleware.ts'))
const assetGate = lazily(() => import('./middleware/asset_gate_middleware.ts'))
const DashboardController = () => import('./controllers/dashboard_controller.ts')
const JobsController = () => import('./controllers/jobs_controller.ts')
const JobPartsController = () => import('./controllers/job_parts_controller.ts')
const CancellationsController = () => import('./controllers/cancellations_controller.ts')
const RestartsController = () => import('./controllers/restarts_controller.ts')
const StreamsController = () => import('./controllers/streams_controller.ts')
const MonitorsController = () => import('./controllers/monitors_controller.ts')
const PreferencesController = () => import('./controllers/preferences_controller.ts')
const AssetsController = () => import('./controllers/assets_controller.ts')
const MissingController = () => import('./controllers/missing_controller.ts')

/**
 * Registers the pages, actions and streams below the configured prefix. Put middleware of your own in front of all of them:
 *
 * ```ts
 * queuedeckRoutes(router).use(middleware.auth())
 * ```
 */
export function queuedeckRoutes(router: Router): RouteGroup {
  const { prefix } = resolveConfig(app.config.get('queuedeck', {})).dashboard
  /** Two groups: middleware of the outer one, the host's, runs before our gate. */
  return router.group(() => {
    router.get(`${prefix}/assets/:name`, [AssetsController, 'show']).use([assetGate])

    router
      .group(() => {
        router.get('/monitors/:id', [MonitorsController, 'show'])
        router.get('/monitors/:id/stream', [MonitorsController, 'stream'])
      })
      .prefix(prefix)
      .use([monitorGate])

    router
      .group(() => {
        router.get('/', [DashboardController, 'show'])
        router.get('/jobs', [JobsController, 'index'])
        router.post('/jobs', [JobsController, 'store'])
        router.get('/jobs/:id', [JobsController, 'show'])
        router.get('/jobs/:id/logs', [JobPartsController, 'logs'])
        router.get('/jobs/:id/result', [JobPartsController, 'result'])
        router.get('/jobs/:id/cancel', [CancellationsController, 'create'])
        router.post('/jobs/:id/cancel', [CancellationsController, 'store'])
        router.get('/jobs/:id/restart', [RestartsController, 'create'])
        router.post('/jobs/:id/restart', [RestartsController, 'store'])
        router.get('/stream', [StreamsController, 'show'])
        router.post('/preferences', [PreferencesController, 'store'])
        router.any('/*', [MissingController, 'handle'])
      })
      .prefix(prefix)
      .use([gate])
  })
}

type MiddlewareModule = {
  default: new () => { handle(ctx: HttpContext, next: NextFn): Promise<unknown> }
}

/**
 * Routes take middleware as functions: nothing of the dashboard is loaded before somebody asks for it.
 */
function lazily(load: () => Promise<MiddlewareModule>) {
  return async (ctx: HttpContext, next: NextFn) => {
    const { default: Middleware } = await load()
    return new Middleware().handle(ctx, next)
  }
}
