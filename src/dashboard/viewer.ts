import type { HttpContext } from '@adonisjs/core/http'
import type { Actor, JobView } from '../types.ts'
import type { Dashboard } from './dashboard.ts'
import { Clock } from './presenters/format.ts'
import type { RowContext, RowFacts } from './presenters/job_row.ts'
import type { DashboardUrls } from './urls.ts'

declare module '@adonisjs/core/http' {
  interface HttpContext {
    /** Set by the gate of Queuedeck's own routes. */
    queuedeck: Viewer
  }
}

export const PREFERENCES_COOKIE = 'queuedeck'

export const THEMES = ['auto', 'light', 'dark'] as const
export const DENSITIES = ['compact', 'comfortable'] as const

export type Preferences = {
  theme: (typeof THEMES)[number]
  density: (typeof DENSITIES)[number]
  /** IANA zone; null while no script has told it. */
  zone: string | null
}

/**
 * Who looks, at one request: preferences, rights, and addresses as they see them.
 */
export class Viewer {
  readonly preferences: Preferences
  readonly clock: Clock
  readonly urls: DashboardUrls

  /** What the application answered at this request, by the queue and user it was asked about. */
  #manage = new Map<string, Promise<boolean>>()

  constructor(
    readonly dashboard: Dashboard,
    readonly ctx: HttpContext
  ) {
    this.urls = dashboard.urlsFor(ctx)
    this.preferences = readPreferences(ctx)
    this.clock = new Clock(this.preferences.zone ?? 'UTC')
  }

  mayView(): Promise<boolean> {
    return this.dashboard.gate.mayView(this.ctx)
  }

  /** Whether this viewer may act at all, or on one job. */
  mayManage(target?: Pick<JobView, 'queue' | 'user'>): Promise<boolean> {
    const asked = target && { queue: target.queue, user: target.user }
    const key = JSON.stringify(asked ?? null)
    const answer = this.#manage.get(key) ?? this.dashboard.gate.mayManage(this.ctx, asked)
    this.#manage.set(key, answer)
    return answer
  }

  actor(): Promise<Actor> {
    return this.dashboard.gate.actor(this.ctx)
  }

  /**
   * Ids of the jobs that this viewer may act on.
   */
  async manageable(jobs: JobView[]): Promise<ReadonlySet<string>> {
    const allowed = await Promise.all(
      jobs.map(async (job) => ((await this.mayManage(job)) ? job.id : null))
    )
    return new Set(allowed.filter((id) => id !== null))
  }

  /**
   * What rows of these jobs need beside the jobs.
   */
  async rowContext(jobs: JobView[]): Promise<RowContext> {
    const [facts, manageable] = await Promise.all([
      this.dashboard.rowFacts(jobs),
      this.manageable(jobs),
    ])
    return this.rowContextOf(facts, manageable, this.clock)
  }

  rowContextOf(facts: RowFacts, manageable: ReadonlySet<string>, clock: Clock): RowContext {
    return { ...facts, urls: this.urls, clock, mayManage: ({ id }) => manageable.has(id) }
  }
}

/**
 * Preferences are a plain cookie that holds nothing secret: whatever does not fit is left out.
 */
function readPreferences({ request }: HttpContext): Preferences {
  const [theme, density, zone] = String(
    request.plainCookie(PREFERENCES_COOKIE, { encoded: false }) ?? ''
  ).split('|')
  return {
    theme: THEMES.find((name) => name === theme) ?? 'auto',
    density: DENSITIES.find((name) => name === density) ?? 'compact',
    zone: zone && zone.length < 64 && Clock.knows(zone) ? zone : null,
  }
}

export function writePreferences({ theme, density, zone }: Preferences): string {
  return [theme, density, zone ?? ''].join('|')
}
