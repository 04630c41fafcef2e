import type { HttpContext } from '@adonisjs/core/http'

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
