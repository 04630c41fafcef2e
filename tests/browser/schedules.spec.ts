import { test } from '@japa/runner'
import type { Page } from 'playwright-core'
import { closeBrowser, newPage, withBrowser } from '../helpers/browser.ts'
import { waitFor } from '../helpers/wait.ts'
import { CLASSES } from '../functional/dashboard/jobs.ts'
import { DashboardLab, PREFIX } from '../functional/dashboard/lab.ts'
import { violations } from './axe.ts'

withBrowser(() => {
  test.group('Schedules in a browser', (group) => {
    let lab: DashboardLab
    let pages: string

    group.setup(async () => {
      lab = await DashboardLab.open({ classes: CLASSES })
      pages = lab.url + PREFIX
      await lab.work()
      const service = await lab.app.container.make('queuedeck.schedules.service')
      service.start()
      return async () => {
        await closeBrowser()
        await lab.close()
      }
    })

    const says = (page: Page, selector: string, text: string | RegExp) =>
      page.locator(selector).filter({ hasText: text }).first().waitFor()

    test('are made with words and moments while one types, live on their page, and deleted', async ({
      assert,
    }) => {
      const { page, problems, close } = await newPage({ timezoneId: 'Europe/Berlin' })
      await page.goto(`${pages}/schedules`)
      await page.click('#schedule-new')
      await page.fill('#s-name', 'Fridays')
      await page.fill('#s-type', 'tests.echo')
      /** What never fires, and what fires every second, says so before it is saved. */
      await page.fill('#s-cron', '0 9 30 2 *')
      await says(page, '#schedule-preview .error', 'never')
      await page.fill('#s-cron', '* * * * * *')
      await says(page, '#schedule-preview .warn', '86,400 jobs a day')
      await page.fill('#s-cron', '0 6 * * FRI')
      await page.fill('#s-zone', 'Asia/Tokyo')
      await says(page, '#schedule-preview', 'At 06:00 on Friday')
      assert.equal(await page.locator('#schedule-preview .moments li').count(), 5)
      assert.deepEqual(await violations(page), [])
      await page.click('#schedule-save')

      await says(page, '#schedule h1', 'Fridays')
      await page.waitForSelector('body[data-live="live"]')
      assert.equal(await page.locator('#schedule .moments li').count(), 5)
      assert.deepEqual(await violations(page), [])
      await page.click('#schedule-pause')
      await says(page, '#schedule .tag', 'paused')
      await page.click('#schedule-pause')
      await page.waitForSelector('#schedule .tag', { state: 'detached' })
      /** Its end arrives by itself. */
      await page.click('#schedule-run')
      await says(page, '#schedule .sr tbody', 'completed')
      await page.click('#schedule-edit')
      await page.fill('#s-cron', '')
      await page.fill('#s-zone', '')
      await page.fill('#s-every', '45m')
      await says(page, '#schedule-preview', 'Every 45 minutes')
      await page.click('#schedule-save')
      await says(page, '#schedule .trio', 'Every 45 minutes')
      await page.goto(`${pages}/schedules`)
      await says(page, '#schedule-rows', 'Fridays')
      assert.deepEqual(await violations(page), [])
      await page.click('#schedule-rows a.l1')
      await says(page, '#schedule h1', 'Fridays')
      await page.waitForSelector('body[data-live="live"]')
      await page.click('#schedule-delete')
      await page.waitForSelector('#confirm[open] #confirm-yes')
      await page.keyboard.press('Escape')
      assert.equal(await page.evaluate(() => document.activeElement!.id), 'schedule-delete')
      await page.click('#schedule-delete')
      await page.click('#confirm[open] #confirm-yes')
      await page.waitForURL('**/schedules')
      await page.waitForSelector('#schedules')
      assert.notInclude(await page.textContent('#schedules'), 'Fridays')
      assert.deepEqual(problems, [])
      await close()
    }).timeout(180_000)

    test('say what is typed before the scripts have come', async ({ assert }) => {
      const { page, problems, close } = await newPage()
      const typed = Promise.withResolvers<void>()
      const own = page.waitForResponse(/\/queuedeck-[^/]*\.js/)
      await page.route(/\.js(\?|$)/, async (route) => {
        await typed.promise
        // The library comes last: then both run at once, and it begins later than ours.
        if (route.request().url().includes('/htmx-')) await (await own).finished()
        await route.continue()
      })
      await page.goto(`${pages}/schedules/new`, { waitUntil: 'commit' })
      await page.fill('#s-cron', '0 6 * * FRI')
      typed.resolve()
      await says(page, '#schedule-preview', 'At 06:00 on Friday')
      assert.deepEqual(problems, [])
      await close()
    })

    test('are made, paused, run and deleted on a phone without scripts', async ({ assert }) => {
      const { page, close } = await newPage({
        javaScriptEnabled: false,
        viewport: { width: 390, height: 844 },
      })
      const fits = async (where: string) =>
        assert.isAtMost(await page.evaluate(() => document.documentElement.scrollWidth), 390, where)
      await page.goto(`${pages}/schedules/new`)
      await fits('form')
      await page.fill(
        '#s-name',
        'A schedule whose name is so long that no line of a phone holds it'
      )
      await page.fill('#s-type', 'tests.echo')
      await page.fill('#s-cron', '* * * * * *')
      await page.click('#schedule-save')
      await says(page, 'label', 'It is due every second: 86,400 jobs a day')
      await page.fill('#s-cron', '0 9 30 2 *')
      await page.click('#schedule-save')
      await says(page, '#form-error', 'never')
      await page.fill('#s-cron', '0 9 * * *')
      await page.click('#schedule-save')
      await says(page, '#schedule .trio', 'At 09:00')
      await fits('schedule')
      await page.click('#schedule-pause')
      await says(page, '#schedule .tag', 'paused')
      await page.goto(`${pages}/schedules`)
      await fits('schedules')
      await page.click('#schedule-rows [id^=pause-]')
      await page.waitForSelector('#schedule-rows .tag', { state: 'detached' })
      await page.click('#schedule-rows [id^=run-]')
      await waitFor('the run', async () => {
        await page.reload()
        return (await page.textContent('#schedule-rows .w-last'))!.includes('completed')
      })
      await page.click('#schedule-rows a.l1')
      await page.click('#schedule-delete')
      await page.click('#confirm-yes')
      await page.waitForSelector('#schedules')
      assert.notInclude(await page.textContent('#schedules'), 'A schedule whose name')
      await close()
    }).timeout(180_000)
  })
})
