import { test } from '@japa/runner'
import type { Page } from 'playwright-core'
import type { MonitorView } from '../../src/dashboard/presenters/types.ts'
import { closeBrowser, newPage, withBrowser } from '../helpers/browser.ts'
import { violations } from './axe.ts'
import { PREFIX } from './stage/samples.ts'
import { Stage } from './stage/stage.ts'

const HOST = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Upload</title></head><body><main><h1>Upload</h1>
<form method="post"><button id="send">Send</button></form>
@!queuedeck.monitor({ monitor })
</main></body></html>`

const busy = (page: Page) => page.waitForSelector('#send[aria-disabled="true"]')
const free = (page: Page) => page.waitForSelector('#send:not([aria-disabled])')

withBrowser(() => {
  test.group('Monitor in a browser', (group) => {
    let stage: Stage
    let monitor: MonitorView

    const state = () => {
      const { version, status, stopping, percent, stage: name, items, outcome, terminal } = monitor
      return { version, status, stopping, percent, stage: name, items, outcome, terminal }
    }
    const end = () => {
      monitor = {
        ...monitor,
        version: monitor.version + 1,
        status: 'completed',
        mark: 'completed',
        terminal: true,
        percent: 100,
        outcome: '12 pages',
      }
    }

    group.each.setup(async () => {
      stage = await Stage.open()
      stage.edge.registerTemplate('host', { template: HOST })
      const base = `${PREFIX}/monitors/1`
      monitor = {
        id: '1',
        elementId: 'queuedeck-monitor-1',
        type: 'document_processing.parse',
        status: 'running',
        mark: 'running',
        stopping: false,
        terminal: false,
        percent: 40,
        stage: 'Extracting text',
        items: '4 of 10 pages',
        outcome: '',
        result: null,
        error: null,
        version: 1,
        for: 'send',
        urls: { state: `${base}/state`, stream: `${base}/stream`, html: `${base}/html` },
        assets: Object.fromEntries(
          ['monitor.js', 'monitor.css'].map((name) => [name, `${PREFIX}/assets/${name}`])
        ),
      }
      stage.answer = (_, url) => {
        if (url.pathname === `${base}/state`) return { json: state() }
        if (url.pathname === `${base}/html`) {
          return { template: 'queuedeck::components/monitor_state', data: { monitor } }
        }
        return { template: 'host', data: { monitor } }
      }
      return () => stage.close()
    })
    group.teardown(closeBrowser)

    test('keeps the button busy through a reload, until the job has ended', async ({ assert }) => {
      const { page, problems, close } = await newPage()
      await page.goto(`${stage.url}/upload`)
      await busy(page)
      await page.click('#send', { force: true })
      assert.deepEqual(stage.actions, [])
      await page.reload()
      await busy(page)
      assert.deepEqual(await violations(page), [])
      monitor = { ...monitor, version: 2, percent: 80, stage: 'Splitting pages' }
      await page.waitForFunction(() =>
        performance.getEntriesByType('resource').some(({ name }) => name.endsWith('monitor.js'))
      )
      stage.send('state', state())
      await page.waitForFunction(
        () => document.querySelector('[data-part="percent"]')!.textContent === '80 %'
      )
      stage.send('state', { ...state(), version: 1, percent: 10 })
      end()
      stage.send('state', state())
      await free(page)
      assert.equal(await page.textContent('[data-part="percent"]'), '100 %')
      assert.include((await page.textContent('job-monitor'))!, '12 pages')
      assert.deepEqual(problems, [])
      await close()
    })

    test('asks by itself while its stream is broken', async ({ assert }) => {
      stage.streamState = 'broken'
      const { page, close } = await newPage()
      await page.goto(`${stage.url}/upload`)
      await busy(page)
      end()
      await free(page)
      assert.include((await page.textContent('job-monitor'))!, '12 pages')
      await close()
    })

    test('gives the button back when others answer in its place, and when it leaves the page', async ({
      assert,
    }) => {
      stage.streamState = 'broken'
      stage.edge.registerTemplate('login', { template: '<!doctype html><p>Log in</p>' })
      const own = stage.answer
      let isAway = true
      stage.answer = (request, url) =>
        url.pathname.endsWith('/html') || (isAway && url.pathname.endsWith('/state'))
          ? { template: 'login', data: {} }
          : own(request, url)
      const { page, problems, close } = await newPage()
      await page.goto(`${stage.url}/upload`)
      await busy(page)
      await page.waitForResponse((answer) => answer.url().endsWith('/state'))
      isAway = false
      end()
      await free(page)
      assert.equal(await page.textContent('[data-part="stage"]'), 'completed')
      monitor = { ...monitor, terminal: false, status: 'running' }
      await page.reload()
      await busy(page)
      await page.evaluate(() => document.querySelector('job-monitor')!.remove())
      await free(page)
      assert.deepEqual(
        problems.filter((problem) => problem.startsWith('error:')),
        []
      )
      await close()
    })

    test('loads the page again where its viewer is refused, but not where it was from the beginning', async ({
      assert,
    }) => {
      stage.streamState = 'broken'
      stage.edge.registerTemplate('refused', { template: '<!doctype html><p>Log in</p>' })
      const own = stage.answer
      let isRefused = true
      stage.answer = (request, url) =>
        isRefused && url.pathname.endsWith('/state')
          ? { template: 'refused', data: {}, status: 403 }
          : own(request, url)
      const { page, close } = await newPage()
      const answered = (status: number) =>
        page.waitForResponse(
          (answer) => answer.url().endsWith('/state') && answer.status() === status
        )
      await page.goto(`${stage.url}/upload`)
      const loads = () => stage.requests.filter(({ url }) => url.endsWith('/upload')).length
      await answered(403)
      await answered(403)
      assert.equal(loads(), 1)
      isRefused = false
      await answered(200)
      isRefused = true
      await page.waitForEvent('load')
      assert.equal(loads(), 2)
      await close()
    })

    test('loads the page again when its stream ends because its job was deleted', async ({
      assert,
    }) => {
      const { page, close } = await newPage()
      await page.goto(`${stage.url}/upload`)
      await busy(page)
      await page.waitForResponse((answer) => answer.url().endsWith('/stream'))
      stage.edge.registerTemplate('without', { template: HOST.replace(/^@.*$/m, '') })
      stage.answer = (_, url) =>
        url.pathname.endsWith('/state') ? null : { template: 'without', data: {} }
      stage.streamState = 'broken'
      stage.cut()
      await page.waitForEvent('load')
      await free(page)
      assert.equal(await page.locator('job-monitor').count(), 0)
      await close()
    })

    test('refreshes the page without scripts until the job has ended', async ({ assert }) => {
      const { page, close } = await newPage({ javaScriptEnabled: false })
      await page.goto(`${stage.url}/upload`)
      assert.include((await page.textContent('job-monitor'))!, 'This page refreshes itself')
      end()
      await page.waitForSelector('job-monitor[terminal]')
      assert.include((await page.textContent('job-monitor'))!, '12 pages')
      await close()
    })
  })
})
