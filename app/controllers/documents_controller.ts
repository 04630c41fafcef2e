import { readFile } from 'node:fs/promises'
import type { HttpContext } from '@adonisjs/core/http'
import Parse from '#jobs/document_processing/parse'
import { DocumentStore } from '#services/documents/document_store'
import { EXTENSIONS } from '#services/documents/parsed_document'
import { AskedProblem, fieldsOf, pageOf, parametersOf } from '#services/pages/asked'
import { documentsPage } from '#services/pages/documents_page'
import { isJobId, isOpen, jobsById, jobsJustSent } from '#services/pages/job_states'
import { MOST_UPLOADS, refusalsOf, UPLOAD_RULES } from '#services/pages/uploads'

/**
 * The page on which a person drops documents, watches each of them being read, and sees those that are there.
 */
export default class DocumentsController {
  async index(ctx: HttpContext) {
    const asked = parametersOf(ctx, ['sent', 'page'])
    const page = pageOf(asked.page)
    const sent = readIds(asked.sent) ?? []
    if (sent.length === 0 && asked.sent !== undefined && asked.sent !== '') {
      throw new AskedProblem(
        `“sent” names up to ${MOST_UPLOADS} jobs by their ids, with commas between them.`
      )
    }
    const jobs = await jobsJustSent(sent)
    const busy = sent.some((id) => {
      const job = jobs.get(id)
      return job === undefined || isOpen(job)
    })
    const list = await documentsPage(page)
    return ctx.view.render('app/documents', {
      ...{ sent, busy, list },
      most: MOST_UPLOADS,
      extensions: EXTENSIONS,
    })
  }

  /**
   * Keeps the files and sends each to be read by a job of its own; those that cannot be read are told. While a job that the form watches
   * has not ended, nothing is sent again: a form without scripts cannot hold its button back.
   */
  async store(ctx: HttpContext) {
    const { request, response, session } = ctx
    const { watched } = fieldsOf(ctx, ['watched', 'document'])
    const seeOther = (ids: string[]) =>
      response
        .redirect()
        .status(303)
        .toPath(ids.length > 0 ? `/documents?sent=${ids.join(',')}` : '/documents')
    const before = readIds(watched) ?? []
    const jobs = await jobsById(before)
    if ([...jobs.values()].some(isOpen)) return seeOther(before)

    const { sound, refusals } = refusalsOf(request.files('document', UPLOAD_RULES))
    if (refusals.length > 0) session.flash('refusals', refusals)
    const store = new DocumentStore()
    const ids: string[] = []
    for (const { clientName, tmpPath } of sound) {
      const path = await store.keepUpload(clientName, await readFile(tmpPath!))
      const { jobId } = await Parse.dispatch({
        documents: [path],
        chunk: { strategy: 'token', size: 256, overlap: 32 },
      }).tag('upload')
      ids.push(jobId)
    }
    return seeOther(ids)
  }
}

/** The ids of an address or a form, which may come as a list or with commas; null where they are none, or too many. */
function readIds(value: unknown): string[] | null {
  const ids = [...new Set([value ?? []].flat().flatMap((one) => String(one).split(',')))]
  return ids.length > 0 && ids.length <= MOST_UPLOADS && ids.every(isJobId) ? ids : null
}
