import { once } from 'node:events'
import type { HttpContext } from '@adonisjs/core/http'
import type { NextFn } from '@adonisjs/core/types/http'
import { answerTooMuch } from '#services/pages/missing'

/** As in config/bodyparser.ts. */
const LARGEST_BODY = 50 * 1_048_576

/** Whoever sends more may take so long, in ms. */
const PATIENCE = 300_000

/**
 * Answers who sends more than is taken. Browsers read an answer only when everything was sent: without this one they would say that the
 * connection broke. Nothing of it is kept.
 */
export default class OversizeMiddleware {
  async handle(ctx: HttpContext, next: NextFn) {
    const length = Number(ctx.request.header('content-length'))
    if (!(length > LARGEST_BODY)) return next()
    const incoming = ctx.request.request
    incoming.resume()
    /** Who gave up needs no answer. */
    await once(incoming, 'end', { signal: AbortSignal.timeout(PATIENCE) }).catch(() => {})
    return ctx.response.send(await answerTooMuch(ctx))
  }
}
