import { readFile } from 'node:fs/promises'
import app from '@adonisjs/core/services/app'
import type { HttpContext } from '@adonisjs/core/http'
import Parse from '#jobs/document_processing/parse'
import { DocumentStore, LARGEST_DOCUMENT } from '#services/documents/document_store'
import { EXTENSIONS } from '#services/documents/parsed_document'

const ENDED = ['completed', 'failed', 'cancelled']
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/**
 * The page on which a person drops a document and watches it being read.
 */
export default class UploadsController {
  async create({ view }: HttpContext) {
    return view.render('app/upload', { jobId: null, busy: false, extensions: EXTENSIONS })
  }

  /**
   * Keeps the file and sends it to be read. While the job that the form watches has not ended, nothing is sent again: a form
   * without scripts cannot hold its button back.
   */
  async store({ request, response, session }: HttpContext) {
    const watched = request.input('watched')
    if (typeof watched === 'string' && UUID.test(watched) && (await isBusy(watched))) {
      return response.redirect().status(303).toPath(`/upload/${watched}`)
    }
    const file = request.file('document', {
      size: LARGEST_DOCUMENT,
      extnames: EXTENSIONS.map((extension) => extension.slice(1)),
    })
    if (file === null || !file.isValid || file.tmpPath === undefined) {
      const reason = file?.errors[0]?.message ?? 'Choose a PDF, Markdown or text file first'
      session.flash('uploadError', reason)
      return response.redirect().status(303).toPath('/upload')
    }
    const path = await new DocumentStore().keepUpload(file.clientName, await readFile(file.tmpPath))
    const { jobId } = await Parse.dispatch({
      documents: [path],
      chunk: { strategy: 'token', size: 256, overlap: 32 },
    }).tag('upload')
    return response.redirect().status(303).toPath(`/upload/${jobId}`)
  }

  async show({ view, params, response }: HttpContext) {
    if (!UUID.test(params.id)) return response.redirect().toPath('/upload')
    return view.render('app/upload', {
      jobId: params.id,
      busy: await isBusy(params.id),
      extensions: EXTENSIONS,
    })
  }

  async style({ response }: HttpContext) {
    response.header('cache-control', 'private, max-age=300')
    return response.download(app.makePath('app/assets/upload.css'))
  }

  async icon({ response }: HttpContext) {
    response.header('cache-control', 'private, max-age=300')
    return response.download(app.makePath('resources/assets/icon.svg'))
  }
}

/** A job without a record was dispatched this instant. */
async function isBusy(id: string): Promise<boolean> {
  const { reader } = await app.container.make('queuedeck.records')
  const job = await reader.find(id)
  return job === null || job.stopping || !ENDED.includes(job.status)
}
