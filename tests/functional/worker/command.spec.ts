import { readFileSync } from 'node:fs'
import { test } from '@japa/runner'
import { applicationEnv, runAce, startWorker, type AppProcess } from '#tests/helpers/app'
import { commandLine } from '#tests/helpers/command_line'
import { hostApp } from '#tests/helpers/host'
import { redisServer, type PrivateServer } from '#tests/helpers/servers'
import { waitFor } from '#tests/helpers/wait'
import { WorkerLab } from './lab.ts'

/** Keys of the application in this repository. */
const PREFIX = '{queuedeck}'

async function add(lab: WorkerLab, name: string, payload: object, opts: object = {}) {
  const id = crypto.randomUUID()
  const data = JSON.stringify(payload)
  await lab.transport.add([
    { id, name, data, queue: 'demo', opts: { timestamp: Date.now(), ...opts } },
  ])
  return id
}

/** Time of a processor that a process has taken so far, in ticks. */
function spent(pid: number): number {
  const [utime, stime] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(' ').slice(13, 15)
  return Number(utime) + Number(stime)
}

test.group('queue:work', (group) => {
  let server: PrivateServer
  let lab: WorkerLab
  let env: Record<string, string>
  let worker: AppProcess | undefined
  /** Most start processes that boot the whole application. */
  group.setup(async () => {
    server = await redisServer({ own: true })
    env = await applicationEnv({ redisPort: server.port })
    return () => server.stop()
  })
  group.each.setup(async () => {
    lab = new WorkerLab(server.url, [], {}, PREFIX)
    await lab.redis.flushall()
    return async () => {
      await worker?.stop('SIGKILL')
      worker = undefined
      await lab.close()
    }
  })

  test('runs the jobs of the application, isolated ones beside it, and drains at a signal', async ({
    assert,
  }) => {
    worker = startWorker(env, ['--no-mirror', '--concurrency=3', '--grace=5s'])
    const quick = await add(lab, 'demo.sleep', { ms: 10, steps: 2 })
    const isolated = await add(lab, 'demo.spin_isolated', { ms: 5 })
    const job = await lab.ended(quick, 'demo')
    assert.deepEqual(JSON.parse(job.returnvalue), { slept: 10, steps: 2 })
    const [registered] = await waitFor('its report', async () => {
      const list = await lab.transport.workers.list()
      return list.length > 0 && list
    })
    assert.deepEqual([registered.report!.pid, registered.report!.concurrency], [worker.pid, 3])

    /** One that ignores its cancellation is killed with its process; the next job has another. */
    const processOf = async (id: string): Promise<number> =>
      JSON.parse((await lab.ended(id, 'demo')).returnvalue).process
    const first = await processOf(isolated)
    assert.notEqual(first, worker.pid)
    const before = spent(first)
    const deaf = await add(lab, 'demo.spin_isolated', { ms: 60_000 })
    await waitFor('its code to spin', () => spent(first) > before + 20)
    await lab.transport.cancel('demo', deaf, { by: 'ann', reason: 'enough' })
    assert.match((await lab.ended(deaf, 'demo')).failedReason, /^\[CANCELLED\] enough/)
    assert.throws(() => process.kill(first, 0), /ESRCH/)
    const second = await processOf(await add(lab, 'demo.spin_isolated', { ms: 5 }))

    /** As a service manager does, which signals all processes of a service: only the worker decides. */
    const signalled = await add(lab, 'demo.spin_isolated', { ms: 2_000 })
    await lab.running(signalled, 'demo')
    process.kill(second, 'SIGTERM')
    process.kill(second, 'SIGINT')
    assert.equal(await processOf(signalled), second)

    const running = await add(lab, 'demo.sleep', { ms: 2_500 })
    await lab.running(running, 'demo')
    const { code } = await worker.stop('SIGINT')
    assert.equal(code, 0, worker.output())
    assert.equal(await lab.transport.state('demo', running), 'completed')
    assert.lengthOf(await lab.transport.workers.list(), 0)
    assert.throws(() => process.kill(second, 0), /ESRCH/)
  })

  test('hands running jobs back at once at a second signal', async ({ assert }) => {
    worker = startWorker(env, ['--no-mirror'])
    const id = await add(lab, 'demo.sleep', { ms: 60_000 })
    await lab.running(id, 'demo')
    worker.child.kill('SIGTERM')
    worker.child.kill('SIGINT')
    assert.equal((await worker.exited).code, 0, worker.output())
    assert.equal(await lab.transport.state('demo', id), 'waiting')
  })

  test('ends by itself with --once and --max-jobs', async ({ assert }) => {
    for (let n = 0; n < 5; n++) await add(lab, 'demo.sleep', { ms: 1 })
    const limited = await runAce(['queue:work', '--no-mirror', '--max-jobs=2'], env)
    assert.equal(limited.code, 0, limited.output)
    assert.equal((await lab.transport.depths(['demo'])).demo.completed, 2)
    const once = await runAce(['queue:work', '--no-mirror', '--once', '--queues=demo,other'], env)
    assert.equal(once.code, 0, once.output)
    assert.include(once.output, 'works demo, other,')
    const empty = await runAce(['queue:work', '--no-mirror', '--once', '--queues=other'], env)
    assert.include(empty.output, 'works other,')
    assert.equal((await lab.transport.depths(['demo'])).demo.completed, 5)
  })

  test('refuses values that cannot be, naming option and value', async ({ assert, cleanup }) => {
    const app = await hostApp()
    cleanup(() => app.terminate())
    const run = await commandLine(app)
    for (const [flag, value] of Object.entries({
      'concurrency': '0',
      'max-jobs': 'many',
      'max-memory': '5 bananas',
      'grace': '5 bananas',
      'queues': 'a:b',
    })) {
      const { code, output } = await run(['queue:work', `--${flag}=${value}`])
      assert.equal(code, 1, flag)
      assert.include(output, value)
    }
  })

  test('ends where two job classes have one name, naming both files', async ({
    assert,
    cleanup,
  }) => {
    const app = await hostApp({ queuedeck: { jobs: 'tests/fixtures/jobs/doubled' } })
    cleanup(() => app.terminate())
    const { code, output } = await (await commandLine(app))(['queue:work'])
    assert.equal(code, 1)
    assert.include(output, 'first.ts and nested/second.ts')
  })

  test('can be stopped while Redis is away', async ({ assert }) => {
    worker = startWorker({ ...env, REDIS_PORT: '1' }, ['--no-mirror'])
    await waitFor('its start', () => worker!.output().includes('waits for Redis'))
    const { code } = await worker.stop('SIGTERM')
    assert.equal(code, 0, worker.output())
  })
})
