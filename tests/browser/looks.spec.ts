import { test } from '@japa/runner'
import type { Page } from 'playwright-core'
import { closeBrowser, newPage, withBrowser } from '../helpers/browser.ts'
import { waitFor } from '../helpers/wait.ts'
import * as samples from './stage/samples.ts'
import { Stage } from './stage/stage.ts'

const WIDTHS = [768, 1024, 1440]

/** More filters than a line holds at any width. */
const CHIPS = Array.from({ length: 8 }, (_, index) => ({
  label: index % 2 ? 'type' : 'queue',
  value: `document_processing.step_${index}`,
  url: `${samples.PREFIX}/jobs`,
}))

const REFUSED = 'Cannot read "yesterday" as the moment of "from": write a day'

/** The filters with a moment that cannot be read, as the application answers them. */
function refusal() {
  const error = {
    status: 422,
    code: 'E_INVALID_INPUT',
    title: 'This cannot be used',
    text: REFUSED,
    field: 'from',
    since: null,
    action: null,
    bare: false,
  }
  return {
    template: 'queuedeck::partials/error_body',
    data: { page: samples.page('error'), error },
    status: 422,
    headers: { 'x-queuedeck': '1' },
  }
}

/** Whether something of each is cut off, by its own text. */
const cut = (page: Page, selector: string) =>
  page
    .locator(selector)
    .evaluateAll((elements) =>
      elements
        .filter(
          ({ scrollWidth, clientWidth, scrollHeight, clientHeight }) =>
            scrollWidth > clientWidth || scrollHeight > clientHeight
        )
        .map(({ textContent }) => textContent)
    )

/** How many lines the text of each takes. */
const lines = (page: Page, selector: string) =>
  page.locator(selector).evaluateAll((elements) =>
    elements.map((element) => {
      const range = document.createRange()
      range.selectNodeContents(element)
      const boxes = [...range.getClientRects()].filter(({ width }) => width > 0)
      boxes.sort((one, other) => one.top - other.top)
      return boxes.filter((box, at) => at === 0 || box.top > boxes[at - 1].bottom - 4).length
    })
  )

withBrowser(() => {
  test.group('Looks in a browser', (group) => {
    let stage: Stage
    let window: Awaited<ReturnType<typeof newPage>>
    const rows = Array.from({ length: 10 }, (_, index) => samples.row(index))

    group.setup(async () => {
      stage = await Stage.open()
      stage.answer = ({ headers }, { pathname, searchParams }) => {
        const dashboard = samples.dashboard(rows)
        for (const worker of dashboard.workers!) {
          Object.assign(worker, { pid: 4_194_304, version: '1.12.0-rc.1', reported: '14 min ago' })
        }
        if (pathname === samples.PREFIX) {
          const page = samples.page('dashboard')
          return { template: 'queuedeck::pages/dashboard', data: { page, dashboard } }
        }
        if (searchParams.get('from') === 'yesterday') return refusal()
        const jobs = samples.jobs(rows, { chips: searchParams.has('type') ? CHIPS : [] })
        const template = headers['hx-request-type'] ? 'partials/jobs_region' : 'pages/jobs'
        const data = { page: samples.page('jobs'), jobs }
        return headers['x-queuedeck-refresh'] === 'rows'
          ? { template: 'queuedeck::partials/jobs_rows', data: { rows } }
          : { template: `queuedeck::${template}`, data }
      }
      return async () => {
        await closeBrowser()
        await stage.close()
      }
    })
    group.each.setup(async () => {
      window = await newPage()
      return () => window.close()
    })

    const open = async (path: string, width: number) => {
      await window.page.setViewportSize({ width, height: 900 })
      await window.page.goto(stage.url + path)
      await window.page.waitForSelector('body[data-live="live"]')
      return window.page
    }

    test('the menu of a row has one line an item, its icon before its word, inside the window', async ({
      assert,
    }) => {
      for (const width of WIDTHS) {
        const page = await open('/jobs', width)
        await page.click('#rows > tr:nth-child(2) [data-menu]')
        const seen = await page.locator('#row-menu').evaluate((menu) => {
          const { left, right } = menu.getBoundingClientRect()
          const items = [...menu.querySelectorAll('[role="menuitem"]')].map((item) => {
            const texts = document.createTreeWalker(item, NodeFilter.SHOW_TEXT)
            let text = texts.nextNode()
            while (!text!.textContent!.trim()) text = texts.nextNode()
            const words = document.createRange()
            words.selectNodeContents(text!)
            const [word] = words.getClientRects()
            const icon = item.querySelector('svg')!.getBoundingClientRect()
            const box = item.getBoundingClientRect()
            return {
              top: box.top,
              bottom: box.bottom,
              fills: box.width > (right - left) * 0.9,
              isBefore: icon.right < word.left,
              isBeside: Math.abs(icon.top + icon.bottom - word.top - word.bottom) < 6,
            }
          })
          const { borderTopWidth, color } = getComputedStyle(menu)
          return { left, right, items, border: borderTopWidth, color }
        })
        assert.equal(seen.border, '0px')
        assert.isAtLeast(seen.left, 8)
        assert.isAtMost(seen.right, width - 8)
        let bottom = 0
        for (const item of seen.items) {
          assert.deepInclude(item, { fills: true, isBefore: true, isBeside: true }, `${width} px`)
          assert.isAtLeast(item.top, bottom, 'below the one before')
          assert.isAtLeast(item.bottom - item.top, 30)
          bottom = item.bottom
        }
        await page.keyboard.press('Escape')
      }
    })

    test('however many filters are in force, each can be seen and taken away', async ({
      assert,
    }) => {
      for (const width of WIDTHS) {
        const page = await open('/jobs?type=many', width)
        const wide = await page.evaluate(() => document.documentElement.scrollWidth)
        assert.isAtMost(wide, width)
        const tools = (await page.locator('.tools').boundingBox())!
        for (const chip of await page.locator('.chips :is(.chip, #chips-clear)').all()) {
          const box = (await chip.boundingBox())!
          assert.isAtMost(box.x + box.width, width)
          assert.isAtLeast(box.y, tools.y)
          assert.isAtMost(box.y + box.height, tools.y + tools.height)
          await chip.click({ trial: true })
        }
      }
    })

    test('a phone has the theme, the density, the time zone and the person under More', async ({
      assert,
    }) => {
      const page = await open('', 390)
      await page.click('#tab-more')
      const more = page.locator('#more-pages')
      assert.equal(await more.evaluate((menu) => getComputedStyle(menu).borderTopWidth), '0px')
      assert.match((await more.textContent())!, /Times are shown in UTC\./)
      assert.isTrue(await more.getByText('Mara Lindqvist').isVisible())
      for (const button of await more.locator('button').all()) {
        assert.isAtLeast((await button.boundingBox())!.height, 44)
      }
      await page.click('#more-theme-dark')
      assert.equal(await page.getAttribute('html', 'data-theme'), 'dark')
      assert.equal(await page.getAttribute('#more-theme-dark', 'aria-pressed'), 'true')
      assert.equal(await page.getAttribute('#theme-dark', 'aria-pressed'), 'true')
      await waitFor('the choice to be kept', () => stage.actions.length > 0)
      assert.deepEqual(
        stage.actions.map(({ body }) => body),
        ['theme=dark']
      )
    })

    test('a notice on a phone keeps its distance from both edges', async ({ assert }) => {
      const page = await open('/jobs', 390)
      stage.send('notice', { level: 'error', title: 'Failed', text: 'of a reason '.repeat(20) })
      const box = (await page.locator('.toast').boundingBox())!
      assert.isAtLeast(box.x, 8)
      assert.isAtMost(box.x + box.width, 382)
    })

    test('the dashboard cuts neither workers nor heads of charts', async ({ assert }) => {
      for (const width of WIDTHS) {
        const page = await open('', width)
        const where = `${width} px`
        assert.deepEqual(await cut(page, '.wk th .l2'), [], where)
        for (const text of ['.wk tbody .w-seen', '.chart-card .count', '.chart-card .key']) {
          const found = await lines(page, text)
          assert.isNotEmpty(found)
          assert.deepEqual([...new Set(found)], [1], `${text}, ${where}`)
        }
        const off = await page.locator('.chart-card > header').evaluateAll((heads) =>
          heads.map((head) => {
            const keys = [...head.querySelectorAll('.key')]
            const end = Math.max(...keys.map((key) => key.getBoundingClientRect().right))
            return head.getBoundingClientRect().right - end
          })
        )
        for (const space of off) assert.isAtMost(space, 17, `legends end at the edge, ${where}`)
        const shadows = await page
          .locator('.ranges .btn:not([aria-current])')
          .evaluateAll((choices) => choices.map((choice) => getComputedStyle(choice).boxShadow))
        assert.deepEqual([...new Set(shadows)], ['none'], 'one border around all ranges')
      }
    })

    test('a moment that cannot be read is told beside its field, and stays there to be mended')
      .with([1440, 390])
      .run(async ({ assert }, width) => {
        const page = await open('/jobs', width)
        await page.click('#filters-open')
        await page.fill('#filter-from', 'yesterday')
        await page.click('#filter-apply')
        const field = page.locator('#filter-from[aria-invalid="true"]')
        await field.waitFor()
        const id = (await field.getAttribute('aria-describedby'))!
        assert.equal((await page.locator(`#${id}:visible`).textContent())!.trim(), REFUSED)
        assert.equal(await page.evaluate(() => document.activeElement?.id), 'filter-from')
        assert.equal(await page.locator('.toast').count(), 0)
        const isCovered = await page.locator(`#${id}`).evaluate((error) => {
          const { left, bottom } = error.getBoundingClientRect()
          return !error.contains(document.elementFromPoint(left + 4, bottom - 4))
        })
        assert.isFalse(isCovered, 'no bar stands before it')
        // A refresh knows nothing of it.
        const refreshed = page.waitForResponse(/\/jobs\?.*have=|\/jobs(\?|$)/)
        stage.change()
        await refreshed
        await page.waitForTimeout(300)
        assert.equal(await field.inputValue(), 'yesterday')
        assert.isTrue(await page.locator(`#${id}`).isVisible())
        await page.fill('#filter-from', '2h')
        assert.equal(await page.locator('#filter-from[aria-invalid]').count(), 0)
        assert.isFalse(await page.locator(`#${id}`).isVisible())
        await page.click('#filter-apply')
        await page.waitForSelector('#filters:not([open])')
      })
  })
})
