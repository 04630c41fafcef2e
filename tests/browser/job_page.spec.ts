import { test } from '@japa/runner'
import type { Page } from 'playwright-core'
import type { JobPage } from '../../src/dashboard/presenters/types.ts'
import { closeBrowser, newPage, withBrowser } from '../helpers/browser.ts'
import { jobSample } from './stage/job_sample.ts'
import * as samples from './stage/samples.ts'
import { Stage } from './stage/stage.ts'

const WIDE = { width: 1440, height: 900 }
const TABLET = { width: 768, height: 1024 }
const PHONE = { width: 390, height: 844 }

/** Edges of the text in each of some elements that are shown. */
const texts = (page: Page, selector: string) =>
  page.locator(selector).evaluateAll((elements) =>
    elements
      .filter((element) => element.getClientRects().length > 0)
      .map((element) => {
        const range = document.createRange()
        range.selectNodeContents(element)
        const { left, right, top } = range.getBoundingClientRect()
        return { left, right, top }
      })
  )

withBrowser(() => {
  test.group('The page of a job in a browser', (group) => {
    let stage: Stage
    let job: JobPage

    const sample = (mark: 'running' | 'completed' | 'failed' | 'cancelled', more = {}) => {
      job = { ...jobSample(samples.row(0, { status: mark, mark })), ...more }
    }

    group.each.setup(async () => {
      stage = await Stage.open()
      stage.answer = (request, url) => {
        const partial = request.headers['hx-request-type'] === 'partial'
        if (url.pathname === `${samples.PREFIX}/jobs`) {
          const data = { page: samples.page('jobs'), jobs: samples.jobs([job]) }
          return { template: 'queuedeck::pages/jobs', data }
        }
        const template = partial ? 'partials/job_sheet' : 'pages/job'
        return { template: `queuedeck::${template}`, data: { page: samples.page('job'), job } }
      }
      return () => stage.close()
    })
    group.teardown(closeBrowser)

    test('the ways to newer and older jobs stand still from job to job, and at the ends', async ({
      assert,
    }) => {
      for (const viewport of [WIDE, TABLET, PHONE]) {
        const { page, problems, close } = await newPage({ viewport })
        const places = new Set<string>()
        for (const mark of ['running', 'completed', 'failed'] as const) {
          for (const ends of [{}, { previousUrl: null }, { nextUrl: null }]) {
            sample(mark, ends)
            await page.goto(`${stage.url}/jobs/1`)
            const both = await page.locator('#job-newer, #job-older').evaluateAll((ways) =>
              ways.map((way) => {
                const { x, y } = way.getBoundingClientRect()
                return [way.id, x, y]
              })
            )
            places.add(JSON.stringify(both))
          }
        }
        assert.lengthOf([...places], 1, String(viewport.width))
        assert.equal(await page.getAttribute('#job-older', 'aria-disabled'), 'true')
        assert.deepEqual(problems, [])
        await close()
      }
    })

    test('moments of the axis do not meet, nor durations the bars', async ({ assert }) => {
      const label = ['0', '12 min 13 s', '24 min 26 s', '36 min 39 s', '48 min 52 s']
      const ticks = label.map((text, at) => ({ x: at * 25, label: text }))
      for (const viewport of [WIDE, { ...WIDE, width: 1024 }, TABLET, PHONE]) {
        sample('running')
        const rows = job.trace!.rows.map((row) => ({ ...row, duration: '23 h 59 min' }))
        job.trace = { ticks, rows }
        const { page, close } = await newPage({ viewport })
        await page.goto(`${stage.url}/jobs/1`)
        const named = await texts(page, '.trace .axis')
        assert.isAtLeast(named.length, 2)
        for (const [at, { left }] of named.slice(1).entries()) {
          assert.isAbove(left - named[at]!.right, 4, `${viewport.width}: ${label[at + 1]}`)
        }
        if (viewport !== PHONE) {
          const bars = await page
            .locator('.trace .bars')
            .evaluateAll((all) => all.map((bar) => bar.getBoundingClientRect().right))
          for (const [at, { left }] of (await texts(page, '.trace .dur')).slice(-3).entries()) {
            assert.isAbove(left - bars[at]!, 6, String(viewport.width))
          }
        }
        await close()
      }
    })

    test('durations of stages stand in one line, also of one that counts nothing', async ({
      assert,
    }) => {
      sample('running')
      job.stages[1]!.items = ''
      const { page, close } = await newPage({ viewport: WIDE })
      await page.goto(`${stage.url}/jobs/1`)
      const tops = (await texts(page, '.steps li > .meta:last-child')).map(({ top }) =>
        Math.round(top)
      )
      assert.lengthOf(tops, 4)
      assert.lengthOf([...new Set(tops)], 1)
      await close()
    })

    test('the sheet offers what can be done, and reads in order on a phone', async ({ assert }) => {
      const offers = {
        running: ['sheet-cancel', 'sheet-full'],
        completed: ['sheet-again', 'sheet-full'],
        failed: ['sheet-restart', 'sheet-full'],
        cancelled: ['sheet-restart', 'sheet-full'],
      }
      const { page, problems, close } = await newPage({ viewport: PHONE })
      for (const [mark, ids] of Object.entries(offers)) {
        sample(mark as keyof typeof offers, { previousUrl: null })
        await page.goto(`${stage.url}/jobs`)
        await page.click(`#open-${job.id}`)
        await page.waitForSelector('#sheet[open] #sheet-job')
        const offered = await page
          .locator('#sheet-job footer > a')
          .evaluateAll((all) => all.map(({ id }) => id))
        assert.deepEqual(offered, ids)
        assert.equal(await page.locator('#sheet-job footer [aria-disabled]').count(), 0)
        assert.equal(await page.getAttribute('#sheet-newer', 'aria-disabled'), 'true')
      }
      const seen = await page.locator('#sheet-job dt').evaluateAll((all) =>
        all
          .map((term) => ({ text: term.textContent, top: term.getBoundingClientRect().top }))
          .sort((one, other) => one.top - other.top)
          .map(({ text }) => text)
      )
      assert.deepEqual(seen, [
        'Queue',
        'User',
        'Priority',
        'Run',
        'Tags',
        'Created',
        'Started',
        'Finished',
      ])
      assert.deepEqual(problems, [])
      await close()
    })

    test('what nobody answered is not called refused', async ({ assert }) => {
      sample('running')
      const { page, close } = await newPage({ viewport: WIDE })
      await page.goto(`${stage.url}/jobs/1`)
      const told = (status: number | null) =>
        page.evaluate(async (expected) => {
          const { queuedeck } = window as never as {
            queuedeck: {
              act(url: string): Promise<object>
              outcome(action: string, answer: object): { title: string; text: string }
            }
          }
          const errors = [{ message: 'It is not known whether it was done' }]
          const real = window.fetch
          window.fetch = async () => {
            if (expected === null) throw new TypeError('broken off')
            return new Response(JSON.stringify({ errors }), { status: expected })
          }
          const answer = await queuedeck.act('/somewhere')
          window.fetch = real
          return queuedeck.outcome('cancel', answer).title
        }, status)
      assert.equal(await told(503), 'No answer')
      assert.equal(await told(null), 'No answer')
      assert.equal(await told(422), 'Not cancelled')
      await close()
    })
  })
})
