import type { HttpContext } from '@adonisjs/core/http'
import type { ChunkSet } from '#services/documents/artifacts'
import { DocumentStore } from '#services/documents/document_store'
import { unitOf } from '#services/documents/chunk_options'
import { pageOf, parametersOf } from '#services/pages/asked'
import { answerKept, type Missing } from '#services/pages/missing'
import { counted, documentName, shortened } from '#services/pages/words'

/** Chunks of one page. */
const ROWS = 40

/** Longest text of a chunk that is shown, in UTF-16 units. */
const LONGEST = 20_000

const MISSING: Missing = {
  title: 'These chunks are not kept',
  text: 'The address names none, or they were removed. Cut the document again to have them back.',
  action: { label: 'All documents', url: '/documents' },
}

/**
 * The chunks that a document was cut into.
 */
export default class ChunksController {
  async show(ctx: HttpContext) {
    const page = pageOf(parametersOf(ctx, ['page']).page)
    return answerKept(ctx, MISSING, async () => {
      const set = await new DocumentStore().kept('chunks', ctx.params.id)
      return ctx.view.render('app/chunks', { set: chunksPage(set, page) })
    })
  }
}

/** One page of a set, the last where there are not so many. */
function chunksPage(set: ChunkSet, asked: number) {
  const last = Math.max(1, Math.ceil(set.chunks.length / ROWS))
  const page = Math.min(last, asked)
  const unit = unitOf(set)
  return {
    name: documentName(set.source),
    count: counted(set.chunks.length, 'chunk'),
    how: `cut by ${set.strategy}, ${counted(set.size, unit)} at most, ${set.overlap} shared`,
    chunks: set.chunks
      .slice((page - 1) * ROWS, page * ROWS)
      .map(({ index, start, end, length, text }) => ({
        ...{ index, start, end },
        length: counted(length, unit),
        text: shortened(text, LONGEST),
      })),
    newer: page > 1 ? page - 1 : null,
    older: page < last ? page + 1 : null,
  }
}
