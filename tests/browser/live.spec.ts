import { test } from '@japa/runner'
import type { Page } from 'playwright-core'
import type { JobRow } from '../../src/dashboard/presenters/types.ts'
import { closeBrowser, newPage, listen, withBrowser, writeHalfAWord } from '../helpers/browser.ts'
import { waitFor } from '../helpers/wait.ts'
import { jobSample } from './stage/job_sample.ts'
import * as samples from './stage/samples.ts'
import { Stage } from './stage/stage.ts'

const state = (page: Page, expected: string, timeout = 30_000) =>
  page.waitForSelector(`body[data-live="${expected}"]`, { timeout })

const running = (length: number) =>
  Array.from({ length }, (_, index) => samples.row(index, { status: 'running', mark: 'running' }))

withBrowser(() => {
  test.group('Live pages in a browser', (group) => {
    let stage: Stage
    let rows: JobRow[]
    let fresh: number

    group.each.setup(async () => {
      stage = await Stage.open()
      rows = running(10)
      fresh = 0
      stage.answer = (request, url) => {
        const partial = request.headers['hx-request-type'] === 'partial'
        const page = samples.page('jobs', {
          revision: stage.revision,
          search: url.searchParams.get('q') ?? '',
        })
        if (request.headers['x-queuedeck-refresh'] === 'rows') {
          return { template: 'queuedeck::partials/jobs_rows', data: { rows } }
        }
        if (url.pathname === `${samples.PREFIX}/jobs`) {
          const jobs = samples.jobs(rows, { fresh: url.searchParams.has('pin') ? fresh : 0 })
          const template = partial ? 'queuedeck::partials/jobs_region' : 'queuedeck::pages/jobs'
          return { template, data: { page, jobs } }
        }
        const job = jobSample(rows[0]!)
        const data = { page: samples.page('job', { revision: stage.revision }), job }
        return {
          template: partial ? 'queuedeck::partials/job_sheet' : 'queuedeck::pages/job',
          data,
        }
      }
      return () => stage.close()
    })
    group.teardown(closeBrowser)

    test('a change leaves scroll, ticks, caret and half a word alone, and new rows wait', async ({
      assert,
    }) => {
      rows = running(100)
      const { page, problems, close } = await newPage({ viewport: { width: 1440, height: 900 } })
      await page.goto(`${stage.url}/jobs`)
      await state(page, 'live')
      await page.check(`#tick-${rows[20]!.id}`)
      await page.check(`#tick-${rows[21]!.id}`)
      await page.evaluate(() => window.scrollTo(0, 600))
      await writeHalfAWord(page)
      for (const index of [20, 21]) {
        rows[index] = samples.row(index, { status: 'completed', mark: 'completed' })
      }
      fresh = 50
      stage.change()
      await page.waitForSelector(`#job-${rows[20]!.id}[data-s="completed"]`)
      const seen = await page.evaluate(() => {
        const field = document.activeElement as HTMLInputElement
        return {
          scroll: window.scrollY,
          id: field.id,
          value: field.value,
          caret: field.selectionStart,
        }
      })
      assert.deepEqual(seen, { scroll: 600, id: 'q', value: 'hal', caret: 2 })
      assert.isTrue(await page.isChecked(`#tick-${rows[20]!.id}`))
      assert.isTrue(await page.isChecked(`#tick-${rows[21]!.id}`))
      /** Changed rows come at once, what is around them within a second. */
      await page.waitForFunction(
        () => document.querySelector('#pill')?.textContent?.trim() === '50 new'
      )
      const pins = stage.requests.map(({ url }) => new URL(url, stage.url).searchParams.get('pin'))
      assert.equal(pins.findLast(Boolean)!.split(',').length, 100)
      assert.deepEqual(problems, [])
      await close()
    })

    test('an open job stays open and keeps its scroll position while it changes', async ({
      assert,
    }) => {
      const { page, problems, close } = await newPage({ viewport: { width: 1440, height: 500 } })
      await page.goto(`${stage.url}/jobs`)
      await state(page, 'live')
      await page.click(`#open-${rows[0]!.id}`)
      await page.waitForSelector('#sheet[open] #sheet-job')
      // What the person reads is at the top: all that changes is above it.
      await page.evaluate(() => document.getElementById('sheet-payload')!.scrollIntoView())
      const place = () =>
        page.evaluate(() =>
          Math.round(document.getElementById('sheet-payload')!.getBoundingClientRect().top)
        )
      const before = await place()
      rows[0] = samples.row(0, { status: 'failed', mark: 'failed' })
      stage.change()
      await page.waitForSelector('#sheet[open] #sheet-job[data-s="failed"]')
      assert.equal(await place(), before)
      await page.keyboard.press('Escape')
      await page.waitForSelector('#sheet:not([open])', { state: 'attached' })
      await page.waitForFunction((id) => document.activeElement!.id === `open-${id}`, rows[0]!.id)
      assert.deepEqual(problems, [])
      await close()
    })

    test('a change that comes while the list is read is shown, though its revision is there already', async ({
      assert,
    }) => {
      const { page, problems, close } = await newPage({ viewport: { width: 1440, height: 900 } })
      await page.goto(`${stage.url}/jobs`)
      await state(page, 'live')
      const [first, second] = rows.map(({ id }) => id)
      const end = (index: number) => {
        rows[index] = samples.row(index, { status: 'completed', mark: 'completed' })
        stage.revision++
      }
      const answered = stage.answer
      let isRead = false
      stage.answer = async (request, url) => {
        const answer = await answered(request, url)
        const has = url.searchParams.get('have') ?? ''
        if (request.headers['x-queuedeck-refresh'] !== 'jobs' || has === '') return answer
        // The row is not asked for, and ends now: the answer says a revision of which it does not show everything.
        if (!isRead) end(1)
        isRead = true
        const known = rows.map((row) =>
          has.includes(row.id.slice(-12)) ? { id: row.id, same: true } : row
        )
        const around = samples.jobs(known as JobRow[])
        return {
          template: 'queuedeck::partials/jobs_region',
          data: { page: samples.page('jobs', { revision: stage.revision }), jobs: around },
        }
      }
      const region = await listen(page, 'htmx:finally:request', 'jobs')
      end(0)
      stage.send('changed', { revision: stage.revision, ids: [first], more: false })
      await page.waitForSelector(`#job-${first}[data-s="completed"]`)
      await region()
      assert.isTrue(isRead)
      stage.send('changed', { revision: stage.revision, ids: [second], more: false })
      await page.waitForSelector(`#job-${second}[data-s="completed"]`)
      assert.deepEqual(problems, [])
      await close()
    })

    test('progress is shown without a request', async ({ assert }) => {
      const { page, close } = await newPage()
      await page.goto(`${stage.url}/jobs`)
      await state(page, 'live')
      const before = stage.requests.length
      stage.send('progress', [[rows[3]!.id, 77, 'Splitting pages', '7 / 9', null, 'pages']])
      await page.waitForFunction((id) => {
        const row = document.getElementById(`job-${id}`)!
        return row.querySelector('[data-part="percent"]')!.textContent === '77 %'
      }, rows[3]!.id)
      assert.equal(
        await page.textContent(`#job-${rows[3]!.id} [data-part="context"]`),
        'Splitting pages'
      )
      const part = (name: string) => `#job-${rows[3]!.id} [data-part="${name}"]`
      assert.deepEqual(
        await Promise.all(['items', 'unit'].map((name) => page.textContent(part(name)))),
        ['7 / 9', 'pages']
      )
      /** It goes on to what it does not count; of the next nothing but the percentage may be told. */
      stage.send('progress', [[rows[3]!.id, 80, 'Writing', '', null, '']])
      await page.waitForSelector(`${part('percent')}:text-is("80 %")`)
      stage.send('progress', [[rows[3]!.id, 81, null, null, null, null]])
      await page.waitForSelector(`${part('percent')}:text-is("81 %")`)
      const shown = ['context', 'items', 'unit'].map((name) => page.textContent(part(name)))
      assert.deepEqual(await Promise.all(shown), ['Writing', '–', ''])
      assert.equal(stage.requests.length, before)
      await close()
    })

    function answerDashboard() {
      stage.answer = (request) => {
        const partial = request.headers['hx-request-type'] === 'partial'
        const page = samples.page('dashboard', { revision: stage.revision })
        const template = partial ? 'partials/dashboard_region' : 'pages/dashboard'
        return {
          template: `queuedeck::${template}`,
          data: { page, dashboard: samples.dashboard(rows) },
        }
      }
    }

    test('when workers of the dashboard last reported goes on by itself, and is asked for every ten seconds', async ({
      assert,
    }) => {
      answerDashboard()
      const { page, close } = await newPage()
      await page.goto(stage.url)
      await state(page, 'live')
      const reported = () =>
        page
          .locator('#workers .w-seen')
          .evaluateAll((cells) => cells.map((cell) => cell.textContent!.trim()))
      const fits = await page.locator('#workers .w-seen').evaluateAll((cells) =>
        cells.map((cell) => {
          const text = cell.querySelector('[data-elapsed]')!
          const before = cell.clientHeight
          const was = text.textContent
          text.textContent = '4 min 59 s'
          const fit = cell.clientHeight === before && cell.scrollWidth <= cell.clientWidth
          text.textContent = was
          return fit
        })
      )
      assert.deepEqual(fits, [true, true, true])
      const before = stage.requests.length
      await waitFor('each to count', async () =>
        (await reported()).every((text) => /^([6-9]|1\d)\.\d s ago$/.test(text))
      )
      assert.equal(stage.requests.length, before)
      await waitFor('the page to ask', () => stage.requests.length > before, { within: 15_000 })
      await close()
    })

    test('the list of workers comes again when their number changes', async ({ assert }) => {
      answerDashboard()
      const { page, close } = await newPage()
      await page.goto(stage.url)
      await state(page, 'live')
      const tell = (value: string, rest = {}) =>
        stage.send('stats', { activeWorkers: { figures: [{ value, unit: '' }] }, ...rest })
      const before = stage.requests.length
      const shown = await page.textContent('[data-stat="activeWorkers"] [data-part="figures"]')
      tell(shown!.trim(), { pending: { figures: [{ value: '7', unit: '' }] } })
      await page.waitForSelector('[data-stat="pending"] :text-is("7")')
      await page.waitForTimeout(300)
      assert.equal(stage.requests.length, before)
      tell('77')
      await waitFor('the page to ask', () => stage.requests.length > before)
      await close()
    })

    test('a stream that answers with an error page is polled around, and is live again by itself', async ({
      assert,
    }) => {
      const { page, close } = await newPage()
      await page.goto(`${stage.url}/jobs`)
      await state(page, 'live')
      stage.streamState = 'broken'
      stage.cut()
      await state(page, 'polling')
      assert.equal(await page.locator('#gateway').count(), 0)
      const age = () => page.textContent('#live .age')
      const first = await age()
      await page.waitForFunction(
        (text) => document.querySelector('#live .age')!.textContent !== text,
        first
      )
      rows[5] = samples.row(5, { status: 'failed', mark: 'failed' })
      stage.revision++
      stage.streamState = 'open'
      await state(page, 'live')
      await page.waitForSelector(`#job-${rows[5]!.id}[data-s="failed"]`)
      assert.equal(stage.streams, 1)
      await close()
    })

    test('windows of one browser that show the same are all live by one stream', async ({
      assert,
    }) => {
      const first = await newPage()
      const pages = [first.page]
      for (let count = 1; count < 3; count++) pages.push(await first.page.context().newPage())
      for (const page of pages) {
        await page.goto(`${stage.url}/jobs`)
        await state(page, 'live')
      }
      assert.equal(stage.streams, 1)
      stage.send('progress', [[rows[3]!.id, 77, 'Splitting pages', '7 / 9', null]])
      for (const page of pages) {
        await page.waitForSelector(`#job-${rows[3]!.id} [data-part="percent"]:has-text("77 %")`)
      }
      await first.close()
    })
  })
})
