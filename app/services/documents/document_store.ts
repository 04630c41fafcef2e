import { createHash, randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { basename, join, resolve, sep } from 'node:path'
import app from '@adonisjs/core/services/app'
import { Breather } from './breather.ts'
import type { ChunkSet, Dataset, Extraction, Taxonomy } from './artifacts.ts'
import { DocumentProblem } from './document_problem.ts'
import { jsonPieces } from './json_pieces.ts'
import { jsonSteps } from './json_reading.ts'
import type { Manifest } from './manifest.ts'
import type { ParsedDocument } from './parsed_document.ts'

/** Largest document that is read, in bytes. */
export const LARGEST_DOCUMENT = 32 * 1_048_576

/** Bytes of a kept file that are read at once. */
const PIECE = 1_048_576

/** Where documents may be read from: nothing else of this machine is, whatever a payload says. */
const ROOTS = ['node_modules', 'storage/uploads', 'resources/documents']

/**
 * What jobs make of documents, by the folder below `storage` that keeps it.
 */
export type Artifacts = {
  parsed: ParsedDocument
  manifests: Manifest
  chunks: ChunkSet
  taxonomies: Taxonomy
  extractions: Extraction
  datasets: Dataset
}

export type ArtifactKind = keyof Artifacts

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
    const full = this.locate(path)
    try {
      const { size } = await stat(full)
      if (size > LARGEST_DOCUMENT) {
        throw new DocumentProblem(
          'TOO_LARGE',
          `has ${size} bytes; at most ${LARGEST_DOCUMENT} are read: split it into smaller files`
        )
      }
      return await readFile(full)
    } catch (cause) {
      if (cause instanceof DocumentProblem) throw cause
      throw new DocumentProblem('NOT_FOUND', 'is no file that can be read', { cause })
    }
  }

  /**
   * Where a document lies on this machine, for those who read it piece by piece.
   *
   * @throws DocumentProblem NOT_FOUND when it is outside of what documents may be read from
   */
  locate(path: string): string {
    const full = resolve(this.#root, path)
    const inside = ROOTS.some((root) => full.startsWith(join(this.#root, root) + sep))
    if (!inside || path.includes('\u0000')) {
      throw new DocumentProblem('NOT_FOUND', `lies outside of ${ROOTS.join(', ')}`)
    }
    return full
  }

  /**
   * Where something that a job made lies, for those who read it piece by piece.
   *
   * @throws DocumentProblem NOT_FOUND when it cannot be an id
   */
  artifact(kind: ArtifactKind, id: string): string {
    if (!/^[0-9a-f]{64}$/.test(id)) {
      throw new DocumentProblem('NOT_FOUND', `nothing is kept as "${id}" in ${kind}`)
    }
    return join(this.#root, 'storage', kind, `${id}.json`)
  }

  /** The folder of pages of documents that are being read. */
  get readPages(): string {
    return join(this.#root, 'storage/pages')
  }

  /** The folder of the numbers of datasets. */
  get datasetVersions(): string {
    return join(this.#root, 'storage/dataset_versions')
  }

  /** The folder of a dataset's files, by the hash of their bytes. */
  get datasetFiles(): string {
    return join(this.#root, 'storage/dataset_files')
  }

  /**
   * Keeps an uploaded document; the same content and name give the same path.
   *
   * @returns its path below the application's root
   */
  async keepUpload(name: string, bytes: Uint8Array): Promise<string> {
    /** Some systems send accents apart from their letters, and some scripts write vowels so. */
    const safe =
      basename(name)
        .normalize('NFC')
        .replace(/[^\p{L}\p{M}\p{N}._-]+/gu, '_')
        .slice(-80)
        .toWellFormed() || 'document'
    const path = `storage/uploads/${hash(bytes).slice(0, 16)}-${safe}`
    await this.#write(path, bytes)
    return path
  }

  /**
   * Keeps what a job made, under the hash of its content: the same content gives the same id.
   */
  async keep<Kind extends ArtifactKind>(kind: Kind, artifact: Artifacts[Kind]): Promise<string> {
    const folder = join(this.#root, 'storage', kind)
    await mkdir(folder, { recursive: true })
    const draft = join(folder, draftName())
    try {
      const id = await writeJson(draft, artifact)
      await rename(draft, join(folder, `${id}.json`))
      return id
    } catch (error) {
      await rm(draft, { force: true })
      throw error
    }
  }

  /**
   * What a job made.
   *
   * @param id  as `keep` gave it
   * @throws DocumentProblem NOT_FOUND
   */
  async kept<Kind extends ArtifactKind>(kind: Kind, id: string): Promise<Artifacts[Kind]> {
    try {
      return (await readJson(this.artifact(kind, id))) as Artifacts[Kind]
    } catch (cause) {
      throw new DocumentProblem('NOT_FOUND', `nothing is kept as "${id}" in ${kind}`, { cause })
    }
  }

  /** Complete or not at all: other processes may read the file at any instant. */
  async #write(path: string, content: string | Uint8Array): Promise<void> {
    const full = join(this.#root, path)
    await mkdir(resolve(full, '..'), { recursive: true })
    const draft = join(resolve(full, '..'), draftName())
    await writeFile(draft, content)
    await rename(draft, full)
  }
}

/** Of a file that is not whole yet. */
function draftName(): string {
  return `.${randomBytes(6).toString('hex')}`
}

/** Reads it, a large one in pieces, giving way between them. */
async function readJson(path: string): Promise<unknown> {
  const { size } = await stat(path)
  /** A piece as large as a large file's would cost a small one more than reading it. */
  if (size < PIECE) return JSON.parse(await readFile(path, 'utf8'))
  const pieces: string[] = []
  for await (const piece of createReadStream(path, { encoding: 'utf8', highWaterMark: PIECE })) {
    pieces.push(piece as string)
  }
  return new Breather().through(jsonSteps(pieces.join('')))
}

/** Writes it in pieces, giving way between them; gives the hash of what was written. */
async function writeJson(path: string, artifact: object): Promise<string> {
  const digest = createHash('sha256')
  const breather = new Breather()
  const file = await open(path, 'w')
  try {
    for (const piece of jsonPieces(artifact)) {
      const bytes = Buffer.from(piece)
      digest.update(bytes)
      await file.write(bytes)
      await breather.breathe()
    }
  } finally {
    await file.close()
  }
  return digest.digest('hex')
}

function hash(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex')
}
