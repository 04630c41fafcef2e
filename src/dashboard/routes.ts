import type { HttpContext, RouteGroup, Router } from '@adonisjs/core/http'
import type { NextFn } from '@adonisjs/core/types/http'
import app from '@adonisjs/core/services/app'
import { resolveConfig } from '../config.ts'
import { showError } from './errors.ts'
import { rememberHome } from './mount.ts'

const gate = lazily(() => import('./middleware/gate_middleware.ts'))
const monitorGate = lazily(() => import('./middleware/monitor_gate_middleware.ts'))
const assetGate = lazily(() => import('./middleware/asset_gate_middleware.ts'))
const DashboardController = () => import('./controllers/dashboard_controller.ts')
const JobsController = () => import('./controllers/jobs_controller.ts')
const JobPartsController = () => import('./controllers/job_parts_controller.ts')
const CancellationsController = () => import('./controllers/cancellations_controller.ts')
const RestartsController = () => import('./controllers/restarts_controller.ts')
const RunsAgainController = () => import('./controllers/runs_again_controller.ts')
const DeletionsController = () => import('./controllers/deletions_controller.ts')
const PrioritiesController = () => import('./controllers/priorities_controller.ts')
const WorkersController = () => import('./controllers/workers_controller.ts')
const QueuesController = () => import('./controllers/queues_controller.ts')
const QueuePausesController = () => import('./controllers/queue_pauses_controller.ts')
const QueueDrainsController = () => import('./controllers/queue_drains_controller.ts')
const QueueLimitsController = () => import('./controllers/queue_limits_controller.ts')
const MetricsController = () => import('./controllers/metrics_controller.ts')
const AlertsController = () => import('./controllers/alerts_controller.ts')
const AlertMutesController = () => import('./controllers/alert_mutes_controller.ts')
const CleanupsController = () => import('./controllers/cleanups_controller.ts')
const AuditController = () => import('./controllers/audit_controller.ts')
const BulkController = () => import('./controllers/bulk_controller.ts')
const SchedulesController = () => import('./controllers/schedules_controller.ts')
const ScheduleChangesController = () => import('./controllers/schedule_changes_controller.ts')
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
    router.get(`${prefix}/assets/:name`, answer(AssetsController, 'show')).use([assetGate])

    router
      .group(() => {
        router.get('/monitors/:id', answer(MonitorsController, 'show'))
        router.get('/monitors/:id/stream', answer(MonitorsController, 'stream'))
      })
      .prefix(prefix)
      .use([monitorGate])

    router
      .group(() => {
        rememberHome(router, router.get('/', answer(DashboardController, 'show')))
        router.get('/jobs', answer(JobsController, 'index'))
        router.post('/jobs', answer(JobsController, 'store'))
        router.get('/jobs/:id', answer(JobsController, 'show'))
        router.get('/jobs/:id/logs', answer(JobPartsController, 'logs'))
        router.get('/jobs/:id/result', answer(JobPartsController, 'result'))
        router.get('/jobs/:id/cancel', answer(CancellationsController, 'create'))
        router.post('/jobs/:id/cancel', answer(CancellationsController, 'store'))
        router.get('/jobs/:id/restart', answer(RestartsController, 'create'))
        router.post('/jobs/:id/restart', answer(RestartsController, 'store'))
        router.get('/jobs/:id/run-again', answer(RunsAgainController, 'create'))
        router.post('/jobs/:id/run-again', answer(RunsAgainController, 'store'))
        router.get('/jobs/:id/edit-and-run', answer(RunsAgainController, 'edit'))
        router.patch('/jobs/:id', answer(PrioritiesController, 'store'))
        router.get('/jobs/:id/priority', answer(PrioritiesController, 'create'))
        router.post('/jobs/:id/priority', answer(PrioritiesController, 'store'))
        router.delete('/jobs/:id', answer(DeletionsController, 'store'))
        router.get('/jobs/:id/delete', answer(DeletionsController, 'create'))
        router.post('/jobs/:id/delete', answer(DeletionsController, 'store'))
        router.get('/workers', answer(WorkersController, 'index'))
        router.get('/workers/:id', answer(WorkersController, 'show'))
        router.get('/workers/:id/stop', answer(WorkersController, 'confirmStop'))
        router.post('/workers/:id/quiet', answer(WorkersController, 'quiet'))
        router.post('/workers/:id/resume', answer(WorkersController, 'resume'))
        router.post('/workers/:id/stop', answer(WorkersController, 'stop'))
        router.get('/queues', answer(QueuesController, 'index'))
        router.get('/queues/:name', answer(QueuesController, 'show'))
        router.put('/queues/:name/pause', answer(QueuePausesController, 'store'))
        router.delete('/queues/:name/pause', answer(QueuePausesController, 'destroy'))
        router.get('/queues/:name/drain', answer(QueueDrainsController, 'create'))
        router.post('/queues/:name/drain', answer(QueueDrainsController, 'store'))
        router.put('/queues/:name/limits', answer(QueueLimitsController, 'update'))
        /** Forms know only POST, and not every host spoofs methods. */
        router.post('/queues/:name/pause', answer(QueuePausesController, 'store'))
        router.post('/queues/:name/resume', answer(QueuePausesController, 'destroy'))
        router.post('/queues/:name/limits', answer(QueueLimitsController, 'update'))
        router.get('/metrics', answer(MetricsController, 'index'))
        router.get('/cleanups', answer(CleanupsController, 'index'))
        router.post('/cleanups', answer(CleanupsController, 'store'))
        router.get('/audit', answer(AuditController, 'index'))
        router.post('/bulk', answer(BulkController, 'store'))
        router.post('/bulk/confirm', answer(BulkController, 'confirm'))
        router.get('/bulk/:id', answer(BulkController, 'show'))
        router.delete('/bulk/:id', answer(BulkController, 'destroy'))
        router.post('/bulk/:id/stop', answer(BulkController, 'destroy'))
        router.get('/alerts', answer(AlertsController, 'index'))
        router.post('/alerts/mutes', answer(AlertMutesController, 'store'))
        router.delete('/alerts/mutes', answer(AlertMutesController, 'destroy'))
        router.post('/alerts/unmute', answer(AlertMutesController, 'destroy'))
        router.post('/alerts/:id/acknowledge', answer(AlertsController, 'acknowledge'))
        router.get('/schedules', answer(SchedulesController, 'index'))
        router.post('/schedules', answer(ScheduleChangesController, 'store'))
        router.get('/schedules/new', answer(ScheduleChangesController, 'create'))
        router.get('/schedules/preview', answer(SchedulesController, 'preview'))
        router.get('/schedules/:id', answer(SchedulesController, 'show'))
        router.patch('/schedules/:id', answer(ScheduleChangesController, 'update'))
        router.delete('/schedules/:id', answer(ScheduleChangesController, 'destroy'))
        router.get('/schedules/:id/edit', answer(ScheduleChangesController, 'edit'))
        router.post('/schedules/:id/edit', answer(ScheduleChangesController, 'update'))
        router.get('/schedules/:id/delete', answer(ScheduleChangesController, 'confirmDelete'))
        router.post('/schedules/:id/delete', answer(ScheduleChangesController, 'destroy'))
        router.post('/schedules/:id/run', answer(ScheduleChangesController, 'run'))
        router.post('/schedules/:id/pause', answer(ScheduleChangesController, 'pause'))
        router.post('/schedules/:id/resume', answer(ScheduleChangesController, 'resume'))
        router.get('/stream', answer(StreamsController, 'show'))
        router.post('/preferences', answer(PreferencesController, 'store'))
        router.any('/*', answer(MissingController, 'handle'))
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
  let loaded: Promise<MiddlewareModule> | undefined
  return async (ctx: HttpContext, next: NextFn) => {
    const { default: Middleware } = await (loaded ??= load())
    return new Middleware().handle(ctx, next)
  }
}

type ControllerModule<Method extends string> = {
  default: new () => Record<Method, (ctx: HttpContext) => Promise<unknown>>
}

/**
 * Errors are caught here and not in the gate: the framework hands them to the host's handler before middleware sees them, and a
 * page of ours is to look like one, a JSON answer to have our form.
 */
function answer<Method extends string>(
  load: () => Promise<ControllerModule<Method>>,
  method: Method
) {
  let loaded: Promise<ControllerModule<Method>> | undefined
  return async (ctx: HttpContext) => {
    const { default: Controller } = await (loaded ??= load())
    try {
      return await new Controller()[method](ctx)
    } catch (error) {
      await showError(ctx.queuedeck, error)
    }
  }
}
