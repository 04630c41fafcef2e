import vine from '@vinejs/vine'
import { Job, type JobOptions } from '#queuedeck'
import { keptIds } from '#services/documents/awaited_ids'
import { DocumentProblem } from '#services/documents/document_problem'
import { DocumentStore } from '#services/documents/document_store'
import type { Chunk as Piece, ChunkOptions } from '#services/documents/chunks'
import { DoneItems } from '#services/documents/done_items'
import { eachItem } from '#services/documents/each_item'
import type { Warning } from '#services/documents/parsed_document'
import { Turns } from '#services/documents/turns'
import { chunkFields } from '#validators/chunk_options'
import { keptIdField } from '#validators/kept_id'
import { payloadOf } from '#validators/payload'

type Payload = {
  /** Ids of parsed documents, as the result of `document_processing.parse` names them; `awaited` stands for those of awaited jobs. */
  documents?: string[]
  /** A text of one's own, instead of or beside parsed documents. */
  text?: string
} & ChunkOptions

type Result = {
  documents: { source: string; chunked: string; chunks: number; longest: number }[]
  chunks: number
  /** All chunks when they are few; `chunked` names the file with all of them. */
  pieces?: Piece[]
  warnings: Warning[]
}

/** Chunks that the result itself holds. */
const FEW = 200

const STAGES: Record<ChunkOptions['strategy'], string> = {
  token: 'Cutting by tokens',
  character: 'Cutting by characters',
  semantic: 'Cutting where topics shift',
  schema: 'Cutting by rules',
  delimiter: 'Cutting at delimiters',
}

/**
 * Cuts parsed documents into chunks: by tokens (cl100k_base), by characters (grapheme clusters), where the topic shifts, by rules,
 * or at a delimiter.
 */
export default class Chunk extends Job<Payload, Result> {
  static options: JobOptions = {
    name: 'document_processing.chunk',
    queue: 'documents',
    attempts: 2,
    timeout: '1h',
  }

  static payload = payloadOf({
    documents: vine
      .array(keptIdField())
      .minLength(1)
      .maxLength(10_000)
      .optional()
      .requiredIfMissing('text'),
    text: vine.string().maxLength(1_000_000).optional(),
    ...chunkFields(['documents', 'text']),
  })

  constructor(private store: DocumentStore = new DocumentStore()) {
    super()
  }

  async execute(): Promise<Result> {
    const { documents: named = [], text, ...options } = this.payload
    const documents = await keptIds(this, named, 'parsed')
    const items = [...documents, ...(text === undefined ? [] : [null])]
    const total = items.length
    const turns = new Turns(this.signal)
    const done = new DoneItems(this)
    let pieces: Piece[] | undefined = []
    const { outputs, warnings } = await eachItem(items, {
      signal: this.signal,
      name: (id) => id ?? 'text',
      warn: ({ source, code, message }) => this.log.warn('%s: %s (%s)', source, message, code),
      work: async (id, index) => {
        await this.progress((index / total) * 99, {
          stage: STAGES[options.strategy],
          done: index,
          total,
          unit: 'documents',
        })
        const { source, chunked, chunks } =
          (await done.of(index, async (kept) => ({
            ...(await this.store.kept('chunks', kept)),
            chunked: kept,
          }))) ?? (await this.#cut(id, options, turns))
        await done.add(index, chunked)
        pieces = pieces && pieces.length + chunks.length <= FEW ? [...pieces, ...chunks] : undefined
        const longest = chunks.reduce((most, { length }) => Math.max(most, length), 0)
        return { source, chunked, chunks: chunks.length, longest }
      },
    })
    await this.progress(100, { stage: 'Chunks kept', done: total, total, unit: 'documents' })
    const chunks = outputs.reduce((sum, output) => sum + output.chunks, 0)
    return { documents: outputs, chunks, ...(pieces && { pieces }), warnings }
  }

  /** Cuts one document, or the text of the payload. */
  async #cut(id: string | null, options: ChunkOptions, turns: Turns) {
    /** Its table of tokens takes a tenth of a second to read: only processes that cut documents need it. */
    const { chunksInTurns } = await import('#services/documents/chunks')
    const { source, text } =
      id === null
        ? { source: 'text', text: this.payload.text! }
        : await this.store.kept('parsed', id)
    if (/^\s*$/.test(text)) {
      throw new DocumentProblem('NO_TEXT', 'holds no text to cut')
    }
    const chunks = await chunksInTurns(text, options, turns)
    const chunked = await this.store.keep('chunks', { source, ...options, chunks })
    return { source, chunked, chunks }
  }
}
