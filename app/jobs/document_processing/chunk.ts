import vine from '@vinejs/vine'
import { Job, type JobOptions } from '#queuedeck'
import { DocumentProblem } from '#services/documents/document_problem'
import { DocumentStore } from '#services/documents/document_store'
import type { Chunk as Piece } from '#services/documents/chunks'
import { eachItem } from '#services/documents/each_item'
import type { Warning } from '#services/documents/parsed_document'
import { belowSize } from '#validators/below_size'

type Payload = {
  /** Ids of parsed documents, as the result of `document_processing.parse` names them. */
  documents?: string[]
  /** A text of one's own, instead of or beside parsed documents. */
  text?: string
  strategy: 'token' | 'character'
  size: number
  overlap: number
}

type Result = {
  documents: { source: string; chunked: string; chunks: number; longest: number }[]
  chunks: number
  /** All chunks when they are few; `chunked` names the file with all of them. */
  pieces?: Piece[]
  warnings: Warning[]
}

/** Chunks that the result itself holds. */
const FEW = 200

/**
 * Cuts parsed documents into overlapping chunks of tokens (cl100k_base) or characters (grapheme clusters).
 */
export default class Chunk extends Job<Payload, Result> {
  static options: JobOptions = {
    name: 'document_processing.chunk',
    queue: 'documents',
    attempts: 2,
    timeout: '1h',
  }

  static payload = vine.create({
    documents: vine
      .array(vine.string().regex(/^[0-9a-f]{64}$/))
      .minLength(1)
      .maxLength(10_000)
      .optional()
      .requiredIfMissing('text'),
    text: vine.string().maxLength(1_000_000).optional(),
    strategy: vine.enum(['token', 'character'] as const),
    size: vine.number({ strict: true }).withoutDecimals().min(1).max(1_000_000),
    overlap: vine.number({ strict: true }).withoutDecimals().min(0).use(belowSize()),
  })

  constructor(private store: DocumentStore = new DocumentStore()) {
    super()
  }

  async execute(): Promise<Result> {
    const { documents = [], text, ...options } = this.payload
    const items = [...documents, ...(text === undefined ? [] : [null])]
    const total = items.length
    /** Its table of tokens takes a tenth of a second to read: only processes that cut documents need it. */
    const { chunksOf } = await import('#services/documents/chunks')
    const { outputs, warnings } = await eachItem(items, {
      signal: this.signal,
      name: (id) => id ?? 'text',
      warn: ({ source, code, message }) => this.log.warn('%s: %s (%s)', source, message, code),
      work: async (id, index) => {
        await this.progress((index / total) * 99, {
          stage: options.strategy === 'token' ? 'Cutting by tokens' : 'Cutting by characters',
          done: index,
          total,
          unit: 'documents',
        })
        const document =
          id === null ? { source: 'text', text: text! } : await this.store.kept('parsed', id)
        if (document.text === '') {
          throw new DocumentProblem('PDF_NO_TEXT', 'holds no text to cut')
        }
        const pieces = chunksOf(document.text, options)
        const chunked = await this.store.keep('chunks', {
          source: document.source,
          ...options,
          chunks: pieces,
        })
        return { source: document.source, chunked, pieces }
      },
    })
    await this.progress(100, { stage: 'Chunks kept', done: total, total, unit: 'documents' })
    const chunks = outputs.reduce((sum, { pieces }) => sum + pieces.length, 0)
    return {
      documents: outputs.map(({ source, chunked, pieces }) => ({
        source,
        chunked,
        chunks: pieces.length,
        longest: Math.max(...pieces.map(({ length }) => length)),
      })),
      chunks,
      ...(chunks <= FEW ? { pieces: outputs.flatMap(({ pieces }) => pieces) } : undefined),
      warnings,
    }
  }
}
