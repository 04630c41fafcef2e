import { test } from '@japa/runner'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { findProgram } from './servers.ts'

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // Containers give /dev/shm 64 MB, which is too little for a tab or two.
  '--disable-dev-shm-usage',
]

/** Debian's `chromium-headless-shell` needs a third of the processor time: it draws no window around the page. */
const PROGRAMS = ['chromium-headless-shell', 'chromium', 'chromium-browser', 'google-chrome']

let launched: Promise<Browser> | undefined

/**
 * The browser that the machine has (Chromium, or Chrome), started once for the process.
 */
export async function browser(): Promise<Browser> {
  const executablePath = findProgram(...PROGRAMS)
  if (!executablePath) throw new Error('No Chromium is installed')
  launched ??= chromium.launch({ executablePath, args: FLAGS })
  return launched
}

/**
 * Ends the browser; the next `browser()` starts another.
 */
export async function closeBrowser(): Promise<void> {
  const current = launched
  launched = undefined
  await (await current)?.close()
}

/**
 * A page in a profile of its own. Everything a person would not want to see there is collected in `problems`: script errors,
 * failed requests of our own files, and violations of the Content-Security-Policy.
 */
export async function newPage(
  options: BrowserContextOptions = {}
): Promise<{ page: Page; problems: string[]; close: () => Promise<void> }> {
  // What turns takes a processor as long as the page is open, where none draws for itself.
  const still: BrowserContextOptions = { locale: 'en-GB', reducedMotion: 'reduce' }
  const context = await (await browser()).newContext({ ...still, ...options })
  // Playwright's own patience is half of it: a machine that does much else may be slow.
  context.setDefaultTimeout(60_000)
  const page = await context.newPage()
  const problems: string[] = []
  page.on('pageerror', (error) => problems.push(`error: ${error.message}`))
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(`console: ${message.text()}`)
  })
  return { page, problems, close: () => context.close() }
}

/**
 * Calls `define` where a browser is installed. Elsewhere there is one skipped test that says so; where CI runs, it fails.
 *
 * ```ts
 * withBrowser(() => {
 *   test.group('Jobs page', () => { ... })
 * })
 * ```
 */
export function withBrowser(define: () => void): void {
  if (findProgram(...PROGRAMS)) return define()
  const reason = 'Chromium not installed'
  test(`Browser: ${reason}`, () => {
    throw new Error(`In CI the browser has to be there: ${reason}`)
  }).skip(!process.env.CI, reason)
}

/**
 * Listens to the next event of a page's document from now on. The function that it answers waits for it, and for what it brings about.
 *
 * @param kind  of refreshes, only those of this kind: what their requests say in `x-queuedeck-refresh`
 */
export async function listen(
  page: Page,
  event: string,
  kind: string | null = null
): Promise<() => Promise<void>> {
  const name = `heard ${event} ${kind}`
  await page.evaluate(
    (wanted) => {
      const heard = new Promise<void>((resolve) => {
        document.addEventListener(wanted.event, (happened) => {
          const headers = (happened as CustomEvent).detail?.ctx?.request.headers
          if (wanted.kind === null || headers['X-Queuedeck-Refresh'] === wanted.kind) {
            setTimeout(resolve)
          }
        })
      })
      Object.assign(window, { [wanted.name]: heard })
    },
    { event, kind, name }
  )
  return () => page.evaluate((of) => (window as unknown as Record<string, Promise<void>>)[of], name)
}

/**
 * Puts the focus and half a word into the search field of a list, the caret inside the word, without scrolling.
 */
export function writeHalfAWord(page: Page): Promise<void> {
  return page.evaluate(() => {
    const field = document.getElementById('q') as HTMLInputElement
    field.focus({ preventScroll: true })
    field.value = 'hal'
    field.setSelectionRange(2, 2)
  })
}
