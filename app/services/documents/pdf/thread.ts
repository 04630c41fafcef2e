/*
 * Runs in a thread of its own, see threads.ts: reads pages of one PDF file after the other. Node strips the types by itself
 * here, so only syntax that can be stripped stands in this file and in what it imports.
 */
import { parentPort } from 'node:worker_threads'
import { getDocumentProxy } from 'unpdf'
import { linesInOrder } from './lines.ts'
import { piecesOf } from './pieces.ts'
import type { FromThread, ToThread } from './types.ts'

type PdfDocument = Awaited<ReturnType<typeof getDocumentProxy>>

/**
 * The reader hands each list of what a page draws from one half of itself to the other as if they were apart. Copying every
 * letter for that is a third of its work; a copy of the lists is enough, as neither half changes what is in them.
 */
const copyAll = globalThis.structuredClone
globalThis.structuredClone = (value: any, options?: StructuredSerializeOptions) => {
  const drawn = value?.chunk
  if (!Array.isArray(drawn?.fnArray)) return copyAll(value, options)
  const chunk = { ...drawn, fnArray: [...drawn.fnArray], argsArray: [...drawn.argsArray] }
  return { ...value, chunk }
}

let document: PdfDocument | null = null

const answer = (message: FromThread) => parentPort!.postMessage(message)

/** Pictures are never decoded, nor are forms drawn: only text is wanted of a page. */
const OPTIONS = {
  verbosity: 0,
  fontExtraProperties: true,
  maxImageSize: 1,
  isOffscreenCanvasSupported: false,
  useWorkerFetch: false,
  enableXfa: false,
}

async function open(bytes: Uint8Array): Promise<void> {
  await document?.loadingTask.destroy()
  document = null
  try {
    document = await getDocumentProxy(bytes, OPTIONS)
    const labels = await document.getPageLabels().catch(() => null)
    answer({ opened: document.numPages, labels })
  } catch (error) {
    const locked = (error as Error | undefined)?.name === 'PasswordException'
    answer({ refused: locked ? 'password' : 'damaged' })
  }
}

async function read(number: number): Promise<void> {
  try {
    const page = await document!.getPage(number)
    const { groups, height, unknown } = await piecesOf(page)
    page.cleanup()
    answer({ page: number, content: { lines: groups.flatMap(linesInOrder), height }, unknown })
  } catch {
    answer({ page: number, content: null, unknown: false })
  }
}

parentPort!.on('message', (message: ToThread) =>
  'open' in message ? open(message.open) : read(message.read)
)
answer({ ready: true })
