import { fileURLToPath } from 'node:url'
import { test } from '@japa/runner'
import type { Page } from 'playwright-core'
import { ROOT } from '../helpers/app.ts'
import { newPage } from '../helpers/browser.ts'
import type { jobClient } from '../helpers/job_client.ts'
import { waitFor } from '../helpers/wait.ts'
import { violations } from './axe.ts'

const fixture = (name: string) => fileURLToPath(new URL(`tests/fixtures/documents/${name}`, ROOT))

/** Packages whose documentation is long enough to have topics. */
const PACKAGES = ['bullmq', 'ajv', 'cacheable', 'esquery', 'qs', '@adonisjs/fold', 'keyv', 'pino']

type Application = { origin: string; jobs: ReturnType<typeof jobClient> }

/** Colours change within a moment: what is measured meanwhile is neither. */
async function scheme(page: Page, colorScheme: 'light' | 'dark'): Promise<void> {
  await page.emulateMedia({ colorScheme })
  await page.waitForFunction(() =>
    document.getAnimations().every((one) => !(one instanceof CSSTransition))
  )
}

async function inBothSchemes(page: Page): Promise<string[]> {
  await scheme(page, 'light')
  const found = await violations(page)
  await scheme(page, 'dark')
  return [...found, ...(await violations(page, ['color-contrast']))]
}

/** Tests of the pages of documents and of what comes of them, in the application that the group has started. */
export function documentsPages(application: () => Application): void {
  test('several documents are sent at once, each with its progress, wrong ones not at all', async ({
    assert,
  }) => {
    const { origin } = application()
    const { page, problems, close } = await newPage({ viewport: { width: 1440, height: 900 } })
    await page.goto(`${origin}/documents`)
    const file = (name: string, text: string) => ({
      name,
      mimeType: 'text/plain',
      buffer: Buffer.from(text),
    })
    await page.setInputFiles('#document', [file('a.exe', 'x'), file('b.md', '# B\n')])
    await page.waitForSelector('[data-part="chosen"]:has-text("cannot be read")')
    await page.click('#upload-submit')
    assert.equal(page.url(), `${origin}/documents`)
    const many = Array.from({ length: 21 }, (_, n) => file(`${n}.md`, `# ${n}\n`))
    await page.setInputFiles('#document', many)
    await page.waitForSelector('[data-part="chosen"] p:has-text("21 files are too many at once")')

    await page.setInputFiles('#document', ['g_two_columns.pdf', 'g_fences.md'].map(fixture))
    await page.click('#upload-submit')
    await page.waitForURL(/documents\?sent=[0-9a-f-]{36},[0-9a-f-]{36}$/)
    await page.waitForFunction(
      () => document.querySelectorAll('job-monitor[terminal][status="completed"]').length === 2
    )
    await page.waitForSelector('#upload-submit:not([aria-disabled])')
    await page.waitForFunction(
      () => document.querySelectorAll('#live a[href^="/chunks/"]').length >= 2
    )
    assert.deepEqual(await inBothSchemes(page), [])
    await page.click('#live a[href^="/chunks/"]')
    await page.waitForSelector('#chunk-0 pre')
    assert.deepEqual(await inBothSchemes(page), [])
    assert.deepEqual(problems, [])
    await close()
  })

  test('without scripts a run is started, followed to its end, and its results are read', async ({
    assert,
  }) => {
    const { origin, jobs } = application()
    for (const name of PACKAGES) {
      await jobs.create({
        type: 'document_processing.parse',
        payload: { documents: [`node_modules/${name}/README.md`] },
        options: {},
      })
    }
    const { page, problems, close } = await newPage({ javaScriptEnabled: false })
    await waitFor('the documents to be there', async () => {
      await page.goto(`${origin}/pipelines/new`)
      return (await page.locator('input[name="documents[]"]:checked').count()) >= PACKAGES.length
    })
    await page.fill('#r-depth', '12')
    await page.fill('#r-size', '100')
    await page.click('#run-start')
    assert.include((await page.textContent('[role="alert"]'))!, 'from 1 to 6. You wrote “12”')
    assert.equal(await page.inputValue('#r-size'), '100')
    await page.fill('#r-depth', '2')
    await page.click('#run-start')
    await page.waitForURL(/pipelines\/[0-9a-f-]{36}$/)
    await page.waitForSelector('#run-state .badge:not(:has-text("at work"))')
    const run = page.url()
    const results = ['taxonomy', 'extraction', 'classification'].map((step) => `#run-${step} a`)
    const addresses: string[] = []
    for (const link of results) addresses.push((await page.getAttribute(link, 'href'))!)
    assert.match(addresses.join(' '), /\/taxonomies\/\w+ \/extractions\/\w+ \/datasets\/\w+/)
    /** The answer to the form that was wrong. */
    assert.deepEqual(
      problems.filter((problem) => !problem.includes('422')),
      []
    )
    await close()
    await lookAt([run, ...addresses.map((one) => origin + one)], origin, assert)
  })
}

/** Every page of a run, on a phone and by keyboard. */
async function lookAt(
  pages: string[],
  origin: string,
  assert: {
    deepEqual(one: unknown, other: unknown, message?: string): void
    isTrue(v: unknown): void
  }
): Promise<void> {
  const { page, problems, close } = await newPage({ viewport: { width: 390, height: 844 } })
  for (const address of [
    ...pages,
    ...['/pipelines', '/taxonomies', '/datasets'].map((path) => origin + path),
  ]) {
    await page.goto(address)
    assert.deepEqual(await inBothSchemes(page), [], address)
    const aside = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
    assert.deepEqual(aside, 0, address)
  }
  await page.goto(pages[1])
  const branch = page.locator('.tree details').first()
  const open = () => branch.evaluate((one) => (one as HTMLDetailsElement).open)
  assert.isTrue(await open())
  await branch.locator('summary').first().focus()
  await page.keyboard.press('Enter')
  assert.deepEqual(await open(), false)
  await page.goto(pages[3])
  for (const format of ['json', 'jsonl', 'csv']) {
    const link = page.locator(`a[href$="/train.${format}"]`)
    const answer = await page.request.get(origin + (await link.getAttribute('href'))!)
    assert.deepEqual(answer.status(), 200, format)
  }
  assert.deepEqual(problems, [])
  await close()
}
