import { fileURLToPath } from 'node:url'
import { test } from '@japa/runner'
import type { Page } from 'playwright-core'
import { applicationEnv, bootApp, ROOT, startWeb, startWorker } from '../helpers/app.ts'
import { documentsPages } from './documents_pages.ts'
import { closeBrowser, newPage, withBrowser } from '../helpers/browser.ts'
import { commandLine } from '../helpers/command_line.ts'
import { jobClient } from '../helpers/job_client.ts'
import { redisServer } from '../helpers/servers.ts'
import { waitFor } from '../helpers/wait.ts'

const DOCUMENT = fileURLToPath(new URL('tests/fixtures/documents/g_two_columns.pdf', ROOT))

/** Milliseconds: ended by a test once it has seen what it waits for, on whatever machine. */
const LONG = 120_000

const live = (page: Page) => page.waitForSelector('body[data-live="live"]')
const busy = (page: Page) => page.waitForSelector('#upload-submit[aria-disabled="true"]')
const free = (page: Page) => page.waitForSelector('#upload-submit:not([aria-disabled])')
const state = (page: Page, word: string) => page.waitForSelector(`.strip:has-text("${word}")`)

/** The answer to a form whose session had ended: its banner is there before the scripts, which put back what was typed, have run. */
const refused = async (page: Page) => {
  await page.waitForSelector('#banners [data-ended]')
  await page.waitForLoadState()
}

withBrowser(() => {
  test.group('The application in a browser', (group) => {
    let origin: string
    let dashboard: string
    let jobs: ReturnType<typeof jobClient>
    let ace: Awaited<ReturnType<typeof commandLine>>

    group.setup(async () => {
      const redis = await redisServer({ own: true })
      const env = await applicationEnv({
        redisPort: redis.port,
        env: { NODE_ENV: 'production' },
      })
      const app = await bootApp(env, 'console')
      ace = await commandLine(app)
      const migrated = await ace(['migration:run', '--force'])
      if (migrated.code !== 0) throw new Error(migrated.output)
      const web = await startWeb(env)
      const worker = startWorker(env)
      origin = web.url
      dashboard = `${origin}/admin/queue`
      const desk = await newPage()
      await desk.page.goto(dashboard)
      jobs = jobClient(desk.page)
      await waitFor('a worker', async () => (await jobs.activeWorkers()) > 0)
      return async () => {
        await closeBrowser()
        await app.terminate()
        await worker.stop('SIGKILL')
        await web.stop()
        await redis.stop()
      }
    })

    const sleeping = (ms: number, options: Record<string, unknown> = {}) =>
      jobs.create({ type: 'demo.sleep', payload: { ms, steps: 20 }, options })

    // First, while there is no other job.
    test('ticked rows are asked about, worked on in the background, and told of one by one', async ({
      assert,
    }) => {
      const { page, problems, close } = await newPage({ viewport: { width: 1440, height: 900 } })
      const sleep = { type: 'demo.sleep', payload: { ms: 1, steps: 1 }, options: { delay: '1h' } }
      for (let count = 0; count < 4; count++) await jobs.create(sleep)
      await page.goto(`${dashboard}/jobs`)
      await page.waitForSelector('body[data-live="live"]')
      await page.locator('#rows > tr').nth(3).waitFor()
      assert.isTrue(await page.locator('#bulk').isHidden())
      await page.keyboard.press('j')
      await page.keyboard.press('x')
      await page.keyboard.press('j')
      await page.keyboard.press('x')
      assert.equal(await page.textContent('#bulk b'), '2 ticked')

      await page.click('#ticked-priority')
      await page.fill('#confirm[open] #bulk-priority', '7')
      await page.click('#confirm[open] #confirm-keep')
      assert.equal(await page.textContent('#bulk b'), '2 ticked')

      await page.click('#ticked-cancel')
      await page.waitForSelector('#confirm[open] h2:has-text("Cancel 2 jobs?")')
      await page.click('#confirm[open] #confirm-yes')
      await page.waitForURL('**/bulk/*')
      await page.waitForSelector('#bulk-state:has-text("done")')
      assert.equal(await page.textContent('#bulk-count'), '2 of 2')
      assert.equal(await page.locator('#bulk-rows > tr[data-s="completed"]').count(), 2)
      await page.click('#bulk-audit')
      await page.waitForSelector('#audit-rows:has-text("bulk action")')

      await page.goto(`${dashboard}/jobs?status=cancelled`)
      await page.check('#tick-all')
      await page.click('#ticked-delete')
      await page.click('#confirm[open] #confirm-yes')
      await page.waitForSelector('#bulk-state:has-text("done")')
      await page.goto(`${dashboard}/jobs`)
      await page.locator('#rows > tr').nth(1).waitFor()
      assert.equal(await page.locator('#rows > tr').count(), 2)
      assert.deepEqual(problems, [])
      await close()
    })

    test('on a phone the bar of ticked rows shows every action, each large enough to touch', async ({
      assert,
    }) => {
      const { page, close } = await newPage({ viewport: { width: 390, height: 844 } })
      await page.goto(`${dashboard}/jobs`)
      await page.waitForSelector('body[data-live="live"]')
      await page.locator('#rows .c-tick input').first().check()
      for (const name of ['cancel', 'restart', 'priority', 'delete', 'clear']) {
        const box = (await page.locator(`#ticked-${name}`).boundingBox())!
        assert.isAtLeast(box.height, 44, name)
        assert.isAtLeast(box.x, 0, name)
        assert.isAtMost(box.x + box.width, 390, name)
        assert.isAtMost(box.y + box.height, 844, name)
      }
      await close()
    })

    test('queues keep room for their names at every width', async ({ assert }) => {
      const { page, close } = await newPage({ viewport: { width: 1440, height: 900 } })
      await page.goto(`${dashboard}/queues`)
      for (const width of [1440, 1024, 900, 768, 660, 390]) {
        await page.setViewportSize({ width, height: 900 })
        const name = (await page.locator('#queue-rows th').first().boundingBox())!
        assert.isAtLeast(name.width, 100, `${width} px`)
      }
      await close()
    })

    test('on a phone every page is two taps away, without scripts too', async ({ assert }) => {
      const { page, close } = await newPage({
        ...{ viewport: { width: 390, height: 844 }, javaScriptEnabled: false },
      })
      await page.goto(dashboard)
      const labels = page.locator('.tabbar > * > span')
      let right = 0
      for (const label of await labels.all()) {
        const box = (await label.boundingBox())!
        assert.isAtLeast(box.x, right + 4, (await label.textContent())!)
        right = box.x + box.width
      }
      assert.isBelow(right, 390)
      for (const name of ['Schedules', 'Alerts', 'Cleanup', 'Audit']) {
        await page.locator('#tab-more').click()
        const link = page.locator('#more-pages').getByRole('link', { name })
        assert.isAtLeast((await link.boundingBox())!.height, 44, name)
        await link.click()
        await page.waitForSelector('#tab-more[aria-current]')
        assert.match(await page.title(), new RegExp(name))
      }
      await close()
    })

    test('a new job enters the list, moves and ends there without a reload', async ({ assert }) => {
      const { page, problems, close } = await newPage({ viewport: { width: 1440, height: 900 } })
      await page.goto(`${dashboard}/jobs`)
      await live(page)
      await page.evaluate(() => document.body.setAttribute('data-opened', 'once'))
      const id = await sleeping(LONG)
      await page.waitForSelector(`#job-${id}[data-s="running"]`)
      await page.waitForFunction((row) => {
        const percent = document.querySelector(`#job-${row} [data-part="percent"]`)?.textContent
        return percent && Number.parseInt(percent) > 0
      }, id)
      await jobs.cancel(id)
      await page.waitForSelector(`#job-${id}[data-s="cancelled"]`)
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

    test('a list that is refused says why, and the address stays that of the list which is shown', async ({
      assert,
      cleanup,
    }) => {
      const { page, close } = await newPage()
      cleanup(close)
      await page.goto(`${dashboard}/jobs?queue=demo`)
      await live(page)
      await page.fill('#q', 'status:failed')
      await page.locator('.toast', { hasText: 'choose the filter "status"' }).waitFor()
      assert.equal(new URL(page.url()).search, '?queue=demo')
      await page.fill('#q', 'user:nobody')
      await page.waitForURL(/user%3Anobody/)
    })

    test('what was typed outlives the end of the session', async ({ assert, cleanup }) => {
      const { page, close } = await newPage()
      cleanup(close)
      await page.goto(`${dashboard}/schedules/new`)
      await page.fill('#s-name', 'Long in the typing')
      await page.fill('#s-type', 'demo.sleep')
      await page.fill('#s-cron', '0 6 * * FRI')
      await page.selectOption('#s-overlap', 'queue')
      await page.context().clearCookies()
      await page.click('#schedule-save')
      await refused(page)
      assert.equal(await page.inputValue('#s-name'), 'Long in the typing')
      assert.equal(await page.inputValue('#s-cron'), '0 6 * * FRI')
      assert.equal(await page.inputValue('#s-overlap'), 'queue')
      await page.goto(`${dashboard}/schedules/new`)
      assert.equal(await page.inputValue('#s-name'), '')
    })

    test('what was chosen for a run outlives the end of the session', async ({
      assert,
      cleanup,
    }) => {
      const { page, close } = await newPage()
      cleanup(close)
      await page.goto(`${origin}/pipelines/new`)
      await page.fill('#r-size', '111')
      await page.selectOption('#r-cut', 'character')
      await page.uncheck('#kind-classification')
      await page.context().clearCookies()
      await page.click('#run-start')
      await refused(page)
      assert.equal(await page.inputValue('#r-size'), '111')
      assert.equal(await page.inputValue('#r-cut'), 'character')
      assert.isFalse(await page.isChecked('#kind-classification'))
      assert.isTrue(await page.isChecked('#kind-question_answer'))
    })

    test('a running job is cancelled by the dialog', async ({ assert }) => {
      const id = await sleeping(LONG)
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
      await page.goto(`${origin}/documents`)
      await page.setInputFiles('#document', DOCUMENT)
      await page.click('#upload-submit')
      await page.waitForURL(/documents\?sent=[0-9a-f-]{36}$/)
      await page.waitForSelector('job-monitor[terminal]')
      await free(page)
      assert.include(await page.textContent('job-monitor'), 'completed')
      assert.deepEqual(problems, [])
      await close()
    })

    documentsPages(() => ({ origin, jobs }))

    test('the button of a monitor stays busy through a reload, until the job has ended', async ({
      assert,
    }) => {
      const id = await sleeping(LONG)
      const { page, problems, close } = await newPage()
      await page.goto(`${origin}/documents?sent=${id}`)
      await busy(page)
      await page.reload()
      await busy(page)
      await page.waitForSelector('job-monitor[status="running"]')
      await page.evaluate(() => document.body.setAttribute('data-opened', 'once'))
      await jobs.cancel(id)
      await free(page)
      assert.equal((await jobs.find(id)).status, 'cancelled')
      assert.equal(await page.getAttribute('body', 'data-opened'), 'once')
      assert.deepEqual(problems, [])
      await close()
    })

    test('without scripts the page of documents refreshes itself until the job has ended', async ({
      assert,
    }) => {
      const id = await sleeping(LONG)
      const { page, close } = await newPage({ javaScriptEnabled: false })
      await page.goto(`${origin}/documents?sent=${id}`)
      await busy(page)
      await jobs.cancel(id)
      await page.waitForSelector('job-monitor[terminal]')
      await free(page)
      assert.equal((await jobs.find(id)).status, 'cancelled')
      await close()
    })

    /** A limit changes no job, so nothing is announced: the page has to find out. */
    test('why a job waits follows the limits, in the list and on the page of the job', async ({
      assert,
    }) => {
      await ace(['queue:limits', '--user-of=ada:1'])
      const list = await newPage()
      const sleep = { type: 'demo.sleep', payload: { ms: 120_000, steps: 1 } }
      for (let count = 0; count < 4; count++) {
        await jobs.create({ ...sleep, options: { user: count < 3 ? 'ada' : undefined } })
      }
      await list.page.goto(`${dashboard}/jobs`)
      const waiting = list.page.locator('#rows > tr[data-s="pending"]', { hasText: 'ada' })
      await waiting.filter({ hasText: 'user limit 1/1' }).nth(1).waitFor()
      const single = await newPage()
      await single.page.goto(`${dashboard}/jobs/${await waiting.first().getAttribute('data-id')}`)
      await single.page.waitForSelector('.strip:has-text("user limit 1/1")')
      for (const { page } of [list, single]) await page.waitForSelector('body[data-live="live"]')
      const requests: number[] = []
      list.page.on('response', (response) => {
        if (response.request().headers()['x-queuedeck-refresh']) requests.push(response.status())
      })
      await list.page.evaluate(() => document.body.setAttribute('data-opened', 'once'))

      const { code, output } = await ace(['queue:limits', '--user-of=ada:2'])
      assert.equal(code, 0, output)
      await waiting.filter({ hasText: 'user limit 2/2' }).waitFor({ timeout: 20_000 })
      await single.page.waitForSelector('.strip:has-text("user limit 2/2")', { timeout: 20_000 })
      assert.equal(await waiting.count(), 1)

      // Nothing changes: rows are asked for again, and there is nothing to send.
      requests.length = 0
      await list.page.waitForResponse((response) => response.status() === 304)
      assert.isAtMost(requests.length, 6)
      assert.equal(await list.page.getAttribute('body', 'data-opened'), 'once')
      for (const { problems, close } of [list, single]) {
        assert.deepEqual(problems, [])
        await close()
      }
    })
  })
})
