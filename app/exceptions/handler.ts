import app from '@adonisjs/core/services/app'
import { ExceptionHandler, type HttpContext } from '@adonisjs/core/http'
import type { HttpError, StatusPageRange, StatusPageRenderer } from '@adonisjs/core/types/http'
import { DEEPEST_PAYLOAD } from '#queuedeck'
import { AskedProblem } from '#services/pages/asked'
import { answerMissing, answerTooMuch } from '#services/pages/missing'

const HOME = { label: 'All documents', url: '/documents' }

/** Errors of those who read requests have no code. */
const CODES: Record<number, string> = {
  400: 'E_UNREADABLE_BODY',
  422: 'E_UNREADABLE_BODY',
}

/** The reader of JSON goes down with it, level by level; payloads of jobs end at this many. */
const TOO_DEEP = `The JSON is nested too deep: ${DEEPEST_PAYLOAD} levels are the most`

const UNEXPECTED: Pick<HttpError, 'code' | 'message'> = {
  code: 'E_UNEXPECTED',
  message: 'The request failed; the reason is in the log of the application',
}

/**
 * What goes wrong in the application's pages, told as a page that says what to do. The job pages tell theirs themselves.
 */
export default class HttpExceptionHandler extends ExceptionHandler {
  protected debug = !app.inProduction
  protected renderStatusPages = true

  protected statusPages: Record<StatusPageRange, StatusPageRenderer> = {
    '400': (_error, ctx) =>
      answerMissing(
        ctx,
        {
          title: 'This request cannot be read',
          text: 'It was cut on its way, or is not what it says it is. Load the page again and send it once more.',
          action: HOME,
        },
        400
      ),
    '404': (_error, ctx) =>
      answerMissing(ctx, {
        title: 'There is no such page',
        text: 'The address is none of this application. Begin with the documents, or with the jobs.',
        action: HOME,
      }),
    '422': (error, ctx) =>
      answerMissing(
        ctx,
        {
          title: 'This cannot be used',
          text:
            error instanceof AskedProblem
              ? error.message
              : 'What was sent is not what it says it is. Load the page again and send it once more.',
          action: HOME,
        },
        422
      ),
    '413': (_error, ctx) => answerTooMuch(ctx),
    '503': (_error, ctx) =>
      answerMissing(
        ctx,
        {
          title: 'The records do not answer',
          text: 'The database or Redis is away. Jobs go on as soon as it is back; try again then.',
          action: HOME,
        },
        503
      ),
  }

  /**
   * Programs get every error in one form, the job pages' form. Some errors know how to answer by themselves, but only browsers: what
   * lacks the token is sent home, where a program would take the page it finds for success.
   */
  async handle(thrown: unknown, ctx: HttpContext) {
    if (ctx.request.accepts(['html', 'json']) !== 'json') {
      await super.handle(thrown, ctx)
      return withoutInput(ctx)
    }
    const error = this.toHttpError(thrown)
    const { code, message } = error.status < 500 ? readable(error) : UNEXPECTED
    const errors = [{ code: code ?? CODES[error.status] ?? 'E_REFUSED', message }]
    ctx.response.status(error.status).send({ errors })
  }
}

function readable(error: HttpError): Pick<HttpError, 'code' | 'message'> {
  const isTooDeep = error instanceof RangeError && /call stack/i.test(error.message)
  return isTooDeep ? { message: TOO_DEEP } : error
}

/**
 * What leads back to a form keeps what was in it in the session, beside the reason. The session is a cookie, and browsers drop one of over
 * 4 KB, which a hundred chosen documents fill: the reason would be lost. No form here asks for its old input.
 */
function withoutInput({ session }: HttpContext): void {
  session?.responseFlashMessages.unset('input')
}
