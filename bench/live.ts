import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { Redis } from 'ioredis'
import { Connections } from '../src/transport/connections.ts'
import { Transport } from '../src/transport/transport.ts'
import { uuidV7 } from '../src/jobs/uuid.ts'
import { applicationEnv, migrate, startWeb, startWorker } from '../tests/helpers/app.ts'
import { closeBrowser, newPage } from '../tests/helpers/browser.ts'
import { waitFor } from '../tests/helpers/wait.ts'
import { ListViewer } from './support/list_viewer.ts'
import { quantile } from './support/rounds.ts'
import type { Bench } from './support/types.ts'

const ROWS = 100

/** Further pages that show the same list. */
const VIEWERS = 50

/** Clock ticks of `/proc/<pid>/stat` a second, on every Linux. */
const TICKS = 100

/** Jobs measured one by one, and those measured while others end all the time. */
const SAMPLES = 30

/** Longest time from commit to pixel that 95 of 100 changes may take, ms. */
const CEILING = 500

/**
 * From the commit of a job's end to the pixel, with 100 rows on the screen, in Chromium on the real application.
 *
 * The commit is taken as the moment when the change notice arrives, which the mirror sends right after it; the pixel as the frame
 * after the one in which the row shows its new status. Both clocks are this machine's.
 */
const bench: Bench = async ({ tell }) => {
  const env = await applicationEnv({ env: { NODE_ENV: 'development' } })
  await migrate(env)
  const web = await startWeb(env)
  const worker = startWorker(env, ['--concurrency=20'])
  const plain = new Redis(Number(env.REDIS_PORT), env.REDIS_HOST, { maxRetriesPerRequest: null })
  const connections = new Connections(() => ({ ioConnection: plain }) as never)
  const transport = new Transport(connections, { prefix: '{queuedeck}' })
  const commits = new Map<string, number>()
  await transport.changes.subscribe(({ changed }) => {
    for (const { id, status } of changed) {
      if (status === 'completed' && !commits.has(id)) commits.set(id, Date.now())
    }
  })
  const sleep = async (milliseconds: number) => {
    const id = uuidV7()
    const data = JSON.stringify({ ms: milliseconds, steps: 1, mark: randomUUID() })
    const opts = { timestamp: Date.now() }
    await transport.add([{ queue: 'demo', id, name: 'demo.sleep', data, opts }])
    return id
  }

  try {
    const first = await Promise.all(Array.from({ length: ROWS }, () => sleep(1)))
    await waitFor('the first jobs', () => first.every((id) => commits.has(id)), { within: 60_000 })
    const { page } = await newPage({ viewport: { width: 1440, height: 900 } })
    await page.goto(`${web.url}/admin/queue/jobs?limit=${ROWS}`)
    await page.waitForFunction(() => document.body.dataset.live === 'live')
    await page.evaluate(() => {
      const seen: Record<string, number> = {}
      Object.assign(window, { seen })
      const look = () => {
        for (const row of document.querySelectorAll<HTMLElement>('#rows > tr[data-s=completed]')) {
          seen[row.dataset.id!] ??= Date.now()
        }
        requestAnimationFrame(look)
      }
      requestAnimationFrame(look)
    })

    const measure = async (title: string, everyMs: number) => {
      const ids: string[] = []
      for (let index = 0; index < SAMPLES; index++) {
        ids.push(await sleep(400))
        await new Promise((resolve) => setTimeout(resolve, everyMs))
      }
      await waitFor('all ends on the page', async () => {
        const seen = await page.evaluate(() => (window as unknown as { seen: object }).seen)
        return ids.every((id) => id in seen)
      })
      const seen = await page.evaluate(
        () => (window as unknown as { seen: Record<string, number> }).seen
      )
      const delays = ids.map((id) => seen[id] - commits.get(id)!)
      tell(`${title}: ${delays.sort((one, other) => one - other).join(' ')}`)
      return { p50: quantile(delays, 0.5), p95: quantile(delays, 0.95) }
    }
    const single = await measure('one change at a time', 1_500)
    const busy = await measure('ten changes a second', 100)
    const viewers = Array.from(
      { length: VIEWERS },
      () => new ListViewer(`${web.url}/admin/queue/jobs?limit=${ROWS}`)
    )
    await Promise.all(viewers.map((viewer) => viewer.open()))
    const began = { at: Date.now(), cpu: await cpuSeconds(web.pid) }
    const crowd = await measure(`ten changes a second before ${VIEWERS} further pages`, 100)
    const seconds = (Date.now() - began.at) / 1_000
    const cpu = (await cpuSeconds(web.pid)) - began.cpu
    const answered = viewers.reduce((sum, viewer) => sum + viewer.answered, 0)
    for (const viewer of viewers) viewer.close()
    return {
      measures: [
        { name: 'commit to pixel, one, p50', value: single.p50, unit: 'ms' },
        { name: 'commit to pixel, one, p95', value: single.p95, unit: 'ms', ceiling: CEILING },
        { name: 'commit to pixel, busy, p50', value: busy.p50, unit: 'ms' },
        { name: 'commit to pixel, busy, p95', value: busy.p95, unit: 'ms', ceiling: CEILING },
        { name: `commit to pixel, ${VIEWERS} viewers, p50`, value: crowd.p50, unit: 'ms' },
        { name: `commit to pixel, ${VIEWERS} viewers, p95`, value: crowd.p95, unit: 'ms' },
        { name: 'refreshes answered a second', value: Math.round(answered / seconds), unit: '/s' },
        { name: 'of one core for pages', value: Math.round((cpu / seconds) * 100), unit: '%' },
      ],
    }
  } finally {
    await closeBrowser()
    await worker.stop()
    await web.stop()
    await connections.closeAll()
    plain.disconnect()
  }
}

/** Processor time that a process has used. */
async function cpuSeconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS
}

export default bench
