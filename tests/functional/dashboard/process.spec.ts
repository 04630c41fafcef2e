import { readdir, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { test } from '@japa/runner'
import { applicationEnv, startWeb, startWorker, type AppProcess } from '#tests/helpers/app'
import { createDatabase } from '#tests/helpers/databases'
import { redisServer, temporaryFolder } from '#tests/helpers/servers'
import { waitFor } from '#tests/helpers/wait'
import { askForNonsense, sendUnreadable, sendWrongFiles, Visitor } from '../app/hostile_requests.ts'
import { Client, HTML } from './client.ts'
import { migrate } from '../mirror/records.ts'
import { PREFIX } from './lab.ts'

/** Fields of files that no form has, some with names that every object knows. */
const FIELDS = [
  'a.b',
  'c[d][e]',
  'c[d][f][]',
  'constructor',
  '__proto__',
  'toString',
  'handler',
  '*',
]

test.group('Dashboard | the application in this repository', (group) => {
  let web: AppProcess & { url: string }
  let worker: AppProcess
  let client: Client
  let uploads: string

  group.setup(async () => {
    const redis = await redisServer({ own: true })
    const database = await createDatabase()
    await migrate(database.connection)
    const env = await applicationEnv({ redisPort: redis.port, database })
    uploads = await temporaryFolder('uploads')
    web = await startWeb({ ...env, TMPDIR: uploads })
    worker = startWorker(env)
    client = new Client(web.url, PREFIX)
    return async () => {
      await Promise.all([web.stop(), worker.stop()])
      await redis.stop()
      await rm(uploads, { recursive: true })
    }
  })

  test('an uploaded text is followed by a monitor, without any right on jobs', async ({
    assert,
  }) => {
    const start = await fetch(`${web.url}/documents`, { headers: { accept: HTML } })
    const cookie = start.headers
      .getSetCookie()
      .map((one) => one.split(';')[0])
      .join('; ')
    const page = await start.text()
    const form = new FormData()
    form.set('_csrf', /name=["']_csrf["'] value=["']([^"']+)/.exec(page)![1])
    form.set('document', new Blob(['# Title\n\nSome words.\n']), 'words.md')
    const sent = await fetch(`${web.url}/documents`, {
      method: 'POST',
      body: form,
      headers: { cookie },
      redirect: 'manual',
    })
    assert.equal(sent.status, 303)
    const location = sent.headers.get('location')!
    assert.match(location, /^\/documents\?sent=[0-9a-f-]{36}$/)
    const html = await (await fetch(`${web.url}${location}`)).text()
    const element = /<job-monitor[^>]*>/.exec(html)![0]
    const address = (name: string) =>
      new RegExp(` ${name}="([^"]+)"`).exec(element)![1].replaceAll('&amp;', '&')
    const stream = await client.stream(address('stream'))
    await waitFor('the job to end', () => stream.ended)
    assert.containsSubset(stream.named('state').at(-1)!.data, {
      status: 'completed',
      terminal: true,
    })
    // Of a job that has ended the stream ends at once; what it left behind would keep the process from ending below.
    const late = await client.stream(address('stream'))
    await waitFor('the late stream to end', () => late.ended)
    const state = await client.json(address('src'))
    assert.containsSubset(state.json, { status: 'completed', percent: 100 })
    const last = await client.page(address('html'))
    assert.match(last.text, /<job-monitor[^>]* terminal/)
    assert.equal((await client.json(address('src').replace(/token=[^&]*/, 'token=x'))).status, 200)
  })

  test('refreshes a page with a monitor where scripts are off, and no page into which one is put', async ({
    assert,
  }) => {
    const { json } = await client.post('/jobs', {
      type: 'demo.sleep',
      payload: { ms: 1 },
      options: { delay: '1d' },
    })
    const visitor = new Visitor(web.url)
    const asked = async (headers: Record<string, string>) =>
      (await visitor.ask(`/documents?sent=${json.job.id}`, { headers })).text
    const refresh = /<job-monitor[^]*http-equiv="refresh"[^]*<\/job-monitor>/
    assert.match(await asked({ 'sec-fetch-dest': 'document' }), refresh)
    for (const [header, value] of [
      ['hx-request', 'true'],
      ['sec-fetch-dest', 'empty'],
    ]) {
      const page = await asked({ [header]: value })
      assert.include(page, '<job-monitor')
      assert.notMatch(page, refresh)
    }
  })

  test('keeps the policy of the host: nothing inline, nothing from elsewhere', async ({
    assert,
  }) => {
    const { headers } = await client.page('')
    const policy = headers.get('content-security-policy')!
    assert.include(policy, "default-src 'none'")
    assert.notMatch(policy, /unsafe|\*|https?:/)
  })

  test('answers the application’s pages whatever is asked of them', async ({ assert }) => {
    await askForNonsense(new Visitor(web.url), assert)
    assert.notMatch(web.output(), /unhandled/i)
  })

  test('leads whose token is no longer good back, saying that nothing was done', async ({
    assert,
  }) => {
    const visitor = new Visitor(web.url)
    for (const path of [`${PREFIX}/cleanups`, '/documents', '/pipelines']) {
      await visitor.ask(path)
      const body = new URLSearchParams({ _csrf: 'of yesterday' })
      const headers = { referer: web.url + path }
      const old = await visitor.ask(path, { method: 'POST', body, headers })
      assert.equal(new URL(old.location, web.url).pathname, path)
      const { text } = await visitor.ask(path)
      assert.match(text, /Nothing was (done|sent): the session of that page had ended/, path)
      assert.notInclude((await visitor.ask(path)).text, 'had ended', path)
    }
  })

  test('tells programs in one form what could not be read or has no token', async ({ assert }) => {
    await sendUnreadable(new Visitor(web.url), assert)
    assert.notMatch(web.output(), /unhandled/i)
  })

  test('tells for each file that cannot be read what to do, and reads the others', async ({
    assert,
  }) => {
    await sendWrongFiles(new Visitor(web.url), assert)
  })

  test('answers who sends more than is taken', async ({ assert }) => {
    const body = new Blob([new Uint8Array(53 * 1_048_576)])
    const { status, text } = await new Visitor(web.url).ask('/documents', { method: 'POST', body })
    assert.equal(status, 413)
    assert.include(text, 'Up to 50 MB of files are taken at once')
  })

  test('keeps no temporary file of what was sent, taken or refused, to any address, whole or not', async ({
    assert,
  }) => {
    const visitor = new Visitor(web.url)
    await visitor.ask('/documents')
    const whole =
      '--b\r\nContent-Disposition: form-data; name="a[b][]"; filename="x.md"\r\n\r\n# x\r\n'
    const headers = { 'content-type': 'multipart/form-data; boundary=b' }
    const broken = { method: 'POST', headers, body: `${whole}${whole.replace('# x\r\n', '# x')}` }
    assert.equal((await visitor.ask('/documents', broken)).status, 400)
    const leaver = connect(Number(new URL(web.url).port), '127.0.0.1')
    leaver.end(
      `POST /documents HTTP/1.1\r\nHost: x\r\nContent-Type: ${headers['content-type']}\r\nContent-Length: 10000\r\n\r\n${whole}`
    )
    for (const path of ['/documents', '/pipelines', '/nowhere', '/admin/queue/jobs/cancel']) {
      const body = new FormData()
      for (const name of FIELDS) body.append(name, new Blob(['# x']), 'x.md')
      assert.isBelow((await visitor.ask(path, { method: 'POST', body })).status, 500, path)
    }
    const files = [{ name: 'x.md', content: '# x' }]
    const strange = await visitor.upload(files, FIELDS)
    assert.equal(strange.status, 422)
    assert.include(strange.text, 'Nothing is called')
    assert.equal((await visitor.upload(files)).status, 303)
    await waitFor('the folder to be empty', async () => (await readdir(uploads)).length === 0)
  })

  test('ends at once at SIGTERM, though pages are open', async ({ assert }) => {
    const streams = await Promise.all([
      client.stream('/stream?page=dashboard'),
      client.stream('/stream?page=jobs'),
    ])
    await waitFor('hello', () => streams.every((stream) => stream.named('hello').length > 0))
    const asked = performance.now()
    const { code } = await web.stop('SIGTERM')
    assert.equal(code, 0, web.output())
    /** Streams that nobody closes would hold it for ever. */
    assert.isBelow(performance.now() - asked, 20_000)
    assert.isTrue(streams.every((stream) => stream.ended))
    assert.notMatch(web.output(), /unhandled|error/i)
  })
})
