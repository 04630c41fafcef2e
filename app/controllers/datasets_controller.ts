import { createReadStream } from 'node:fs'
import type { HttpContext } from '@adonisjs/core/http'
import Convert from '#jobs/dataset_generation/convert'
import Validate from '#jobs/dataset_generation/validate'
import { FORMATS } from '#services/datasets/dataset_reader'
import { type Download, datasetDownload } from '#services/datasets/download'
import { DocumentProblem } from '#services/documents/document_problem'
import { DocumentStore } from '#services/documents/document_store'
import { AskedProblem, fieldsOf, parametersOf } from '#services/pages/asked'
import { datasetPage } from '#services/pages/dataset_page'
import { datasetShelf } from '#services/pages/dataset_shelf'
import { isJobId, isOpen, jobsById } from '#services/pages/job_states'
import { answerKept, answerMissing, type Missing } from '#services/pages/missing'
import { ago, counted } from '#services/pages/words'

const MISSING: Missing = {
  title: 'This dataset is not kept',
  text: 'The address names none, or it was removed. A new run makes it again.',
  action: { label: 'All datasets', url: '/datasets' },
}

/**
 * Datasets and their files, for whoever may see the page of documents.
 */
export default class DatasetsController {
  constructor(private store: DocumentStore = new DocumentStore()) {}

  async index(ctx: HttpContext) {
    parametersOf(ctx, [])
    const shelf = await datasetShelf(this.store)
    /** Those made of other datasets are their other formats: they stand on their pages. */
    const rows = shelf
      .filter(({ dataset }) => !('dataset' in dataset.from))
      .map(({ id, at, version, dataset }) => ({
        url: `/datasets/${id}`,
        name: dataset.name,
        id,
        version: version === null ? '–' : String(version),
        kind: dataset.kind.replace('_', ' and '),
        examples: dataset.examples.toLocaleString('en'),
        splits: dataset.files.map(({ split, examples }) => `${split} ${examples}`).join(', '),
        made: { iso: new Date(at).toISOString(), text: ago(at) },
      }))
    return ctx.view.render('app/datasets', { rows, count: counted(rows.length, 'dataset') })
  }

  async preview(ctx: HttpContext) {
    const { params, view } = ctx
    const { job } = parametersOf(ctx, ['job'])
    if (job !== undefined && !isJobId(job)) throw new AskedProblem('“job” is the id of one job.')
    return answerKept(ctx, MISSING, async () => {
      const dataset = await datasetPage(this.store, params.id)
      const watched = job ?? null
      const state = watched === null ? undefined : (await jobsById([watched])).get(watched)
      const busy = watched !== null && (state === undefined || isOpen(state))
      return view.render('app/dataset', { dataset, watched, busy })
    })
  }

  /** Sends a job that writes the dataset in another format. */
  async convert(ctx: HttpContext) {
    const asked = fieldsOf(ctx, ['format']).format
    const format = FORMATS.find((one) => one === asked)
    if (format === undefined) {
      return answerMissing(
        ctx,
        {
          title: 'There is no such format',
          text: `A dataset can be had as ${FORMATS.join(', ')}.`,
          action: { label: 'All datasets', url: '/datasets' },
        },
        422
      )
    }
    return this.#send(ctx, (dataset) => Convert.dispatch({ dataset, format }))
  }

  /** Sends a job that checks the dataset. */
  async check(ctx: HttpContext) {
    fieldsOf(ctx, [])
    return this.#send(ctx, (dataset) => Validate.dispatch({ dataset }))
  }

  async #send(
    ctx: HttpContext,
    dispatch: (dataset: string) => PromiseLike<{ jobId: string }>
  ): Promise<unknown> {
    const { id } = ctx.params
    return answerKept(ctx, MISSING, async () => {
      await this.store.kept('datasets', id)
      const { jobId } = await dispatch(id)
      return ctx.response.redirect().status(303).toPath(`/datasets/${id}?job=${jobId}`)
    })
  }

  /** Streams a file as a download. */
  async show(ctx: HttpContext) {
    const { params, response } = ctx
    parametersOf(ctx, [])
    let found: Download
    try {
      found = await datasetDownload(this.store, params.id, params.file)
    } catch (error) {
      if (!(error instanceof DocumentProblem)) throw error
      return response.notFound(`Not found: ${error.message}`)
    }
    response.header('content-type', found.type)
    response.header('content-length', found.bytes)
    response.header('content-disposition', `attachment; filename="${found.name}"`)
    response.header('x-content-type-options', 'nosniff')
    response.header('cache-control', 'private, no-cache')
    return response.stream(createReadStream(found.path))
  }
}
