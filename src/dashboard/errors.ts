import { InvalidInputException } from '../errors.ts'
import { tellPageState } from './controllers/page_state.ts'
import { isHtmx, sendJson, wishOf } from './negotiation.ts'
import { pageBefore } from './page_before.ts'
import { framePage, nonceOf } from './presenters/page.ts'
import type { ErrorPage, Page } from './presenters/types.ts'
import { query, type QueryParams } from './urls.ts'
import type { Viewer } from './viewer.ts'

/** Letters that the box for searching takes. */
const LONGEST_SEARCH = 200

type Shown = { status: number; code: string; message: string; field?: string }

const TITLES: Record<number, string> = {
  400: 'This cannot be read',
  403: 'Not for you',
  404: 'Not found',
  405: 'Not in this way',
  409: 'It exists already',
  413: 'Too large',
  415: 'This cannot be read',
  422: 'This cannot be used',
  503: 'Away for the moment',
  504: 'It took too long',
}

/**
 * Answers with an error as page, fragment or JSON. What is not ours to explain is logged and told in general words.
 */
export async function showError(viewer: Viewer, error: unknown): Promise<void> {
  const { ctx, dashboard } = viewer
  const shown = explain(error)
  if (shown.status >= 500 && shown.status !== 503) {
    dashboard.logger.error({ err: error }, 'Queuedeck: a request failed')
  }
  const { status, code, message, field } = shown
  if (wishOf(ctx) === 'json') {
    return sendJson(ctx, { errors: [{ code, message, ...(field ? { field } : {}) }] }, status)
  }
  ctx.response.status(status)
  const bare = status === 403
  const view: ErrorPage = {
    status,
    code,
    title: TITLES[status] ?? 'Something went wrong',
    text: message,
    ...(field ? { field } : {}),
    since: null,
    action: bare ? null : wayOn(viewer, shown),
    bare,
  }
  const page = bare ? await barePage(viewer, view.title) : await errorFrame(viewer, view.title)
  /** An open page keeps what it shows when its refresh fails, and says above it what is away. */
  if (!bare) tellPageState(ctx, page as Page)
  const template = isHtmx(ctx.request) ? 'partials/error_body' : 'pages/error'
  ctx.response.send(await dashboard.views.render(template, { page, error: view }))
}

export function explain(error: unknown): Shown {
  if (!(typeof error === 'object' && error !== null)) return unexpected()
  const { status, code, message } = error as Partial<Shown>
  if (error instanceof InvalidInputException) {
    return {
      status: error.status,
      code: error.code ?? 'E_INVALID_INPUT',
      message: error.message,
      field: error.field,
    }
  }
  const isOurs = typeof code === 'string' && code.startsWith('E_')
  if (isOurs && typeof status === 'number' && (status < 500 || status === 503 || status === 504)) {
    return { status, code, message: message ?? code }
  }
  return unexpected()
}

function unexpected(): Shown {
  return {
    status: 500,
    code: 'E_UNEXPECTED',
    message: 'The request failed; the reason is in the log of the application',
  }
}

/** The list that an address belongs to. */
const LISTS: Record<string, string> = {
  queues: 'All queues',
  schedules: 'All schedules',
  workers: 'All workers',
  alerts: 'All alerts',
  cleanups: 'All cleanups',
  audit: 'The audit',
}

/**
 * Where somebody goes on from here without beginning anew: the same page without the parameter that cannot be used, or the page whose
 * form was refused.
 */
function wayOn({ urls, ctx, dashboard }: Viewer, { status, field }: Shown): ErrorPage['action'] {
  const address = dashboard.addressFor(ctx)
  if (status === 503 || status >= 500) return { label: 'Try again', url: address }
  const isRead = ['GET', 'HEAD'].includes(ctx.request.method())
  if (isRead && field !== undefined && Object.hasOwn(ctx.request.qs(), field)) {
    const { [field]: refused, ...others } = ctx.request.qs() as QueryParams
    return { label: 'Go on without it', url: address.split('?')[0] + query(others) }
  }
  const before = pageBefore(ctx, urls.dashboard())
  /** What a form led to has no address of its own. */
  if (!isRead && before !== null && !before.startsWith(urls.confirmBulk())) {
    return { label: 'Back', url: before }
  }
  const [, list] = address.slice(urls.prefix.length).split(/[/?]/)
  if (Object.hasOwn(LISTS, list)) return { label: LISTS[list], url: `${urls.prefix}/${list}` }
  return { label: 'All jobs', url: urls.jobs() }
}

/**
 * Whoever may not look learns nothing from the frame, and nothing is asked of Redis or the database for them.
 */
async function barePage(viewer: Viewer, title: string): Promise<Partial<Page>> {
  return {
    title,
    kind: 'error',
    theme: viewer.preferences.theme,
    density: viewer.preferences.density,
    assets: await viewer.dashboard.assets.urls(viewer.urls),
    cspNonce: nonceOf(viewer.ctx),
    fragment: false,
  }
}

/** What was searched for stays in its box. */
function errorFrame(viewer: Viewer, title: string): Promise<Page> {
  const { q } = viewer.ctx.request.qs() as { q?: unknown }
  const search = typeof q === 'string' ? q.slice(0, LONGEST_SEARCH) : ''
  return framePage(viewer, { title, kind: 'error', stream: null, search })
}
