import { test } from '@japa/runner'
import type { Page } from 'playwright-core'
import { closeBrowser, newPage, withBrowser } from '../helpers/browser.ts'
import { violations } from './axe.ts'
import { jobSample } from './stage/job_sample.ts'
import * as samples from './stage/samples.ts'
import { waitFor } from '../helpers/wait.ts'
import { Stage } from './stage/stage.ts'

/** Presses the key that leads to the search field, until it has: a page that is still at work may miss the first. */
const toSearch = (page: Page) =>
  waitFor('the focus to be in the search field', async () => {
    if (await page.evaluate(() => document.activeElement?.id === 'q')) return true
    await page.keyboard.press('/')
    return false
  })

withBrowser(() => {
  test.group('Acting in a browser', (group) => {
    let stage: Stage
    const rows = Array.from({ length: 50 }, (_, index) => samples.row(index))
    const running = rows.find(({ status }) => status === 'running')!

    group.each.setup(async () => {
      stage = await Stage.open()
      stage.answer = (request, url) => {
        const partial = request.headers['hx-request-type'] === 'partial'
        if (url.pathname.endsWith('/cancel')) {
          const confirm = {
            action: 'cancel',
            title: 'Cancel this job?',
            text: 'It is told to stop.',
            job: running,
            url: url.pathname,
            backUrl: running.url,
            button: 'Cancel job',
            destructive: true,
            refused: null,
          }
          const template = partial ? 'queuedeck::partials/confirm' : 'queuedeck::pages/confirm'
          return { template, data: { page: samples.page('confirm'), confirm } }
        }
        if (request.headers['x-queuedeck-refresh'] === 'rows') {
          return { template: 'queuedeck::partials/jobs_rows', data: { rows } }
        }
        if (url.pathname === `${samples.PREFIX}/jobs`) {
          const page = samples.page('jobs', { search: url.searchParams.get('q') ?? '' })
          const template = partial ? 'queuedeck::partials/jobs_region' : 'queuedeck::pages/jobs'
          return { template, data: { page, jobs: samples.jobs(rows) } }
        }
        const page = samples.page('job')
        page.urls.current = url.pathname
        return {
          template: partial ? 'queuedeck::partials/job_region' : 'queuedeck::pages/job',
          data: { page, job: jobSample(running) },
        }
      }
      return () => stage.close()
    })
    group.teardown(closeBrowser)

    test('asks before it cancels, acts once, and gives the focus back', async ({ assert }) => {
      const { page, problems, close } = await newPage()
      await page.goto(stage.url + running.url.slice(samples.PREFIX.length))
      await page.waitForSelector('body[data-live="live"]')
      await page.click('#job-cancel')
      await page.waitForSelector('#confirm[open] #confirm-yes')
      assert.deepEqual(await violations(page), [])
      await page.keyboard.press('Escape')
      assert.equal(stage.actions.length, 0)
      assert.equal(await page.evaluate(() => document.activeElement!.id), 'job-cancel')
      await page.click('#job-cancel')
      await page.click('#confirm[open] #confirm-yes')
      await page.waitForSelector('#confirm:not([open])', { state: 'attached' })
      assert.deepEqual(
        stage.actions.map(({ path }) => path),
        [`${running.url}/cancel`]
      )
      assert.equal(stage.actions[0]!.headers['x-csrf-token'], 'token')
      assert.equal(stage.actions[0]!.headers['x-queuedeck-page'], 'true')
      stage.session = 'tokenless'
      await page.goto(stage.url + running.url.slice(samples.PREFIX.length))
      await page.waitForSelector('body[data-live="live"]')
      await page.click('#job-cancel')
      await page.click('#confirm[open] #confirm-yes')
      await page.waitForSelector('.toast >> text=The session of this page has ended')
      stage.session = 'ended'
      stage.change()
      await page.waitForURL('**/login')
      assert.deepEqual(problems, [])
      await close()
    })

    test('asks and acts on pages of their own without scripts', async ({ assert }) => {
      const { page, close } = await newPage({ javaScriptEnabled: false })
      await page.goto(stage.url + running.url.slice(samples.PREFIX.length))
      await page.click('#job-cancel')
      await page.click('#confirm-yes')
      await page.waitForURL('**/jobs')
      assert.deepEqual(
        stage.actions.map(({ path, body }) => ({ path, body })),
        [{ path: `${running.url}/cancel`, body: '_csrf=token' }]
      )
      await close()
    })

    test('searches, sorts, filters and pages by keyboard, with everything in the address', async ({
      assert,
    }) => {
      const { page, problems, close } = await newPage({ viewport: { width: 1440, height: 900 } })
      await page.goto(`${stage.url}/jobs`)
      await page.waitForSelector('body[data-live="live"]')
      await toSearch(page)
      await page.keyboard.type('mara')
      await page.waitForURL('**/jobs?q=mara*')
      assert.equal(await page.inputValue('#q'), 'mara')
      for (const [id, address] of [
        ['sort-duration', 'sort=-duration'],
        ['facet-status-0', 'status='],
        ['page-older', 'cursor=next'],
      ] as const) {
        await page.focus(`#${id}`)
        await page.keyboard.press('Enter')
        await page.waitForURL(`**/jobs?*${address}*`)
      }
      assert.deepEqual(problems, [])
      await close()
    })

    test('searches what was typed while the list of an earlier search arrived', async ({
      assert,
    }) => {
      const { page, close } = await newPage()
      const held = hold(({ searchParams }) => searchParams.get('q') === 'm')
      await page.goto(`${stage.url}/jobs`)
      await page.waitForSelector('body[data-live="live"]')
      await toSearch(page)
      await page.keyboard.type('m')
      await held.asked
      await page.keyboard.type('ara')
      held.release()
      await page.waitForURL('**/jobs?q=mara*')
      assert.equal(await page.inputValue('#q'), 'mara')
      await close()
    })

    test('shows the list that was asked for last, whichever arrives last', async ({ assert }) => {
      const { page, close } = await newPage({ viewport: { width: 1440, height: 900 } })
      const held = hold(({ searchParams }) => searchParams.get('sort') === '-duration')
      await page.goto(`${stage.url}/jobs`)
      await page.waitForSelector('body[data-live="live"]')
      await page.click('#sort-duration')
      await held.asked
      await page.click('#page-older')
      await page.waitForURL('**/jobs?*cursor=next*')
      const shown = page.url()
      held.release()
      await page.evaluate(() => fetch(location.href))
      assert.equal(page.url(), shown)
      await close()
    })

    test('covers nothing of a phone while no row is ticked, and has all below the list without scripts', async ({
      assert,
    }) => {
      const phone = { width: 390, height: 844 }
      const { page, close } = await newPage({ viewport: phone })
      await page.goto(`${stage.url}/jobs`)
      await page.waitForSelector('body[data-live="live"]')
      await page.click('#page-older')
      await page.waitForURL('**/jobs?*cursor=next*')
      const place = () => page.locator('#foot').evaluate((foot) => getComputedStyle(foot).position)
      assert.equal(await place(), 'static')
      await page.locator('.tbl.jobs tbody input').first().check()
      await page.waitForSelector('#bulk:not([hidden])')
      assert.equal(await place(), 'fixed')
      await close()

      const plain = await newPage({ viewport: phone, javaScriptEnabled: false })
      await plain.page.goto(`${stage.url}/jobs`)
      for (const id of ['plain-cancel', 'plain-delete', 'page-older']) {
        const box = (await plain.page.locator(`#${id}`).boundingBox())!
        assert.isAtMost(box.x + box.width, phone.width, id)
      }
      await plain.close()
    })

    /** Keeps the answer to some lists back; the region's own address is that of its list, as in the application. */
    function hold(isHeld: (url: URL) => boolean) {
      const answer = stage.answer
      const { promise: released, resolve: release } = Promise.withResolvers<void>()
      const { promise: asked, resolve: ask } = Promise.withResolvers<void>()
      stage.answer = async (request, url) => {
        if (isHeld(url)) {
          ask()
          await released
        }
        const answered = await answer(request, url)
        if (answered && 'data' in answered && answered.data.jobs) {
          Object.assign(answered.data.jobs, { selfUrl: url.pathname + url.search })
        }
        return answered
      }
      return { asked, release }
    }
  })
})
