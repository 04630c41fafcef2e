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
