import { test } from '@japa/runner'
import { applicationEnv, migrate, runAce, startWeb, startWorker } from '../helpers/app.ts'
import { closeBrowser, newPage, withBrowser } from '../helpers/browser.ts'
import { jobClient } from '../helpers/job_client.ts'
import { redisServer } from '../helpers/servers.ts'

withBrowser(() => {
  test.group('Why a job waits, in a browser', (group) => {
    let dashboard: string
    let env: Record<string, string>

    group.setup(async () => {
      const redis = await redisServer({ own: true })
      env = await applicationEnv({ redisPort: redis.port, env: { NODE_ENV: 'production' } })
      await migrate(env)
      const web = await startWeb(env)
      const worker = startWorker(env)
      dashboard = `${web.url}/admin/queue`
      return async () => {
        await closeBrowser()
        await worker.stop('SIGKILL')
        await web.stop()
        await redis.stop()
      }
    })

    /** A limit changes no job, so nothing is announced: the page has to find out. */
    test('follows the limits in the list and on the page of the job', async ({ assert }) => {
      await runAce(['queue:limits', '--user-of=ada:1'], env)
      const list = await newPage()
      await list.page.goto(dashboard)
      const jobs = jobClient(list.page)
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

      const { code, output } = await runAce(['queue:limits', '--user-of=ada:2'], env)
      assert.equal(code, 0, output)
      await waiting.filter({ hasText: 'user limit 2/2' }).waitFor({ timeout: 5_000 })
      await single.page.waitForSelector('.strip:has-text("user limit 2/2")', { timeout: 5_000 })
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
    }).timeout(90_000)
  })
})
