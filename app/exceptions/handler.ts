import app from '@adonisjs/core/services/app'
import { ExceptionHandler } from '@adonisjs/core/http'
import type { StatusPageRange, StatusPageRenderer } from '@adonisjs/core/types/http'
import { answerMissing, answerTooMuch } from '#services/pages/missing'

const HOME = { label: 'All documents', url: '/documents' }

/**
 * What goes wrong in the application's pages, told as a page that says what to do. The job pages tell theirs themselves.
 */
export default class HttpExceptionHandler extends ExceptionHandler {
  protected debug = !app.inProduction
  protected renderStatusPages = true

  protected statusPages: Record<StatusPageRange, StatusPageRenderer> = {
    '404': (_error, ctx) =>
      answerMissing(ctx, {
        title: 'There is no such page',
        text: 'The address is none of this application. Begin with the documents, or with the jobs.',
        action: HOME,
      }),
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
}
