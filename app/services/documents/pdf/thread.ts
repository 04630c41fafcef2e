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

/** What is being answered; null in between. */
let asked: ToThread | null = null

/** How long something asked for may still answer by itself when a promise that nobody waited for has failed, in milliseconds. */
const GRACE = 500

/** Answers what was asked, once. */
function answer(question: ToThread, message: FromThread): void {
  if (asked !== question) return
  asked = null
  parentPort!.postMessage(message)
}

/**
 * Files that are damaged make the reader fail where nobody waits for it, which would end the thread. Mostly the page is read all the
 * same; a question that stays without an answer is one about something damaged.
 */
function failed(): void {
  const question = asked
  if (question === null) return
  setTimeout(() => answer(question, damaged(question)), GRACE)
}

function damaged(question: ToThread): FromThread {
  return 'open' in question
    ? { refused: 'damaged' }
    : { page: question.read, content: null, unknown: false }
}

process.on('unhandledRejection', failed)
process.on('uncaughtException', failed)

/** Pictures are never decoded, nor are forms drawn: only text is wanted of a page. */
const OPTIONS = {
  verbosity: 0,
  fontExtraProperties: true,
  maxImageSize: 1,
  isOffscreenCanvasSupported: false,
  useWorkerFetch: false,
  enableXfa: false,
}

async function open(question: ToThread & { open: Uint8Array }): Promise<void> {
  await document?.loadingTask.destroy()
  document = null
  try {
    const opened = await getDocumentProxy(question.open, OPTIONS)
    const labels = await opened.getPageLabels().catch(() => null)
    if (asked === question) document = opened
    answer(question, { opened: opened.numPages, labels })
  } catch (error) {
    const locked = (error as Error | undefined)?.name === 'PasswordException'
    answer(question, locked ? { refused: 'password' } : damaged(question))
  }
}

async function read(question: ToThread & { read: number }): Promise<void> {
  const number = question.read
  try {
    const page = await document!.getPage(number)
    const { groups, rules, height, unknown } = await piecesOf(page)
    page.cleanup()
    const lines = groups.flatMap((pieces, at) => linesInOrder(pieces, at === 0 ? rules : []))
    const content = { lines, height }
    answer(question, { page: number, content, unknown })
  } catch {
    answer(question, damaged(question))
  }
}

parentPort!.on('message', (question: ToThread) => {
  asked = question
  return 'open' in question ? open(question) : read(question)
})
parentPort!.postMessage({ ready: true })
