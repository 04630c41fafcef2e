/*
 * `npm run screenshots`: the pages of a private application with real jobs in it, light and dark, as a phone and a desk show them, in
 * tmp/screenshots; and the picture in the README, docs/dashboard.png. Needs Chromium and a Redis program on this machine; leaves nothing
 * running and touches no data.
 */
import { mkdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import {
  applicationEnv,
  migrate,
  ROOT,
  runAce,
  startWeb,
  startWorker,
} from '../tests/helpers/app.ts'
import { browser, closeBrowser } from '../tests/helpers/browser.ts'
import { jobClient, type NewJob } from '../tests/helpers/job_client.ts'
import { findProgram, postgresServer, redisServer } from '../tests/helpers/servers.ts'
import { waitFor } from '../tests/helpers/wait.ts'

const SIZES = [
  { width: 1440, height: 900 },
  { width: 768, height: 1024 },
  { width: 390, height: 844 },
]
const SCHEMES = ['light', 'dark'] as const
const PICTURE = { width: 1200, height: 750 }

/** Tag of the job that runs until the last picture is taken. */
const LASTING = 'archive'

/** Jobs that go on while the pictures are taken, or wait, or end badly: what a list shows on an ordinary day. */
const JOBS: NewJob[] = [
  ...[3, 12, 45].map((minutes) => ({
    type: 'demo.sleep',
    payload: { ms: 5_000, steps: 5 },
    options: { delay: `${minutes}m`, tags: ['nightly'] },
  })),
  { type: 'demo.flaky', payload: { failures: 4 }, options: { user: 'Aiko Tanaka' } },
  {
    type: 'demo.fail',
    payload: { message: 'The file contracts-2019-annex.pdf needs a password to be opened' },
    options: { user: 'Jonas Petersen', tags: ['import'] },
  },
  // Its pictures come last; a busy machine takes long to reach them, and a job that ended cannot be cancelled.
  {
    type: 'demo.sleep',
    payload: { ms: 3 * 3_600_000, steps: 1_800 },
    options: { user: 'Mara Lindqvist', tags: [LASTING] },
  },
  ...Array.from({ length: 6 }, (_, index) => ({
    type: 'demo.sleep',
    payload: { ms: 120_000 + 60_000 * index, steps: 40 + 10 * index },
    options: { user: ['Mara Lindqvist', 'Aiko Tanaka', 'Jonas Petersen'][index % 3] },
  })),
]

/** What comes back: often, daily, and monthly where the clocks change. */
const SCHEDULES = [
  { name: 'heartbeat', type: 'demo.sleep', payload: { ms: 200, steps: 2 }, every: '10s' },
  {
    name: 'nightly-import',
    type: 'demo.flaky',
    payload: { failures: 1 },
    cron: '30 2 * * 1-5',
    zone: 'Europe/Berlin',
    options: { tags: ['import'] },
  },
  {
    name: 'month-end',
    type: 'demo.sleep',
    payload: { ms: 1_000, steps: 4 },
    cron: '0 23 L * *',
    zone: 'America/New_York',
    overlap: 'skip',
  },
]

const output = fileURLToPath(new URL('tmp/screenshots/', ROOT))
const picture = fileURLToPath(new URL('docs/dashboard.png', ROOT))
await mkdir(output, { recursive: true })

const redis = await redisServer({ own: true })
const env = await applicationEnv({ redisPort: redis.port, env: { NODE_ENV: 'production' } })
const stops: (() => Promise<unknown>)[] = [() => redis.stop()]
try {
  await migrate(env)
  const web = await startWeb(env)
  stops.unshift(() => web.stop())
  const worker = startWorker(env, ['--concurrency=8'])
  // Its jobs would sleep for minutes, and nobody waits for them.
  stops.unshift(() => worker.stop('SIGKILL'))

  const dashboard = `${web.url}/admin/queue`
  const chromium = await browser()
  const desk = await chromium.newPage()
  await desk.goto(dashboard)
  const jobs = jobClient(desk)
  await shoot(chromium, { 'first-dashboard': dashboard, 'first-jobs': `${dashboard}/jobs` })
  const documents = await runAce(['demo:documents'], env, 600_000)
  if (documents.code !== 0) throw new Error(documents.output)
  await waitFor('the documents to be processed', async () => (await jobs.unfinished()) === 0, {
    within: 600_000,
    every: 500,
  })
  for (const job of JOBS) await jobs.create(job)
  const [often, nightly] = await Promise.all(SCHEDULES.map((one) => jobs.plan(one)))
  const unwanted = await jobs.create({
    type: 'demo.sleep',
    payload: { ms: 60_000, steps: 20 },
    options: { user: 'Jonas Petersen', delay: '1h' },
  })
  await jobs.cancel(unwanted)
  await waitFor('jobs to run', async () => (await jobs.unfinished()) >= 7, { within: 30_000 })

  const uploads = await upload(chromium, `${web.url}/documents`)
  const results = await resultPages(await chromium.newPage(), web.url)

  // Before what comes back fills the list.
  await takePicture(chromium, `${dashboard}/jobs`)
  const shown = await jobs.newest({ type: 'document_processing.parse', status: 'completed' })
  const failed = await jobs.newest({ type: 'demo.flaky', status: 'completed' })
  const running = await jobs.newest({ tag: LASTING, status: 'running' })
  const ill = await jobs.newest({ type: 'demo.fail' })
  const pages = {
    'dashboard': dashboard,
    'jobs': `${dashboard}/jobs`,
    'job': `${dashboard}/jobs/${shown}`,
    'job-retried': `${dashboard}/jobs/${failed}`,
    'job-running': `${dashboard}/jobs/${running}`,
    'job-failed': `${dashboard}/jobs/${ill}`,
    'jobs-filtered': `${dashboard}/jobs?status=completed&queue=documents&from=1h`,
    'queues': `${dashboard}/queues`,
    'queue': `${dashboard}/queues/demo`,
    'workers': `${dashboard}/workers`,
    'alerts': `${dashboard}/alerts`,
    'schedules': `${dashboard}/schedules`,
    'schedule': `${dashboard}/schedules/${often}`,
    'schedule-nightly': `${dashboard}/schedules/${nightly}`,
    'schedule-form': `${dashboard}/schedules/new`,
    'cleanups': `${dashboard}/cleanups`,
    'audit': `${dashboard}/audit`,
    'jobs-none': `${dashboard}/jobs?user=nobody`,
    'missing': `${dashboard}/jobs/01900000-0000-7000-8000-000000000000`,
    'confirm': `${dashboard}/jobs/${running}/cancel`,
    'documents': `${web.url}/documents`,
    'pipelines': `${web.url}/pipelines`,
    'pipeline-form': `${web.url}/pipelines/new`,
    'taxonomies': `${web.url}/taxonomies`,
    'datasets': `${web.url}/datasets`,
    ...results,
    ...uploads,
  }
  await shoot(chromium, pages, async (page, name) => {
    await openSheet(page, `${dashboard}/jobs`)
    await page.screenshot({ path: name('sheet') })
    await open(page, `${dashboard}/jobs`)
    for (const box of (await page.locator('#rows .c-tick input').all()).slice(1, 4))
      await box.check()
    await page.screenshot({ path: name('ticked') })
    await page.locator('#ticked-clear').click()
    await page.locator('#filters-open').click()
    await page.screenshot({ path: name('filters') })
    await open(page, `${dashboard}/jobs/${running}`)
    await page.locator('#job-cancel').click()
    await page.waitForSelector('#confirm[open]')
    await page.screenshot({ path: name('dialog') })
  })
  await redis.stop()
  await shoot(chromium, awayPages('away', dashboard))
  await withoutDatabase(chromium)
  console.log(`Screenshots are in ${output}, the README's picture is ${picture}`)
} finally {
  await closeBrowser()
  for (const stop of stops) await stop()
}
process.exit()

/** All pages in all sizes and schemes; `further` takes pictures that need a hand. */
async function shoot(
  chromium: Browser,
  pages: Record<string, string>,
  further?: (page: Page, path: (name: string) => string) => Promise<void>
): Promise<void> {
  for (const viewport of SIZES) {
    for (const colorScheme of SCHEMES) {
      const context = await chromium.newContext({ viewport, colorScheme, locale: 'en-GB' })
      const page = await context.newPage()
      const path = (name: string) => `${output}${name}-${viewport.width}-${colorScheme}.png`
      for (const [name, url] of Object.entries(pages)) {
        await open(page, url)
        await page.screenshot({ path: path(name) })
        if (viewport.width < 640 || name.startsWith('job-') || name === 'job') {
          await page.screenshot({ path: path(`${name}-whole`), fullPage: true })
        }
      }
      await further?.(page, path)
      await context.close()
    }
  }
}

/** Pages that are shown while something is away. */
function awayPages(name: string, dashboard: string): Record<string, string> {
  const paths = ['', '/jobs', '/queues', '/workers', '/schedules', '/alerts', '/audit']
  return Object.fromEntries(
    paths.map((path) => [`${name}-${path.slice(1) || 'dashboard'}`, dashboard + path])
  )
}

/** The same pages of an application whose database was stopped: of a server of our own, which can be. */
async function withoutDatabase(chromium: Browser): Promise<void> {
  if (!findProgram('postgres')) {
    console.log('PostgreSQL is not installed: no pictures of a database that is away')
    return
  }
  const server = await postgresServer({ own: true })
  const ownRedis = await redisServer({ own: true })
  stops.push(
    () => server.stop(),
    () => ownRedis.stop()
  )
  const ownEnv = await applicationEnv({
    redisPort: ownRedis.port,
    env: {
      NODE_ENV: 'production',
      DB_CONNECTION: 'pg',
      DB_HOST: server.host,
      DB_PORT: String(server.port),
      DB_USER: 'postgres',
      DB_PASSWORD: '',
      DB_DATABASE: 'postgres',
    },
  })
  await migrate(ownEnv)
  const ownWeb = await startWeb(ownEnv)
  const ownWorker = startWorker(ownEnv, ['--concurrency=8'])
  stops.unshift(
    () => ownWeb.stop(),
    () => ownWorker.stop('SIGKILL')
  )
  const page = await chromium.newPage()
  await page.goto(`${ownWeb.url}/admin/queue`)
  const ownJobs = jobClient(page)
  for (const job of JOBS) await ownJobs.create(job)
  await waitFor('jobs to run', async () => (await ownJobs.unfinished()) >= 7, { within: 30_000 })
  await server.kill()
  await shoot(chromium, awayPages('no-database', `${ownWeb.url}/admin/queue`))
}

async function open(page: Page, url: string): Promise<void> {
  await page.goto(url)
  if (await page.locator('body[data-stream]').count()) {
    await page.waitForSelector('body[data-live="live"], #banners .banner')
  }
  // What changed in between is tinted for a second.
  await page.waitForFunction(() =>
    document
      .getAnimations()
      .every((one) => one.effect?.getTiming().iterations === Infinity || !one.pending)
  )
}

/** Documents as a person drops them: one that can be read, one that cannot. */
async function upload(chromium: Browser, url: string): Promise<Record<string, string>> {
  const page = await chromium.newPage()
  const addresses: Record<string, string> = {}
  for (const [name, file] of [
    ['upload-read', 'g_two_columns.pdf'],
    ['upload-refused', 'g_password.pdf'],
  ]) {
    await page.goto(url)
    await page.setInputFiles(
      '#document',
      fileURLToPath(new URL(`tests/fixtures/documents/${file}`, ROOT))
    )
    await page.click('#upload-submit')
    await page.waitForSelector('job-monitor[terminal]')
    addresses[name] = page.url()
  }
  return addresses
}

/** The run of the first start, and what came of it. */
async function resultPages(page: Page, url: string): Promise<Record<string, string>> {
  await page.goto(`${url}/pipelines`)
  await page.click('a[id^="run-0"]')
  await page.waitForSelector('#run-classification a')
  const link = (region: string) =>
    page
      .locator(`#run-${region} a`)
      .first()
      .evaluate((one) => (one as HTMLAnchorElement).href)
  return {
    run: page.url(),
    taxonomy: await link('taxonomy'),
    extraction: await link('extraction'),
    dataset: await link('classification'),
  }
}

async function openSheet(page: Page, url: string): Promise<void> {
  await open(page, url)
  await page.locator('tr[data-s="running"] a[id^="open-"]').first().click()
  await page.waitForSelector('#sheet[open] #sheet-job')
}

/** Few colours make a small file: the palette of the page has fewer than 256. */
async function takePicture(chromium: Browser, url: string): Promise<void> {
  const context = await chromium.newContext({
    viewport: PICTURE,
    colorScheme: 'light',
    locale: 'en-GB',
  })
  const page = await context.newPage()
  await open(page, url)
  await page.screenshot({ path: picture })
  await context.close()
}
