import type { HttpContext } from '@adonisjs/core/http'
import { DocumentStore } from '#services/documents/document_store'
import { newestJobs } from '#services/pages/job_states'
import { parametersOf } from '#services/pages/asked'
import { answerKept, type Missing } from '#services/pages/missing'
import { taxonomyPage } from '#services/pages/taxonomy_page'
import { ago, counted } from '#services/pages/words'

/** Jobs that are looked through for taxonomies. */
const JOBS = 100

const MISSING: Missing = {
  title: 'This taxonomy is not kept',
  text: 'The address names none, or it was removed. A new run makes it again.',
  action: { label: 'All taxonomies', url: '/taxonomies' },
}

type Made = {
  taxonomy: string
  chunks: number
  placed: number
  categories: { name: string; depth: number }[]
}

/**
 * The taxonomies that jobs have made, and each as a tree.
 */
export default class TaxonomiesController {
  async index(ctx: HttpContext) {
    parametersOf(ctx, [])
    const jobs = await newestJobs('taxonomy_processing.generate', 0, JOBS)
    const rows = jobs.flatMap(({ id, createdAt, result }) => {
      const made = result as Made | null
      if (made === null || !Array.isArray(made.categories)) return []
      const { taxonomy, chunks, placed, categories } = made
      return [
        {
          job: id,
          url: `/taxonomies/${taxonomy}`,
          names: categories
            .filter(({ depth }) => depth === 1)
            .slice(0, 8)
            .map(({ name }) => name)
            .join(', '),
          categories: counted(categories.length, 'category', 'categories'),
          placed: `${placed.toLocaleString('en')} of ${chunks.toLocaleString('en')}`,
          made: { iso: new Date(createdAt).toISOString(), text: ago(createdAt) },
        },
      ]
    })
    return ctx.view.render('app/taxonomies', { rows })
  }

  async show(ctx: HttpContext) {
    parametersOf(ctx, [])
    return answerKept(ctx, MISSING, async () => {
      const taxonomy = await taxonomyPage(new DocumentStore(), ctx.params.id)
      return ctx.view.render('app/taxonomy', { taxonomy })
    })
  }
}
