import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from '@japa/runner'
import { applicationEnv, type AppProcess, spawnNode } from '#tests/helpers/app'
import { waitFor } from '#tests/helpers/wait'
import { hostFiles } from './host_files.ts'
import { lendDependencies } from './lent_dependencies.ts'
import { packedPackage, run } from './packed_package.ts'

const ADMIN = `Basic ${btoa('ada@example.com:correct horse')}`
const NOBODY_SPECIAL = `Basic ${btoa('bob@example.com:correct horse')}`

test.group('A fresh application', () => {
  test('gets jobs, a worker and pages behind its own auth', async ({ assert, cleanup }) => {
    const host = mkdtempSync(join(tmpdir(), 'queuedeck-host-'))
    const running: AppProcess[] = []
    cleanup(async () => {
      await Promise.all(running.map((process) => process.stop()))
      rmSync(host, { recursive: true, force: true })
    })
    const { tarball } = await packedPackage()
    for (const [path, text] of Object.entries(hostFiles(tarball))) write(host, path, text)
    await lendDependencies(host)
    await run(
      'npm',
      ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'],
      {
        cwd: host,
        maxBuffer: 16 * 1024 * 1024,
      }
    )

    const env: Record<string, string> = {
      ...(await applicationEnv()),
      NODE_ENV: 'production',
      LOG_LEVEL: 'info',
    }
    const spawnEnded = async (args: string[]) => {
      const command = spawnNode(args, env, { cwd: host })
      const { code } = await command.exited
      assert.equal(code, 0, `${args.join(' ')}\n${command.output()}`)
      return command.output()
    }

    await spawnEnded(['ace.js', 'configure', 'adonis-queuedeck'])
    for (const path of ['config/queuedeck.ts', 'start/queuedeck.ts']) {
      assert.include(readFileSync(join(host, path), 'utf8'), 'adonis-queuedeck')
    }
    const again = readFileSync(join(host, 'adonisrc.ts'), 'utf8')
    const several = await spawnEnded([
      '--import=@poppinss/ts-exec',
      'bin/several.ts',
      JSON.stringify([
        ['configure', 'adonis-queuedeck'],
        ['make:job', 'mail/send_welcome'],
        ['migration:run', '--force'],
      ]),
    ])
    assert.include(several, 'it exists')
    assert.equal(readFileSync(join(host, 'adonisrc.ts'), 'utf8'), again)

    write(
      host,
      'app/jobs/mail/send_welcome.ts',
      readFileSync(join(host, 'app/jobs/mail/send_welcome.ts'), 'utf8').replace(
        'vine.number()',
        'vine.number().positive()'
      )
    )
    write(
      host,
      'app/jobs/where.ts',
      `import { Job, type JobOptions } from 'adonis-queuedeck'

export default class Where extends Job<undefined, { process: number }> {
  static options: JobOptions = { name: 'where', isolated: true }
  execute() {
    return { process: process.pid }
  }
}
`
    )
    change(
      host,
      'start/queuedeck.ts',
      'queuedeckRoutes(router)',
      'queuedeckRoutes(router).use(middleware.auth())'
    )
    change(
      host,
      'start/queuedeck.ts',
      'import { queuedeckRoutes }',
      "import { middleware } from '#start/kernel'\nimport { queuedeckRoutes }"
    )
    const schedules = readFileSync(join(host, 'start/schedules.ts'), 'utf8')
    write(
      host,
      'start/schedules.ts',
      `import Where from '#jobs/where'
${schedules}
await Where.schedule().id('mornings').cron('0 7 * * *').timezone('Europe/Berlin')
`
    )
    write(
      host,
      'start/routes.ts',
      `import router from '@adonisjs/core/services/router'
import queue from 'adonis-queuedeck/services/main'
import SendWelcome from '#jobs/mail/send_welcome'
import Where from '#jobs/where'

router.get('/', () => 'host')
router.get('/where', async () => ({ id: (await Where.dispatch()).jobId }))
router.get('/welcome/:id', async ({ params }) => {
  const handle = await SendWelcome.dispatch({ id: Number(params.id) }).by('host')
  const other = await queue.dispatch('mail.send_welcome', { id: Number(params.id) })
  return { ids: [handle.jobId, other.jobId] }
})
`
    )
    const typeErrors = run(process.execPath, ['node_modules/typescript/bin/tsc', '--noEmit'], {
      cwd: host,
    }).then(
      () => '',
      (error) => error.stdout as string
    )

    const serve = async () => {
      const web = spawnNode(['--import=@poppinss/ts-exec', 'bin/server.ts'], env, { cwd: host })
      running.push(web)
      const base = `http://${env.HOST}:${env.PORT}`
      const answers = async () => (await fetch(base)).ok
      await waitFor('the host to answer', answers, { within: 300_000 }).catch((error) =>
        assert.fail(`${error.message}\n${web.output()}`)
      )
      const get = (path: string, authorization?: string) =>
        fetch(base + path, {
          headers: { accept: 'application/json', ...(authorization ? { authorization } : {}) },
        })
      return { web, get }
    }

    // Closed until the application says who may look.
    const closed = await serve()
    assert.equal((await closed.get('/admin/queue')).status, 401)
    assert.equal((await closed.get('/admin/queue', ADMIN)).status, 403)
    await closed.web.stop()
    assert.equal(await typeErrors, '')

    const worker = spawnNode(['ace.js', 'queue:work'], env, { cwd: host })
    running.push(worker)
    change(host, 'config/queuedeck.ts', '// view:', 'view:')
    const { get } = await serve()
    assert.equal((await get('/admin/queue')).status, 401)
    assert.equal((await get('/admin/queue', NOBODY_SPECIAL)).status, 403)
    assert.equal((await get('/admin/queue', ADMIN)).status, 200)

    const { ids } = (await (await get('/welcome/7')).json()) as { ids: string[] }
    const completed = (id: string) =>
      waitFor(
        'the job to complete',
        async () => {
          const response = await get(`/admin/queue/jobs/${id}`, ADMIN)
          const body = await response.text()
          return response.ok && body.includes('"completed"') && body
        },
        { every: 100 }
      )
    for (const id of ids) assert.include(await completed(id), 'mail.send_welcome')
    await waitFor('the schedule of its code', async () =>
      (await (await get('/admin/queue/schedules', ADMIN)).text()).includes('"mornings"')
    )

    // An isolated job: a process that boots this application from the packed package.
    const { id: isolated } = (await (await get('/where')).json()) as { id: string }
    const [, pid] = /"process":(\d+)/.exec(await completed(isolated)) ?? []
    assert.isAbove(Number(pid), 0)
    assert.notEqual(Number(pid), worker.pid)
    const page = await fetch(`http://${env.HOST}:${env.PORT}/admin/queue/jobs`, {
      headers: { accept: 'text/html', authorization: ADMIN },
    })
    assert.equal(page.status, 200)
    assert.include(await page.text(), 'mail.send_welcome')
  }).timeout(840_000)
})

function write(host: string, path: string, text: string): void {
  mkdirSync(dirname(join(host, path)), { recursive: true })
  writeFileSync(join(host, path), text)
}

function change(host: string, path: string, from: string, to: string): void {
  const text = readFileSync(join(host, path), 'utf8')
  if (!text.includes(from)) throw new Error(`${path} does not hold "${from}":\n${text}`)
  write(host, path, text.replace(from, to))
}
