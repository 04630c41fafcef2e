import type { HttpContext } from '@adonisjs/core/http'
import queue from '#queuedeck/services/main'
import { DocumentStore } from '#services/documents/document_store'
import { AskedProblem, fieldsOf, parametersOf } from '#services/pages/asked'
import { isJobId, jobsById, newestJobs } from '#services/pages/job_states'
import { answerMissing } from '#services/pages/missing'
import {
  documentsToChoose,
  type FormProblem,
  readRunForm,
  RUN_DEFAULTS,
} from '#services/pages/run_form'
import { KIND_WORDS, runPage } from '#services/pages/run_page'
import { ago, counted } from '#services/pages/words'
import { RunIds } from '#services/pipeline/run_ids'
import { runPlan } from '#services/pipeline/run_plan'

/** Runs that the list names. */
const ROWS = 50

/**
 * Runs of chosen documents through the whole pipeline.
 */
export default class PipelinesController {
  async index(ctx: HttpContext) {
    parametersOf(ctx, [])
    const jobs = await newestJobs('taxonomy_processing.generate', 0, ROWS)
    const states = await jobsById(jobs.map(({ id }) => id))
    const rows = jobs.flatMap(({ id, createdAt, payload, result }) => {
      const job = states.get(id)
      /** Others were sent by hand and lead to nothing. */
      if (job === undefined || !job.tags.includes('pipeline')) return []
      const categories = Array.isArray(result?.categories) ? result.categories.length : null
      return [
        {
          id,
          mark: job.status,
          word: job.status,
          depth: typeof payload.depth === 'number' ? payload.depth : null,
          made: categories === null ? null : counted(categories, 'category', 'categories'),
          chunks: typeof result?.chunks === 'number' ? result.chunks.toLocaleString('en') : '–',
          sent: { iso: new Date(createdAt).toISOString(), text: ago(createdAt) },
        },
      ]
    })
    return ctx.view.render('app/pipelines', { rows })
  }

  /** With all documents chosen, or those that were uploaded, none of them, or what certain jobs read. */
  async create(ctx: HttpContext) {
    const { of, sent } = parametersOf(ctx, ['of', 'sent'])
    if (of !== undefined && of !== 'uploads' && of !== 'none') {
      throw new AskedProblem('“of” is uploads or none, or left out for all documents.')
    }
    const jobs = sent === undefined ? null : [sent].flat().flatMap((one) => String(one).split(','))
    const documents = await documentsToChoose()
    const chosen = documents.filter(({ path, job }) => {
      if (jobs !== null) return jobs.includes(job)
      return of === 'uploads' ? path.startsWith('storage/uploads/') : of !== 'none'
    })
    return this.#form(ctx, { ...RUN_DEFAULTS, documents: chosen.map(({ path }) => path) }, [])
  }

  async store(ctx: HttpContext) {
    const { response } = ctx
    const input = fieldsOf(ctx, [...Object.keys(RUN_DEFAULTS), 'documents'])
    const read = await readRunForm(input, new DocumentStore())
    if ('problems' in read) {
      response.status(422)
      return this.#form(ctx, { ...RUN_DEFAULTS, ...input }, read.problems)
    }
    const ids = RunIds.new()
    await queue.dispatchMany(runPlan(ids, read.options))
    return response.redirect().status(303).toPath(`/pipelines/${ids.run}`)
  }

  async show(ctx: HttpContext) {
    const { params, view } = ctx
    parametersOf(ctx, [])
    const run = isJobId(params.id) ? await runPage(params.id) : null
    if (run === null) {
      return answerMissing(ctx, {
        title: 'There is no such run',
        text: 'The address names none, or its jobs were cleaned up.',
        action: { label: 'All runs', url: '/pipelines' },
      })
    }
    return view.render('app/run', { run })
  }

  async #form({ view }: HttpContext, input: Record<string, unknown>, problems: FormProblem[]) {
    const documents = await documentsToChoose()
    const texts = (value: unknown) =>
      typeof value === 'object' ? Object.values(value ?? {}).map(String) : [String(value)]
    const chosen = new Set(texts(input.documents ?? []))
    const kinds = new Set(texts(input.kinds))
    const text = (name: string) => (typeof input[name] === 'string' ? input[name] : '')
    return view.render('app/run_form', {
      problems,
      problemOf: (field: string) => problems.find((problem) => problem.field === field) ?? null,
      documents: documents.map((one) => ({ ...one, on: chosen.has(one.path) })),
      values: Object.fromEntries(
        ['cut', 'size', 'overlap', 'depth', 'threshold'].map((name) => [name, text(name)])
      ),
      kinds: Object.entries(KIND_WORDS).map(([value, label]) => ({
        ...{ value, label },
        on: kinds.has(value),
      })),
      cuts: [
        { value: 'token', label: 'by tokens' },
        { value: 'character', label: 'by characters' },
        { value: 'semantic', label: 'where the topic shifts' },
        { value: 'headings', label: 'at headings' },
      ],
    })
  }
}
