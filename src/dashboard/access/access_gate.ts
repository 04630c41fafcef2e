import type { HttpContext } from '@adonisjs/core/http'
import type { Logger } from '@adonisjs/core/logger'
import type { AccessCallbacks, Actor } from '../../types.ts'

/**
 * What the gate says about a viewer. `closed`: the application has not said who may look, or its callback threw.
 */
export type Verdict = 'yes' | 'no' | 'closed'

/**
 * Decides who may look and act. Without callbacks everything is open in development and closed everywhere else; an
 * application whose environment is not known counts as not in development.
 */
export class AccessGate {
  #access: AccessCallbacks
  #development: boolean
  #logger: Logger

  constructor(access: AccessCallbacks, environment: string | undefined, logger: Logger) {
    this.#access = access
    this.#development = environment === 'development'
    this.#logger = logger
  }

  /**
   * What has to be said when the application starts; null when all is well.
   */
  get warning(): string | null {
    const missing = (['view', 'manage'] as const).filter((name) => !this.#access[name])
    if (missing.length === 0 || this.#development) return null
    const names = missing.map((name) => `dashboard.access.${name}`).join(' and ')
    return missing.includes('view')
      ? `The Queuedeck pages are closed: config/queuedeck.ts has no ${names}, and NODE_ENV is not "development"`
      : `Nobody may cancel, restart or create jobs on the Queuedeck pages: config/queuedeck.ts has no ${names}`
  }

  async view(ctx: HttpContext): Promise<Verdict> {
    return this.#ask('view', () => this.#access.view?.(ctx))
  }

  async mayView(ctx: HttpContext): Promise<boolean> {
    return (await this.view(ctx)) === 'yes'
  }

  /**
   * @param target the job to act on; none: whether this viewer may act at all
   */
  async mayManage(
    ctx: HttpContext,
    target?: { queue: string; user: string | null }
  ): Promise<boolean> {
    return (await this.#ask('manage', () => this.#access.manage?.(ctx, target))) === 'yes'
  }

  /**
   * Who acts: as the application says, else the signed-in user, else the address.
   */
  async actor(ctx: HttpContext): Promise<Actor> {
    const { request } = ctx
    /** The scripts of our pages ask for JSON as programs do, and say that they are ours. */
    const isPage = request.header('x-queuedeck-page') !== undefined
    const via = !isPage && request.accepts(['html', 'json']) === 'json' ? 'api' : 'page'
    try {
      const named = await this.#access.actor?.(ctx)
      if (named)
        return { id: String(named.id), ...(named.name ? { name: String(named.name) } : {}), via }
    } catch (error) {
      this.#logger.error({ err: error }, 'dashboard.access.actor of config/queuedeck.ts threw')
    }
    const user = (ctx as { auth?: { user?: Record<string, unknown> } }).auth?.user
    if (user?.id !== undefined && user.id !== null) {
      const name = user.fullName ?? user.name ?? user.email
      return { id: String(user.id), ...(typeof name === 'string' && name ? { name } : {}), via }
    }
    return { id: request.ip(), via }
  }

  async #ask(
    name: 'view' | 'manage',
    callback: () => boolean | Promise<boolean> | undefined
  ): Promise<Verdict> {
    if (!this.#access[name]) return this.#development ? 'yes' : 'closed'
    try {
      // Only `true` opens: a promise forgotten by the callback or an object would be truthy.
      return (await callback()) === true ? 'yes' : 'no'
    } catch (error) {
      this.#logger.error(
        { err: error },
        `dashboard.access.${name} of config/queuedeck.ts threw, which counts as no`
      )
      return 'closed'
    }
  }
}
