import { createReadStream } from 'node:fs'
import type { HttpContext } from '@adonisjs/core/http'
import { type Download, datasetDownload } from '#services/datasets/download'
import { DocumentProblem } from '#services/documents/document_problem'
import { DocumentStore } from '#services/documents/document_store'

/**
 * Files of datasets, for whoever may see the upload page.
 */
export default class DatasetsController {
  /** Streams a file as a download. */
  async show({ params, response }: HttpContext) {
    let found: Download
    try {
      found = await datasetDownload(new DocumentStore(), params.id, params.file)
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
