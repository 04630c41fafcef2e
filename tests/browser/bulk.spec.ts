import { test } from '@japa/runner'
import { applicationEnv, migrate, startWeb } from '../helpers/app.ts'
import { closeBrowser, newPage, withBrowser } from '../helpers/browser.ts'
import { jobClient } from '../helpers/job_client.ts'
import { redisServer } from '../helpers/servers.ts'

withBrowser(() => {
  test.group('Ticked rows, in a browser', (group) => {
    let dashboard: string

    group.setup(async () => {
      const redis = await redisServer({ own: true })
      const env = await applicationEnv({ redisPort: redis.port, env: { NODE_ENV: 'production' } })
      await migrate(env)
      const web = await startWeb(env)
      dashboard = `${web.url}/admin/queue`
      return async () => {
        await closeBrowser()
        await web.stop()
        await redis.stop()
      }
    })

    test('are asked about, worked on in the background, and told of one by one', async ({
      assert,
    }) => {
      const { page, problems, close } = await newPage({ viewport: { width: 1440, height: 900 } })
      await page.goto(dashboard)
      const jobs = jobClient(page)
      const sleep = { type: 'demo.sleep', payload: { ms: 1, steps: 1 }, options: { delay: '1h' } }
      for (let count = 0; count < 4; count++) await jobs.create(sleep)
      await page.goto(`${dashboard}/jobs`)
      await page.waitForSelector('body[data-live="live"]')
      await page.locator('#rows > tr').nth(3).waitFor()
      assert.isTrue(await page.locator('#bulk').isHidden())
      await page.keyboard.press('j')
      await page.keyboard.press('x')
      await page.keyboard.press('j')
      await page.keyboard.press('x')
      assert.equal(await page.textContent('#bulk b'), '2 ticked')

      await page.click('#ticked-priority')
      await page.fill('#confirm[open] #bulk-priority', '7')
      await page.click('#confirm[open] #confirm-keep')
      assert.equal(await page.textContent('#bulk b'), '2 ticked')

      await page.click('#ticked-cancel')
      await page.waitForSelector('#confirm[open] h2:has-text("Cancel 2 jobs?")')
      await page.click('#confirm[open] #confirm-yes')
      await page.waitForURL('**/bulk/*')
      await page.waitForSelector('#bulk-state:has-text("done")')
      assert.equal(await page.textContent('#bulk-count'), '2 of 2')
      assert.equal(await page.locator('#bulk-rows > tr[data-s="completed"]').count(), 2)
      await page.click('#bulk-audit')
      await page.waitForSelector('#audit-rows:has-text("bulk action")')

      await page.goto(`${dashboard}/jobs?status=cancelled`)
      await page.check('#tick-all')
      await page.click('#ticked-delete')
      await page.click('#confirm[open] #confirm-yes')
      await page.waitForSelector('#bulk-state:has-text("done")')
      await page.goto(`${dashboard}/jobs`)
      await page.locator('#rows > tr').nth(1).waitFor()
      assert.equal(await page.locator('#rows > tr').count(), 2)
      assert.deepEqual(problems, [])
      await close()
    })

    test('on a phone the bar shows every action, each large enough to touch', async ({
      assert,
    }) => {
      const { page, close } = await newPage({ viewport: { width: 390, height: 844 } })
      await page.goto(`${dashboard}/jobs`)
      await page.waitForSelector('body[data-live="live"]')
      await page.locator('#rows .c-tick input').first().check()
      for (const name of ['cancel', 'restart', 'priority', 'delete', 'clear']) {
        const box = (await page.locator(`#ticked-${name}`).boundingBox())!
        assert.isAtLeast(box.height, 44, name)
        assert.isAtLeast(box.x, 0, name)
        assert.isAtMost(box.x + box.width, 390, name)
        assert.isAtMost(box.y + box.height, 844, name)
      }
      await close()
    })
  })
})
