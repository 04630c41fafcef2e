import type { HttpContext } from '@adonisjs/core/http'
import { DocumentProblem } from '#services/documents/document_problem'

/** What a page says instead of what was asked for, and where to go from there. */
export type Missing = {
  title: string
  text: string
  action: { label: string; url: string } | null
}

/** Answers with a page that says what is missing, or whatever else is wrong. */
export async function answerMissing(
  { view, response }: HttpContext,
  missing: Missing,
  status = 404
): Promise<string> {
  response.status(status)
  return view.render('app/missing', { missing })
}

/**
 * Answers with what is kept of documents, or says what is missing where the store has none, or has it no more.
 */
export async function answerKept<T>(
  ctx: HttpContext,
  missing: Missing,
  answer: () => Promise<T>
): Promise<T | string> {
  try {
    return await answer()
  } catch (error) {
    if (!(error instanceof DocumentProblem)) throw error
    return answerMissing(ctx, missing)
  }
}

/** Answers who sent more than is taken. */
export function answerTooMuch(ctx: HttpContext): Promise<string> {
  return answerMissing(
    ctx,
    {
      title: 'That is too much at once',
      text: 'Up to 50 MB of files are taken at once. Send fewer, or split the largest.',
      action: { label: 'Back to the documents', url: '/documents' },
    },
    413
  )
}
