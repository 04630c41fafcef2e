import { fileURLToPath } from 'node:url'
import { test } from '@japa/runner'
import type { Page } from 'playwright-core'
import { applicationEnv, migrate, ROOT, startWeb, startWorker } from '../helpers/app.ts'
import { closeBrowser, newPage, withBrowser } from '../helpers/browser.ts'
import { jobClient } from '../helpers/job_client.ts'
import { redisServer } from '../helpers/servers.ts'
import { waitFor } from '../helpers/wait.ts'

const DOCUMENT = fileURLToPath(new URL('tests/fixtures/documents/g_two_columns.pdf', ROOT))

const live = (page: Page) => page.waitForSelector('body[data-live="live"]')
const busy = (page: Page) => page.waitForSelector('#upload-submit[aria-disabled="true"]')
const free = (page: Page) => page.waitForSelector('#upload-submit:not([aria-disabled])')
const state = (page: Page, word: string) => page.waitForSelector(`.strip:has-text("${word}")`)

withBrowser(() => {
  test.group('The application in a browser', (group) => {
    let origin: string
    let dashboard: string
    let jobs: ReturnType<typeof jobClient>

    group.setup(async () => {
      const redis = await redisServer({ own: true })
      const env = await applicationEnv({
        redisPort: redis.port,
        env: { NODE_ENV: 'production' },
      })
      await migrate(env)
      const web = await startWeb(env)
      const worker = startWorker(env)
      origin = web.url
      dashboard = `${origin}/admin/queue`
      const desk = await newPage()
      await desk.page.goto(dashboard)
      jobs = jobClient(desk.page)
      await waitFor('a worker', async () => (await jobs.activeWorkers()) > 0, { within: 30_000 })
      return async () => {
        await closeBrowser()
        await worker.stop()
        await web.stop()
        await redis.stop()
      }
    })

    const sleeping = (ms: number, options: Record<string, unknown> = {}) =>
      jobs.create({ type: 'demo.sleep', payload: { ms, steps: 20 }, options })

    test('a new job enters the list, moves and ends there without a reload', async ({ assert }) => {
      const { page, problems, close } = await newPage({ viewport: { width: 1440, height: 900 } })
      await page.goto(`${dashboard}/jobs`)
      await live(page)
      await page.evaluate(() => document.body.setAttribute('data-opened', 'once'))
      const id = await sleeping(4_000)
      await page.waitForSelector(`#job-${id}[data-s="running"]`)
      await page.waitForFunction((row) => {
        const percent = document.querySelector(`#job-${row} [data-part="percent"]`)?.textContent
        return percent && Number.parseInt(percent) > 0
      }, id)
      await page.waitForSelector(`#job-${id}[data-s="completed"]`)
      assert.equal(await page.getAttribute('body', 'data-opened'), 'once')
      assert.deepEqual(problems, [])
      await close()
    })

    test('the page of a job follows it to its end', async ({ assert }) => {
      const id = await sleeping(3_000)
      const { page, problems, close } = await newPage()
      await page.goto(`${dashboard}/jobs/${id}`)
      await live(page)
      await page.evaluate(() => document.body.setAttribute('data-opened', 'once'))
      await state(page, 'completed')
      await page.waitForSelector('.code:has-text("slept")')
      assert.equal(await page.getAttribute('body', 'data-opened'), 'once')
      assert.deepEqual(problems, [])
      await close()
    })

    test('a running job is cancelled by the dialog', async ({ assert }) => {
      const id = await sleeping(60_000)
      const { page, problems, close } = await newPage()
      await page.goto(`${dashboard}/jobs/${id}`)
      await live(page)
      await state(page, 'running')
      await page.click('#job-cancel')
      await page.click('#confirm[open] #confirm-yes')
      await state(page, 'cancelled')
      await page.waitForSelector('#job-restart[href]')
      assert.equal((await jobs.find(id)).status, 'cancelled')
      assert.deepEqual(problems, [])
      await close()
    })

    test('a job is cancelled and restarted without scripts', async ({ assert }) => {
      const id = await sleeping(200, { delay: '1h' })
      const { page, problems, close } = await newPage({ javaScriptEnabled: false })
      const untilShown = (word: string) =>
        waitFor(`the page to say ${word}`, async () => {
          await page.goto(`${dashboard}/jobs/${id}`)
          return (await page.textContent('.strip'))!.includes(word)
        })
      await untilShown('scheduled')
      await page.click('#job-cancel')
      await page.click('#confirm-yes')
      await untilShown('cancelled')
      await page.click('#job-restart')
      await page.click('#confirm-yes')
      await untilShown('completed')
      assert.equal((await jobs.find(id)).run, 2)
      assert.deepEqual(problems, [])
      await close()
    })

    test('a document is uploaded, and its button is busy until it is read', async ({ assert }) => {
      const { page, problems, close } = await newPage()
      await page.goto(`${origin}/upload`)
      await page.setInputFiles('#document', DOCUMENT)
      await page.click('#upload-submit')
      await page.waitForURL(/upload\/[0-9a-f-]{36}$/)
      await page.waitForSelector('job-monitor[terminal]')
      await free(page)
      assert.include(await page.textContent('job-monitor'), 'completed')
      assert.deepEqual(problems, [])
      await close()
    })

    test('the button of a monitor stays busy through a reload, until the job has ended', async ({
      assert,
    }) => {
      const id = await sleeping(5_000)
      const { page, problems, close } = await newPage()
      await page.goto(`${origin}/upload/${id}`)
      await busy(page)
      await page.reload()
      await busy(page)
      await page.waitForSelector('job-monitor[status="running"]')
      await page.evaluate(() => document.body.setAttribute('data-opened', 'once'))
      await free(page)
      assert.equal((await jobs.find(id)).status, 'completed')
      assert.equal(await page.getAttribute('body', 'data-opened'), 'once')
      assert.deepEqual(problems, [])
      await close()
    })

    test('without scripts the upload page refreshes itself until the job has ended', async ({
      assert,
    }) => {
      const id = await sleeping(3_000)
      const { page, close } = await newPage({ javaScriptEnabled: false })
      await page.goto(`${origin}/upload/${id}`)
      await busy(page)
      await page.waitForSelector('job-monitor[terminal]')
      await free(page)
      assert.equal((await jobs.find(id)).status, 'completed')
      await close()
    })
  })
})
