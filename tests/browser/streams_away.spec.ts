import { createServer, request as send, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { test } from '@japa/runner'
import type { Page, Request } from 'playwright-core'
import { type AppProcess, applicationEnv, migrate, startWeb, startWorker } from '../helpers/app.ts'
import { closeBrowser, newPage, withBrowser } from '../helpers/browser.ts'
import { jobClient } from '../helpers/job_client.ts'
import { redisServer } from '../helpers/servers.ts'
import { waitFor } from '../helpers/wait.ts'

const state = (page: Page, expected: string, timeout = 60_000) =>
  page.waitForSelector(`body:is(${expected.split(' ').map((one) => `[data-live="${one}"]`)})`, {
    timeout,
  })

const age = (page: Page) => page.textContent('#live .age')

/**
 * Lets the page's own clock run ahead to its next try for a stream, and the next, until something is so: the pauses grow to a minute. The
 * page gives up what is not answered in time, so the clock keeps its own pace while a request is under way or a stream is being opened.
 */
async function hurry(
  page: Page,
  what: string,
  until: () => boolean | Promise<boolean>
): Promise<void> {
  const underway = new Set<Request>()
  const begin = (request: Request) => {
    if (!request.url().includes('/stream')) underway.add(request)
  }
  const end = (request: Request) => void underway.delete(request)
  page.on('request', begin).on('requestfinished', end).on('requestfailed', end)
  try {
    await waitFor(what, async () => {
      if (await until()) return true
      const wait = await page.evaluate(() => {
        const { queuedeck } = window as unknown as { queuedeck: { live: { nextTryAt: number } } }
        return queuedeck.live.nextTryAt - Date.now()
      })
      if (wait > 0 && underway.size === 0) await page.clock.runFor(Math.min(wait + 1, 1_000))
      return false
    })
  } finally {
    page.off('request', begin).off('requestfinished', end).off('requestfailed', end)
  }
}

const liveState = (page: Page) => page.getAttribute('body', 'data-live')
const isLive = async (page: Page) => (await liveState(page)) === 'live'

/**
 * A proxy before the application, as in a company's network: passes everything on, and answers for streams as it is told.
 */
class Gateway {
  streams: 'pass' | 'refuse' = 'pass'
  refreshes: 'pass' | 'break off' = 'pass'
  /** How many it has refused. */
  refused = 0
  /** Answers to refreshes that ended in their middle. */
  brokenOff = 0
  /** Streams that are open through it now. */
  open = 0
  #server: Server
  #sockets = new Set<Socket>()

  constructor(target: URL) {
    this.#server = createServer((asked, answer) => {
      const isStream = asked.url!.includes('/stream')
      if (isStream && this.streams === 'refuse') {
        this.refused++
        answer.writeHead(503, { 'content-type': 'text/html' })
        return void answer.end('<h1 id="gateway">503 from the gateway</h1>')
      }
      const { method, url: path, headers } = asked
      const passed = send({ hostname: target.hostname, port: target.port, method, path, headers })
      passed.once('response', (got) => {
        if (isStream && got.statusCode === 200) {
          this.open++
          answer.once('close', () => this.open--)
        }
        answer.writeHead(got.statusCode!, got.headers)
        if (this.refreshes === 'break off' && headers['x-queuedeck-refresh']) {
          this.brokenOff++
          return void got.once('data', (part: Buffer) => {
            answer.write(part.subarray(0, part.length / 2), () => answer.destroy())
          })
        }
        got.pipe(answer)
        got.once('error', () => answer.destroy())
      })
      passed.once('error', () =>
        answer.writeHead(502, { 'content-type': 'text/html' }).end('<h1>502</h1>')
      )
      answer.once('close', () => passed.destroy())
      asked.pipe(passed)
    })
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
    })
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  cut(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  close(): void {
    this.cut()
    this.#server.close()
  }
}

withBrowser(() => {
  test.group('The application behind a gateway', (group) => {
    let env: Record<string, string>
    let web: AppProcess
    let gateway: Gateway
    let dashboard: string
    const closing: (() => Promise<void>)[] = []
    let jobs: ReturnType<typeof jobClient>

    group.setup(async () => {
      const redis = await redisServer({ own: true })
      env = await applicationEnv({ redisPort: redis.port, env: { NODE_ENV: 'production' } })
      await migrate(env)
      const started = await startWeb(env)
      web = started
      const worker = startWorker(env)
      gateway = new Gateway(new URL(started.url))
      dashboard = `${await gateway.listen()}/admin/queue`
      const desk = await newPage()
      await desk.page.goto(`${started.url}/admin/queue`)
      jobs = jobClient(desk.page)
      await waitFor('a worker', async () => (await jobs.activeWorkers()) > 0)
      return async () => {
        await closeBrowser()
        gateway.close()
        await worker.stop()
        await web.stop()
        await redis.stop()
      }
    })

    // A test that fails leaves no page, no stream of it, and no gateway that refuses, to the next.
    group.each.teardown(async () => {
      gateway.streams = 'pass'
      for (const close of closing.splice(0)) await close()
    })

    async function opened(): Promise<Page> {
      const { page, close } = await newPage()
      closing.push(close)
      return page
    }

    test('polls while its streams are refused, shows how old its numbers are, and is live again by itself', async ({
      assert,
    }) => {
      const page = await opened()
      await page.clock.install()
      const asked: { status: number; known: boolean }[] = []
      page.on('response', (answer) => {
        const headers = answer.request().headers()
        if (headers['x-queuedeck-refresh'] === 'jobs') {
          asked.push({ status: answer.status(), known: 'if-none-match' in headers })
        }
      })
      await page.goto(`${dashboard}/jobs`)
      await state(page, 'live')
      gateway.streams = 'refuse'
      gateway.cut()
      await state(page, 'polling')
      const first = await age(page)
      await waitFor('numbers to age', async () => (await age(page)) !== first)

      // Asked again, the server has nothing new to say, and says so without a page.
      const poll = () =>
        page.evaluate(() =>
          document.dispatchEvent(
            new CustomEvent('queuedeck:changed', { detail: { more: true, polled: true } })
          )
        )
      await waitFor(
        'a poll without news',
        async () => {
          if (asked.at(-1)?.status === 304) return true
          await poll()
          return false
        },
        { every: 250 }
      )
      assert.isTrue(asked.at(-1)!.known)
      assert.equal(await page.getAttribute('body', 'data-live'), 'polling')

      const id = await jobs.create({ type: 'demo.sleep', payload: { ms: 10, steps: 1 } })
      const refused = gateway.refused
      await hurry(page, 'further tries', () => gateway.refused > refused + 1)
      assert.equal(await page.getAttribute('body', 'data-live'), 'polling')
      assert.equal(await page.locator('#gateway').count(), 0)
      gateway.streams = 'pass'
      await hurry(page, 'the page to be live', () => isLive(page))
      await page.waitForSelector(`#job-${id}[data-s="completed"]`)
      await waitFor('one stream', () => gateway.open === 1)
    })

    test('is live again after the server was started anew in the middle of refreshes', async ({
      assert,
    }) => {
      const page = await opened()
      await page.clock.install()
      await page.goto(`${dashboard}/jobs`)
      await state(page, 'live')
      const ids = await Promise.all(
        Array.from({ length: 20 }, () =>
          jobs.create({ type: 'demo.sleep', payload: { ms: 300, steps: 3 } })
        )
      )
      await web.stop('SIGKILL')
      await state(page, 'polling offline')
      web = await startWeb(env)
      await hurry(page, 'the page to be live', () => isLive(page))
      // The longer answers took, the less often the page asks: its clock goes twice as fast meanwhile.
      await waitFor(
        'all rows to tell of the end',
        async () => {
          const ended = '#rows > tr[data-s="completed"]'
          const told = await page.locator(ended).evaluateAll((rows) => rows.map(({ id }) => id))
          const missing = ids.filter((id) => !told.includes(`job-${id}`))
          if (missing.length === 0) return true
          await page.clock.runFor(500)
          throw new Error(`${missing.length} are missing, the page is ${await liveState(page)}`)
        },
        { within: 150_000, every: 500 }
      )
      assert.equal(await page.locator('main h1').count(), 1)
      assert.equal(
        await page.locator('#rows > tr').count(),
        await page.evaluate(
          () => new Set([...document.querySelectorAll('#rows > tr')].map(({ id }) => id)).size
        )
      )
      await waitFor('one stream', () => gateway.open === 1)
    }).timeout(300_000)

    test('asks again for what broke off on its way, though nobody tells of it twice', async () => {
      const page = await opened()
      await page.goto(`${dashboard}/jobs`)
      await state(page, 'live')
      gateway.refreshes = 'break off'
      const id = await jobs.create({ type: 'demo.sleep', payload: { ms: 10, steps: 1 } })
      await waitFor('the job to end', async () => (await jobs.unfinished()) === 0)
      const before = gateway.brokenOff
      await waitFor('a refresh to break off', () => gateway.brokenOff > before)
      gateway.refreshes = 'pass'
      await page.waitForSelector(`#job-${id}[data-s="completed"]`)
    }).timeout(120_000)

    test('seven windows of one browser all tell the truth over HTTP/1.1', async ({ assert }) => {
      const windows = [await opened()]
      for (let count = 1; count < 7; count++) {
        windows.push(await windows[0]!.context().newPage())
      }
      // Each shows another list, so that none can share another's stream.
      for (const [index, page] of windows.entries()) {
        await page.goto(`${dashboard}/jobs?limit=${index + 10}`, { waitUntil: 'domcontentloaded' })
      }
      const arrived = await windows[6]!.evaluate(() => {
        const [navigation] = performance.getEntriesByType('navigation')
        return (navigation as PerformanceNavigationTiming).responseEnd
      })
      // Without room for another connection it would wait until a stream ends, which is minutes.
      assert.isBelow(arrived, 20_000)
      for (const page of windows) await state(page, 'live polling')
      await waitFor(
        'one to four streams',
        () => {
          if (gateway.open > 0 && gateway.open <= 4) return true
          throw new Error(`there are ${gateway.open}`)
        },
        { within: 120_000 }
      )
      const id = await jobs.create({ type: 'demo.sleep', payload: { ms: 60_000, steps: 1 } })
      const answer = await windows[6]!.evaluate(
        (path) =>
          (window as unknown as { queuedeck: { act(url: string): Promise<object> } }).queuedeck.act(
            path
          ),
        `${new URL(dashboard).pathname}/jobs/${id}/cancel`
      )
      assert.include(['done', 'requested'], (answer as { outcome: string }).outcome)
    })
  })
})
