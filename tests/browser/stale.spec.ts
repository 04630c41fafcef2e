import { test } from '@japa/runner'
import type { Page } from 'playwright-core'
import type { JobRow } from '../../src/dashboard/presenters/types.ts'
import { closeBrowser, listen, newPage, withBrowser } from '../helpers/browser.ts'
import { waitFor } from '../helpers/wait.ts'
import { jobSample } from './stage/job_sample.ts'
import * as samples from './stage/samples.ts'
import { type PageAnswer, Stage } from './stage/stage.ts'

const live = (page: Page) => page.waitForSelector('body[data-live="live"]')

/** As if the person looked at another window, or came back. */
const hide = (page: Page, isHidden: boolean) =>
  page.evaluate((to) => {
    Object.defineProperty(document, 'hidden', { configurable: true, get: () => to })
    document.dispatchEvent(new Event('visibilitychange'))
  }, isHidden)

withBrowser(() => {
  test.group('What would keep a page old', (group) => {
    let stage: Stage
    let rows: JobRow[]
    /** What a request gets (of a refresh, by its kind), given what it would get. */
    let instead: (kind: string, answer: PageAnswer) => PageAnswer | Promise<PageAnswer>

    group.each.setup(async () => {
      stage = await Stage.open()
      rows = Array.from({ length: 10 }, (_, index) =>
        samples.row(index, { status: 'running', mark: 'running' })
      )
      instead = (_, answer) => answer
      stage.answer = async (request, url) => {
        const kind = String(request.headers['x-queuedeck-refresh'] ?? '')
        return instead(kind, answerTo(kind, request.headers['hx-request'] !== undefined, url))
      }
      return () => stage.close()
    })
    group.teardown(closeBrowser)

    const list = (kind: string, isPart: boolean, url: URL): PageAnswer => {
      const has = url.searchParams.get('have') ?? ''
      const shown = rows.map((row) =>
        has.includes(row.id.slice(-12)) ? ({ id: row.id, same: true } as unknown as JobRow) : row
      )
      if (kind === 'rows') {
        return { template: 'queuedeck::partials/jobs_rows', data: { rows: shown } }
      }
      const stream = `${samples.PREFIX}/stream?page=jobs&q=${url.searchParams.get('q') ?? ''}`
      const page = samples.page('jobs', { revision: stage.revision, stream })
      const template = isPart ? 'queuedeck::partials/jobs_region' : 'queuedeck::pages/jobs'
      return { template, data: { page, jobs: samples.jobs(shown) } }
    }

    const answerTo = (kind: string, isPart: boolean, url: URL): PageAnswer => {
      if (url.pathname === `${samples.PREFIX}/jobs`) return list(kind, isPart, url)
      const isSheet = isPart && kind !== 'job'
      const page = samples.page('job', { revision: stage.revision, fragment: isSheet })
      page.urls.current = url.pathname
      const template = isSheet ? 'job_sheet' : isPart ? 'job_region' : ''
      return {
        template: template ? `queuedeck::partials/${template}` : 'queuedeck::pages/job',
        data: { page, job: jobSample(rows[0]!) },
      }
    }

    /** The first row's job ends, and the stream says so. */
    const endFirst = () => {
      rows[0] = samples.row(0, { status: 'completed', mark: 'completed' })
      stage.revision++
      stage.send('changed', { revision: stage.revision, ids: [rows[0].id], more: false })
    }
    const ended = () => `#job-${rows[0]!.id}[data-s="completed"]`
    const asked = (kind: string) =>
      stage.requests.filter(({ headers }) => headers['x-queuedeck-refresh'] === kind).length

    const opened = async () => {
      const { page, problems, close } = await newPage({ viewport: { width: 1440, height: 900 } })
      await page.goto(`${stage.url}/jobs`)
      await live(page)
      return { page, problems, close }
    }

    test('a change while the person shortly looked elsewhere is shown on return', async () => {
      const { page, close } = await opened()
      await hide(page, true)
      const told = await listen(page, 'queuedeck:changed')
      endFirst()
      await told()
      await hide(page, false)
      await page.waitForSelector(ended())
      await close()
    })

    test('another list is told of by a stream of its own', async ({ assert }) => {
      const { page, problems, close } = await opened()
      await page.fill('#q', 'user:ada')
      await waitFor('a stream of that list', () =>
        stage.requests.some(({ url }) => url.includes('/stream?page=jobs&q=user'))
      )
      await waitFor('the other one to end', () => stage.streams === 1)
      await live(page)
      endFirst()
      await page.waitForSelector(ended())
      assert.deepEqual(problems, [])
      await close()
    })

    test('rows of a process that has not heard of a change are asked for again', async ({
      assert,
    }) => {
      const { page, close } = await opened()
      const old = list('rows', true, new URL(`${stage.url}/jobs`))
      let isBehind = true
      instead = (kind, answer) => {
        if (kind !== 'rows' || !isBehind) return answer
        isBehind = false
        return { ...old, headers: { 'x-queuedeck-revision': stage.revision - 1 } }
      }
      endFirst()
      await page.waitForSelector(ended())
      assert.isFalse(isBehind)
      await close()
    })

    test('rows that are new are not sent again because what surrounds them is older', async ({
      assert,
    }) => {
      const { page, close } = await opened()
      instead = (_, answer) => {
        const { revision } = stage
        const headers = {
          'x-queuedeck-revision': revision - 1,
          'x-queuedeck-rows-revision': revision,
        }
        return { ...answer, headers }
      }
      endFirst()
      await page.waitForSelector(ended())
      const region = await waitFor('the list to follow', () =>
        stage.requests.find(({ headers }) => headers['x-queuedeck-refresh'] === 'jobs')
      )
      assert.include(region.url, rows[0]!.id.slice(-12))
      await close()
    })

    test('a page asks for nothing while a form leads elsewhere, and goes on when it leads nowhere', async ({
      assert,
    }) => {
      const { page, close } = await opened()
      await page.route('**/held', (route) => route.fulfill({ status: 204 }))
      await page.evaluate(() => {
        const form = document.createElement('form')
        Object.assign(form, { method: 'post', action: '/held' })
        document.body.append(form)
        form.requestSubmit()
      })
      const told = await listen(page, 'queuedeck:changed')
      endFirst()
      await told()
      const since = performance.now()
      await waitFor('a refresh', () => asked('rows') + asked('jobs') > 0)
      assert.isAbove(performance.now() - since, 2_000)
      await close()
    })

    test('a server that has no time for a refresh is asked again', async ({ assert }) => {
      const { page, close } = await opened()
      let refused = 0
      instead = (kind, answer) =>
        kind !== '' && refused++ < 2 ? { ...answer, status: 429 } : answer
      endFirst()
      await page.waitForSelector(ended())
      assert.isAbove(refused, 2)
      await close()
    })

    test('a window whose stream another one held has its own at once when somebody looks', async ({
      assert,
    }) => {
      const { page, close } = await opened()
      const second = await page.context().newPage()
      await second.goto(`${stage.url}/jobs`)
      await live(second)
      assert.equal(stage.streams, 1)
      await hide(second, true)
      await page.close()
      await waitFor('no stream', () => stage.streams === 0)
      await hide(second, false)
      await waitFor('a stream', () => stage.streams === 1, { within: 10_000 })
      await close()
    })

    test('progress that came while a refresh was on its way stays', async () => {
      const { page, close } = await opened()
      let release = () => {}
      const held = new Promise<void>((resolve) => (release = resolve))
      instead = async (kind, answer) => {
        if (kind !== '') await held
        return answer
      }
      stage.change()
      await waitFor('a refresh', () => asked('rows') + asked('jobs') > 0)
      const percent = `#job-${rows[3]!.id} [data-part="percent"]`
      stage.send('progress', [[rows[3]!.id, 97, 'Splitting pages', '7 / 9', null, 'pages']])
      await page.waitForSelector(`${percent}:text-is("97 %")`)
      const worked = await listen(page, 'htmx:finally:request', 'jobs')
      release()
      await worked()
      await page.waitForSelector(`${percent}:text-is("97 %")`)
      await close()
    })

    const openSheet = (page: Page) => page.click(`#open-${rows[0]!.id}`)
    const sheetEnded = (page: Page) =>
      page.waitForSelector('#sheet[open] #sheet-job[data-s="completed"]')

    test('a job that ends while its sheet is read for the first time is shown as ended', async () => {
      const { page, close } = await opened()
      let isFirst = true
      instead = async (_, answer) => {
        if (!answer.template.endsWith('job_sheet') || !isFirst) return answer
        isFirst = false
        endFirst()
        await waitFor('the list to hear of it', () => asked('jobs') > 0)
        return answer
      }
      await openSheet(page)
      await sheetEnded(page)
      await close()
    })

    test('a job that ends while its open sheet is read again is shown as ended', async () => {
      const { page, close } = await opened()
      await openSheet(page)
      await page.waitForSelector('#sheet[open] #sheet-job')
      let isFirst = true
      instead = async (kind, answer) => {
        if (kind !== 'sheet-job' || !isFirst) return answer
        isFirst = false
        const before = asked('jobs')
        endFirst()
        await waitFor('the list to hear of it', () => asked('jobs') > before)
        return answer
      }
      await sheetEnded(page)
      await close()
    })

    test('a sheet that could not be read is read again', async ({ assert }) => {
      const { page, close } = await opened()
      await openSheet(page)
      await page.waitForSelector('#sheet[open] #sheet-job')
      let refused = 0
      instead = (kind, answer) =>
        kind === 'sheet-job' && refused++ < 2 ? { ...answer, status: 503 } : answer
      endFirst()
      await sheetEnded(page)
      assert.isAbove(refused, 2)
      await close()
    })

    test('what no revision tells is asked for until the job has ended', async () => {
      const { page, close } = await newPage()
      await page.goto(`${stage.url}/jobs/${rows[0]!.id}`)
      await live(page)
      await waitFor('the page to ask by itself', () => asked('job') > 1)
      endFirst()
      await page.waitForSelector('#job[data-s="completed"]')
      await page.goto(`${stage.url}/jobs`)
      await live(page)
      await page.click(`#open-${rows[0]!.id}`)
      await page.waitForSelector('#sheet[open] #sheet-job[data-s="completed"]')
      rows[0] = samples.row(0, { status: 'running', mark: 'running' })
      stage.change()
      await page.waitForSelector('#sheet[open] #sheet-job[data-s="running"]')
      const before = asked('sheet-job')
      await waitFor('the sheet to ask by itself', () => asked('sheet-job') > before + 1)
      await close()
    })

    test('open alerts are counted, and servers that are away named, by each refresh', async ({
      assert,
    }) => {
      const { page, problems, close } = await opened()
      let isAway = true
      instead = (_, answer) => {
        const shown = answer.data.page as ReturnType<typeof samples.page> | undefined
        const text = 'Redis does not answer'
        const away = isAway ? [{ service: 'redis' as const, text, since: null }] : []
        const headers = {
          'x-queuedeck-alerts': isAway ? 3 : 0,
          'x-queuedeck-away': isAway ? 'redis' : '',
        }
        return { ...answer, headers, data: { ...answer.data, page: shown && { ...shown, away } } }
      }
      stage.change()
      await page.waitForSelector('#away:has-text("Redis does not answer")')
      assert.equal(await page.textContent('#tab-more .nav-count'), '3')
      isAway = false
      await page.waitForSelector('#away:not(:has(.banner))', { state: 'attached' })
      assert.equal(await page.locator('.nav-count').count(), 0)
      assert.deepEqual(problems, [])
      await close()
    })
  })
})
