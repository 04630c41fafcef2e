import type { IncomingHttpHeaders } from 'node:http'
import { test } from '@japa/runner'
import { closeBrowser, newPage, withBrowser } from '../helpers/browser.ts'
import { violations } from './axe.ts'
import { jobSample } from './stage/job_sample.ts'
import { workerItem } from '../../src/dashboard/presenters/workers_page.ts'
import type { Page } from '../../src/dashboard/presenters/types.ts'
import * as samples from './stage/samples.ts'
import { type Answer, Stage } from './stage/stage.ts'
import { CONTEXT, worker, workers } from './stage/worker_samples.ts'

const PAGES = {
  'Job Dashboard': '',
  'Jobs': '/jobs',
  'Job': '/jobs/1',
  'Workers': '/workers',
  'Worker': '/workers/1',
}

/** What answers a refresh of the list, by what is refreshed. */
const JOBS: Record<string, string> = {
  page: 'queuedeck::pages/jobs',
  jobs: 'queuedeck::partials/jobs_region',
  rows: 'queuedeck::partials/jobs_rows',
}

/** What a request of the page's own script refreshes. */
function partOf(headers: IncomingHttpHeaders): string | undefined {
  return headers['x-queuedeck-refresh'] as string | undefined
}

function workerPage(path: string, actor: Page['actor'], fragment: boolean): Page {
  const page = samples.page('workers', { actor, fragment })
  return { ...page, urls: { ...page.urls, current: samples.PREFIX + path } }
}

function answers(path: string, text?: string, part?: string): Answer | null {
  const rows = Array.from({ length: 10 }, (_, index) =>
    text ? samples.hostileRow(index, text) : samples.row(index)
  )
  const actor = { id: text ?? '1', name: text ?? 'Mara Lindqvist', initials: 'ML' }
  if (path === '') {
    const page = samples.page('dashboard', { actor })
    return {
      template: 'queuedeck::pages/dashboard',
      data: { page, dashboard: samples.dashboard(rows) },
    }
  }
  if (path === '/jobs') {
    const chips = [
      { label: 'user', value: text ?? 'Mara Lindqvist', url: `${samples.PREFIX}/jobs` },
    ]
    const page = samples.page('jobs', { actor, search: text ?? '' })
    return {
      template: JOBS[part ?? 'page']!,
      data: { page, jobs: samples.jobs(rows, { chips }), rows },
    }
  }
  if (path === '/jobs/1') {
    const page = samples.page('job', { actor })
    page.urls.current = samples.PREFIX + path
    const template = part === 'job' ? 'queuedeck::partials/job_region' : 'queuedeck::pages/job'
    return { template, data: { page, job: jobSample(rows[1]!, text) } }
  }
  if (path === '/workers') {
    const page = workerPage(path, actor, part !== undefined)
    return { template: 'queuedeck::pages/workers', data: { page, list: workers(text) } }
  }
  if (path === '/workers/1') {
    const page = workerPage(path, actor, part !== undefined)
    const said = text === undefined ? {} : { id: text, host: text, version: text, queues: [text] }
    return {
      template: 'queuedeck::pages/worker',
      data: { page, worker: workerItem(worker(5, said), CONTEXT) },
    }
  }
  return null
}

withBrowser(() => {
  test.group('Pages in a browser', (group) => {
    let stage: Stage
    /** One for all pages, as a person has. */
    let window: Awaited<ReturnType<typeof newPage>>
    let withoutScripts: typeof window
    group.setup(async () => {
      stage = await Stage.open()
      window = await newPage()
      withoutScripts = await newPage({ javaScriptEnabled: false })
      return async () => {
        await closeBrowser()
        await stage.close()
      }
    })
    group.each.setup(() => {
      window.problems.length = 0
    })

    const say = (text?: string) => {
      stage.answer = ({ headers }, url) =>
        answers(url.pathname.slice(samples.PREFIX.length), text, partOf(headers))
    }

    for (const [name, path] of Object.entries(PAGES)) {
      test(`${name} has no violation of accessibility rules or of the policy`, async ({
        assert,
      }) => {
        say()
        const { page, problems } = window
        await page.emulateMedia({ colorScheme: 'light' })
        await page.setViewportSize({ width: 1280, height: 720 })
        await page.goto(stage.url + path)
        await page.waitForSelector('body[data-live="live"]')
        assert.deepEqual(await violations(page), [])
        await page.emulateMedia({ colorScheme: 'dark' })
        assert.deepEqual(await violations(page, ['color-contrast']), [], 'dark')
        await page.emulateMedia({ colorScheme: 'light' })
        await page.setViewportSize({ width: 390, height: 844 })
        assert.deepEqual(await violations(page), [], 'at 390 px')
        assert.deepEqual(problems, [])
      })

      test(`${name} shows markup as text, and keeps endless names inside at every width`, async ({
        assert,
      }) => {
        say(samples.HOSTILE + 'a_name_without_any_break_'.repeat(10))
        const { page, problems } = window
        await page.goto(stage.url + path)
        await page.waitForSelector('body[data-live="live"]')
        for (const width of [390, 768, 1024, 1440]) {
          await page.setViewportSize({ width, height: 900 })
          const wide = await page.evaluate(() => document.documentElement.scrollWidth)
          assert.isAtMost(wide, width, `${width} px`)
          const cut = await page.evaluate(() =>
            [...document.querySelectorAll('#tiles .fig')].filter(
              ({ scrollWidth, clientWidth }) => scrollWidth > clientWidth
            )
          )
          assert.lengthOf(cut, 0, `numbers cut at ${width} px`)
        }
        stage.send('notice', { level: 'error', title: samples.HOSTILE, text: samples.HOSTILE })
        await page.waitForSelector('.toast')
        assert.include(await page.textContent('.toast'), samples.HOSTILE)
        assert.include(await page.textContent('main'), samples.HOSTILE)
        assert.equal(await page.locator('img').count(), 0)
        assert.notEqual(await page.title(), '1')
        assert.notInclude(await page.textContent('main'), '"\'49')
        assert.deepEqual(problems, [])
      })

      test(`${name} shows what the keyboard comes to, also on a phone`, async ({ assert }) => {
        say()
        const { page } = window
        await page.setViewportSize({ width: 390, height: 600 })
        await page.goto(stage.url + path)
        await page.waitForSelector('body[data-live="live"]')
        for (let tabs = 0; tabs < 60; tabs++) {
          await page.keyboard.press('Tab')
          const covered = await page.evaluate(() => {
            const at = document.activeElement!
            if (at === document.body) return null
            const { left, top, width, height } = at.getBoundingClientRect()
            const above = document.elementFromPoint(left + width / 2, top + height / 2)
            return above?.closest('.tabbar, .actions') && !at.closest('.tabbar, .actions')
              ? at.outerHTML.slice(0, 100)
              : at.closest('.tabbar') && above?.closest('.actions')
                ? at.id
                : null
          })
          assert.isNull(covered)
        }
      })

      test(`${name} can be read without scripts`, async ({ assert }) => {
        say()
        const { page } = withoutScripts
        await page.goto(stage.url + path)
        assert.isTrue(await page.getByText('document_processing.chunk').first().isVisible())
        assert.equal(await page.locator('.needs-js:visible').count(), 0)
        assert.isTrue(await page.locator('noscript .age').isVisible())
      })
    }
  })
})
