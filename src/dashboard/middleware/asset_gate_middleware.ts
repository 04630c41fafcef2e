import type { HttpContext } from '@adonisjs/core/http'
import type { NextFn } from '@adonisjs/core/types/http'
import GateMiddleware from './gate_middleware.ts'

/**
 * Files of pages hold nothing about jobs, and pages of the host with a monitor need them, as does the page that refuses somebody:
 * whoever knows the exact name, with the hash of its content, gets it. Any other name meets the gate.
 */
export default class AssetGateMiddleware {
  async handle(ctx: HttpContext, next: NextFn): Promise<void> {
    const { assets } = await ctx.containerResolver.make('queuedeck.dashboard')
    await assets.load()
    if (assets.find(ctx.params.name)) return next()
    return new GateMiddleware().handle(ctx, next)
  }
}
