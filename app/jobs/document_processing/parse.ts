import vine from '@vinejs/vine'
import { errors, Job, type JobOptions } from '#queuedeck'
import type { ChunkOptions } from '#services/documents/chunks'
import { DoneItems } from '#services/documents/done_items'
import { DocumentStore } from '#services/documents/document_store'
import { eachItem } from '#services/documents/each_item'
import { followUpId } from '#services/documents/follow_up_id'
import { manifestOf } from '#services/documents/manifest'
import type { Block } from '#services/documents/markdown_blocks'
import { KeptPages } from '#services/documents/pdf/kept_pages'
import {
  parseDocument,
  type ParsedDocument,
  type Warning,
} from '#services/documents/parsed_document'
import { chunkFields } from '#validators/chunk_options'
import Chunk from './chunk.ts'
import { payloadOf } from '#validators/payload'

type Payload = {
  /** Paths of PDF, Markdown, HTML and text files below `node_modules` or `storage/uploads`. */
  documents: string[]
  /** Of PDF files: pages in one split, and how many of them it shares with the next. */
  split?: { pages: number; overlap: number }
  /** What was read goes on to `document_processing.chunk`, with these options. */
  chunk?: ChunkOptions
}

type Result = {
  documents: {
    source: string
    /** Id of the parsed document: what `document_processing.chunk` takes. */
    parsed: string
    /** Id of the manifest: which split covers which pages and which part of the text. */
    manifest: string
    format: string
    characters: number
    headings: string[]
    blocks: number
    pages: number
    /** The first hundred; the manifest has all. */
    splits: { firstPage: number; lastPage: number; start: number; end: number }[]
  }[]
  /** The job that cuts the documents into chunks, where one was asked for. */
  chunkJob?: string
  warnings: Warning[]
}

/** Headings of each document that the result itself names. */
const MOST_HEADINGS = 50
const LONGEST_TITLE = 300
const MOST_SPLITS = 100

/** Name of the checkpoint that says which pages of a document are read. */
const PAGES = 'pages'

const DEFAULT_SPLIT = { pages: 10, overlap: 1 }

/**
 * Reads documents and keeps them as Markdown.
 */
export default class Parse extends Job<Payload, Result> {
  static options: JobOptions = {
    name: 'document_processing.parse',
    queue: 'documents',
    attempts: 2,
    timeout: '1h',
  }

  static payload = payloadOf(
    {
      documents: vine
        .array(vine.string().minLength(1).maxLength(1_000))
        .minLength(1)
        .maxLength(10_000),
      split: vine
        .object({
          pages: vine.number({ strict: true }).withoutDecimals().min(1).max(10_000),
          overlap: vine.number({ strict: true }).withoutDecimals().min(0).max(9_999),
        })
        .optional(),
      chunk: vine.object(chunkFields()).optional(),
    },
    ({ split }: Payload) => [
      split !== undefined &&
        split.overlap >= split.pages && {
          field: 'split.overlap',
          message: `The overlap ${split.overlap} must be below the pages of a split, ${split.pages}`,
        },
    ]
  )

  constructor(private store: DocumentStore = new DocumentStore()) {
    super()
  }

  async execute(): Promise<Result> {
    const { documents, split = DEFAULT_SPLIT } = this.payload
    const total = documents.length
    const done = new DoneItems(this)
    const { outputs, warnings } = await eachItem(documents, {
      signal: this.signal,
      name: (path) => path,
      warn: ({ source, code, message }) => this.log.warn('%s: %s (%s)', source, message, code),
      work: async (path, index) => {
        await this.#tell(index, total, 0)
        const before = await done.of(index, async (parsed) => ({
          document: await this.store.kept('parsed', parsed),
          parsed,
        }))
        if (before !== undefined) {
          const { document, parsed } = before
          const again = manifestOf(document, parsed, split)
          return summaryOf(document, parsed, await this.store.keep('manifests', again))
        }
        const bytes = await this.store.read(path)
        const kept = await this.#keptPages(path, bytes, index)
        try {
          const document = await parseDocument(path, bytes, split, {
            signal: this.signal,
            onPage: (page, pages) => this.#tell(index, total, page / pages),
            kept,
          })
          for (const warning of document.warnings) {
            this.log.warn('%s: %s (%s)', path, warning.message, warning.code)
          }
          const parsed = await this.store.keep('parsed', document)
          const manifest = await this.store.keep('manifests', manifestOf(document, parsed, split))
          await done.add(index, parsed)
          await kept?.discard()
          return summaryOf(document, parsed, manifest)
        } finally {
          await kept?.close()
        }
      },
    })
    await this.progress(100, { stage: 'Documents kept', done: total, total, unit: 'documents' })
    const chunkJob = await this.#sendOn(outputs.map(({ summary }) => summary.parsed))
    return {
      ...(chunkJob === undefined ? undefined : { chunkJob }),
      documents: outputs.map(({ summary }) => summary),
      warnings: [...warnings, ...outputs.flatMap(({ warnings: own }) => own)],
    }
  }

  /** Of PDF files: a long one goes on at the page at which an attempt before was ended. */
  async #keptPages(path: string, bytes: Uint8Array, document: number) {
    if (!/\.pdf$/i.test(path)) return undefined
    return KeptPages.open({
      folder: this.store.readPages,
      document,
      bytes,
      saved: this.checkpoints[PAGES],
      save: (value) => this.checkpoint(PAGES, value),
    })
  }

  /** A second attempt of this run gives the follower the same id, so that it is sent once. */
  async #sendOn(documents: string[]): Promise<string | undefined> {
    const { chunk } = this.payload
    if (chunk === undefined) return undefined
    const jobId = followUpId(this.jobId, this.run)
    try {
      await Chunk.dispatch({ documents, ...chunk }).withId(jobId)
    } catch (error) {
      if (!(error instanceof errors.E_DUPLICATE_JOB)) throw error
    }
    return jobId
  }

  #tell(done: number, total: number, share: number) {
    const percent = ((done + share) / total) * 99
    return this.progress(percent, { stage: 'Reading documents', done, total, unit: 'documents' })
  }
}

/** What stays in memory of a document until the job ends. */
function summaryOf(document: ParsedDocument, parsed: string, manifest: string) {
  const summary: Result['documents'][number] = {
    source: document.source,
    parsed,
    manifest,
    format: document.format,
    characters: document.text.length,
    headings: firstHeadings(document.blocks),
    blocks: document.blocks.length,
    pages: document.pages.length,
    splits: document.splits.slice(0, MOST_SPLITS),
  }
  return { summary, warnings: document.warnings }
}

function firstHeadings(blocks: Block[]): string[] {
  const titles: string[] = []
  for (const { title } of blocks) {
    if (titles.length === MOST_HEADINGS) break
    /** A line of megabytes may look like a heading: it is none that a person would read. */
    if (title !== undefined && title.length <= LONGEST_TITLE) titles.push(title)
  }
  return titles
}
