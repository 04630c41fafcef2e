import type { HttpContext } from '@adonisjs/core/http'
import { DocumentProblem } from '#services/documents/document_problem'
import { DocumentStore } from '#services/documents/document_store'
import { extractionPage } from '#services/pages/extraction_page'
import { answerMissing } from '#services/pages/missing'

/**
 * What an extraction took out of the documents, in its text.
 */
export default class ExtractionsController {
  async show(ctx: HttpContext) {
    const { params, request, view } = ctx
    const category = request.input('category')
    const page = Number.parseInt(String(request.input('page')), 10) || 1
    try {
      const extraction = await extractionPage(
        new DocumentStore(),
        params.id,
        typeof category === 'string' ? category.slice(0, 1_000) : '',
        Math.min(page, 100_000)
      )
      return await view.render('app/extraction', { extraction })
    } catch (error) {
      if (!(error instanceof DocumentProblem)) throw error
      return answerMissing(ctx, {
        title: 'This extraction is not kept',
        text: 'The address names none, or it or its taxonomy was removed. A new run makes it again.',
        action: { label: 'All runs', url: '/pipelines' },
      })
    }
  }
}
