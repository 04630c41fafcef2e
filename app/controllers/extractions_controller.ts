import type { HttpContext } from '@adonisjs/core/http'
import { DocumentStore } from '#services/documents/document_store'
import { AskedProblem, pageOf, parametersOf } from '#services/pages/asked'
import { extractionPage } from '#services/pages/extraction_page'
import { answerKept, type Missing } from '#services/pages/missing'

const MISSING: Missing = {
  title: 'This extraction is not kept',
  text: 'The address names none, or it or its taxonomy was removed. A new run makes it again.',
  action: { label: 'All runs', url: '/pipelines' },
}

/**
 * What an extraction took out of the documents, in its text.
 */
export default class ExtractionsController {
  async show(ctx: HttpContext) {
    const { params, view } = ctx
    const { category, ...asked } = parametersOf(ctx, ['category', 'page'])
    const page = pageOf(asked.page)
    if (category !== undefined && typeof category !== 'string') {
      throw new AskedProblem('“category” is one category.')
    }
    return answerKept(ctx, MISSING, async () => {
      const extraction = await extractionPage(
        new DocumentStore(),
        params.id,
        category?.slice(0, 1_000) ?? '',
        Math.min(page, 100_000)
      )
      return view.render('app/extraction', { extraction })
    })
  }
}
