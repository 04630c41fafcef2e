import { createHash, randomBytes } from 'node:crypto'
import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { basename, join, resolve, sep } from 'node:path'
import app from '@adonisjs/core/services/app'
import type { Chunk, ChunkOptions } from './chunks.ts'
import { DocumentProblem } from './document_problem.ts'
import type { ParsedDocument } from './parsed_document.ts'

/** Largest document that is read, in bytes. */
export const LARGEST_DOCUMENT = 32 * 1_048_576

/** Where documents may be read from: nothing else of this machine is, whatever a payload says. */
const ROOTS = ['node_modules', 'storage/uploads', 'resources/documents']

/**
 * Documents on disk: those that came with installed packages or were uploaded, and what parsing made of them.
 */
export class DocumentStore {
  #root: string

  constructor(root: string = app.makePath()) {
    this.#root = root
  }

  /**
   * Bytes of a document.
   *
   * @param path below the application's root, in `node_modules` or `storage/uploads`
   * @throws DocumentProblem NOT_FOUND, TOO_LARGE
   */
  async read(path: string): Promise<Uint8Array> {
    const full = resolve(this.#root, path)
    const inside = ROOTS.some((root) => full.startsWith(join(this.#root, root) + sep))
    if (!inside || path.includes('\u0000')) {
      throw new DocumentProblem('NOT_FOUND', `lies outside of ${ROOTS.join(', ')}`)
    }
    try {
      const { size } = await stat(full)
      if (size > LARGEST_DOCUMENT) {
        throw new DocumentProblem('TOO_LARGE', `has ${size} bytes; at most ${LARGEST_DOCUMENT}`)
      }
      return await readFile(full)
    } catch (cause) {
      if (cause instanceof DocumentProblem) throw cause
      throw new DocumentProblem('NOT_FOUND', 'is no file that can be read', { cause })
    }
  }

  /**
   * Keeps an uploaded document; the same content and name give the same path.
   *
   * @returns its path below the application's root
   */
  async keepUpload(name: string, bytes: Uint8Array): Promise<string> {
    const safe =
      basename(name)
        .replace(/[^\p{L}\p{N}._-]+/gu, '_')
        .slice(-80) || 'document'
    const path = `storage/uploads/${hash(bytes).slice(0, 16)}-${safe}`
    await this.#write(path, bytes)
    return path
  }

  /**
   * Keeps what parsing made of a document, under the hash of its content.
   */
  async keepParsed(document: ParsedDocument): Promise<string> {
    const json = JSON.stringify(document)
    const id = hash(json)
    await this.#write(`storage/parsed/${id}.json`, json)
    return id
  }

  /**
   * Keeps the chunks of a document, under the hash of their content.
   */
  async keepChunks(source: string, options: ChunkOptions, chunks: Chunk[]): Promise<string> {
    const json = JSON.stringify({ source, ...options, chunks })
    const id = hash(json)
    await this.#write(`storage/chunks/${id}.json`, json)
    return id
  }

  /**
   * @param id as `keepParsed` gave it
   * @throws DocumentProblem NOT_FOUND
   */
  async parsed(id: string): Promise<ParsedDocument> {
    try {
      const text = await readFile(join(this.#root, 'storage/parsed', `${id}.json`), 'utf8')
      return JSON.parse(text) as ParsedDocument
    } catch (cause) {
      throw new DocumentProblem('NOT_FOUND', `no parsed document "${id}" is kept`, { cause })
    }
  }

  /** Complete or not at all: other processes may read the file at any instant. */
  async #write(path: string, content: string | Uint8Array): Promise<void> {
    const full = join(this.#root, path)
    await mkdir(resolve(full, '..'), { recursive: true })
    const draft = `${full}.${randomBytes(6).toString('hex')}`
    await writeFile(draft, content)
    await rename(draft, full)
  }
}

function hash(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex')
}
