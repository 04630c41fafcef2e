import { test } from '@japa/runner'
import type { Page } from 'playwright-core'
import { violations } from '../../browser/axe.ts'
import { closeBrowser, newPage, withBrowser, writeHalfAWord } from '#tests/helpers/browser'
import { waitFor } from '#tests/helpers/wait'
import { CLASSES, Echo, Fail, Walk } from './jobs.ts'
import { DashboardLab } from './lab.ts'

const DESKTOP = { viewport: { width: 1440, height: 900 } }

const state = (page: Page, expected: string, timeout = 10_000) =>
  page.waitForSelector(`body[data-live="${expected}"]`, { timeout })

withBrowser(() => {
  test.group('Dashboard | in a browser', (group) => {
    let lab: DashboardLab

    group.each.setup(async () => {
      lab = await DashboardLab.open({ classes: CLASSES })
      return () => lab.close()
    })
    group.teardown(() => closeBrowser())

    const later = (count: number) =>
      Promise.all(Array.from({ length: count }, () => lab.dispatch(Echo, {}, { delay: '1h' })))

    test('a table being read is left alone while fifty jobs arrive and two complete', async ({
      assert,
    }) => {
      await later(79)
      const ticked = [
        await lab.dispatch(Echo, {}, { queue: 'quick' }),
        await lab.dispatch(Echo, {}, { queue: 'quick' }),
      ]
      await later(19)
      const { page, problems, close } = await newPage(DESKTOP)
      try {
        await page.goto(`${lab.url}/admin/queue/jobs?limit=100`)
        await state(page, 'live')
        assert.equal(await page.locator('#rows > tr').count(), 100)
        for (const id of ticked) await page.check(`#tick-${id}`)
        await page.evaluate(() => window.scrollTo(0, 600))
        await writeHalfAWord(page)
        await later(50)
        await lab.work({ queues: ['quick'] })
        for (const id of ticked) await page.waitForSelector(`#job-${id}[data-s="completed"]`)
        await page.waitForFunction(
          () => document.getElementById('pill')!.textContent!.trim() === '50 new'
        )
        const seen = await page.evaluate(() => {
          const field = document.activeElement as HTMLInputElement
          const { id, value, selectionStart } = field
          return { scroll: window.scrollY, id, value, caret: selectionStart }
        })
        assert.deepEqual(seen, { scroll: 600, id: 'q', value: 'hal', caret: 2 })
        for (const id of ticked) assert.isTrue(await page.isChecked(`#tick-${id}`))
        assert.equal(await page.locator('#rows > tr').count(), 100)
        assert.deepEqual(problems, [])
      } finally {
        await close()
      }
    })

    test('a list at rest takes new jobs in, and a job page follows its job', async ({ assert }) => {
      const { page, problems, close } = await newPage(DESKTOP)
      try {
        await page.goto(`${lab.url}/admin/queue/jobs`)
        await state(page, 'live')
        const id = await lab.dispatch(Walk, { steps: 8, ms: 150 })
        await page.waitForSelector(`#job-${id}[data-s="pending"]`)
        await page.goto(`${lab.url}/admin/queue/jobs/${id}`)
        await state(page, 'live')
        await lab.work()
        await page.waitForSelector('#job[data-s="running"]')
        await page.waitForSelector('#job[data-s="completed"]', { timeout: 15_000 })
        assert.deepEqual(problems, [])
      } finally {
        await close()
      }
    })

    test('a running job is cancelled in a dialog', async ({ assert }) => {
      await lab.work()
      const id = await lab.dispatch(Walk)
      await lab.record(id, 'running')
      const { page, problems, close } = await newPage(DESKTOP)
      try {
        await page.goto(`${lab.url}/admin/queue/jobs/${id}`)
        await state(page, 'live')
        await page.click('#job-cancel')
        await page.click('#confirm[open] #confirm-yes')
        await page.waitForSelector('#job[data-s="cancelled"]')
        await page.waitForSelector('.toast')
        assert.equal((await lab.record(id, 'cancelled')).error?.code, 'CANCELLED')
        assert.deepEqual(problems, [])
      } finally {
        await close()
      }
    })

    test('a failed job is restarted without scripts, and the page says so', async ({ assert }) => {
      const worker = await lab.work()
      const id = await lab.dispatch(Fail, { message: 'once' })
      await lab.record(id, 'failed')
      worker.abort()
      await worker.ended
      const { page, close } = await newPage({ javaScriptEnabled: false })
      try {
        await page.goto(`${lab.url}/admin/queue/jobs?status=failed`)
        await page.click(`#open-${id}`)
        await page.click('#job-restart')
        await page.click('#confirm-yes')
        await page.waitForURL(`**/jobs/${id}`)
        assert.match((await page.textContent('body'))!, /Restarted/)
        assert.equal((await lab.record(id, 'pending')).run, 2)
      } finally {
        await close()
      }
    })

    test('a stream that is cut comes back by itself, and what happened meanwhile is shown', async ({
      assert,
    }) => {
      const [id] = await later(1)
      const { live } = await lab.app.container.make('queuedeck.dashboard')
      const { page, close } = await newPage(DESKTOP)
      try {
        await page.goto(`${lab.url}/admin/queue/jobs`)
        await state(page, 'live')
        lab.server.closeAllConnections()
        await waitFor('the stream to be gone', () => live.clients === 0)
        const answer = await lab.client().post(`/jobs/${id}/cancel`)
        assert.equal(answer.json.outcome, 'done')
        await state(page, 'live', 30_000)
        await page.waitForSelector(`#job-${id}[data-s="cancelled"]`)
        assert.equal(live.clients, 1)
      } finally {
        await close()
      }
    })

    test('nothing is wrong with pages in the {$self} theme, as axe sees it')
      .with(['light', 'dark'] as const)
      .run(async ({ assert }, theme) => {
        await lab.work()
        const id = await lab.dispatch(Fail, { message: 'no luck' }, { user: 'ada', tags: ['a'] })
        await lab.record(id, 'failed')
        await later(3)
        const running = await lab.dispatch(Walk)
        await lab.record(running, 'running')
        const { page, problems, close } = await newPage({ ...DESKTOP, colorScheme: theme })
        try {
          for (const path of ['', '/jobs', `/jobs/${id}`]) {
            await page.goto(`${lab.url}/admin/queue${path}`)
            await state(page, 'live')
            assert.deepEqual(await violations(page), [], path)
          }
          assert.deepEqual(problems, [])
        } finally {
          await close()
        }
      })
  })
})
