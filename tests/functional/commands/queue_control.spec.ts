import { test } from '@japa/runner'
import { applicationEnv, migrate, runAce, startWorker, type AppProcess } from '#tests/helpers/app'
import { redisServer } from '#tests/helpers/servers'
import { freePort, waitFor } from '#tests/helpers/wait'

type Env = Record<string, string>

async function ask(env: Env, ...args: string[]): Promise<{ code: number | null; json: any }> {
  const { code, stdout, output } = await runAce([...args, '--json'], env)
  try {
    return { code, json: JSON.parse(stdout) }
  } catch {
    throw new Error(`${args.join(' ')} printed no JSON document, code ${code}:\n${output}`)
  }
}

test.group('queue:pause, queue:resume, queue:drain', (group) => {
  let env: Env
  let worker: AppProcess

  group.setup(async () => {
    const redis = await redisServer({ own: true })
    env = await applicationEnv({ redisPort: redis.port })
    await migrate(env)
    worker = startWorker(env)
    return async () => {
      await worker.stop()
      await redis.stop()
    }
  })

  const dispatch = async (...more: string[]): Promise<string> => {
    const { json } = await ask(env, 'queue:dispatch', 'demo.sleep', '{"ms":1}', ...more)
    return json.job.id
  }

  const become = (id: string, status: string) =>
    waitFor(
      `${id} to be ${status}`,
      async () => (await ask(env, 'queue:show', id)).json.job?.status === status,
      { within: 20_000 }
    )

  test('hold jobs back from the worker, cancel them, and let the next ones run', async ({
    assert,
  }) => {
    await become(await dispatch(), 'completed')
    const paused = await ask(env, 'queue:pause', 'demo')
    assert.equal(paused.code, 0)
    assert.deepInclude(paused.json, { outcome: 'done', changed: true })
    assert.isTrue(paused.json.queue.paused)
    assert.deepInclude((await ask(env, 'queue:pause', 'demo')).json, { changed: false })

    const waiting = await dispatch()
    const later = await dispatch('--delay=1h')
    const unasked = await ask(env, 'queue:drain', 'demo')
    assert.equal(unasked.code, 1)
    assert.match(unasked.json.errors[0].message, /1 job waiting .* add --force/)
    const { code, output } = await runAce(['queue:drain', 'demo'], env)
    assert.equal(code, 1)
    assert.include(output, '--force')
    assert.equal((await ask(env, 'queue:show', waiting)).json.job.status, 'pending')

    const drained = await ask(env, 'queue:drain', 'demo', '--force')
    assert.equal(drained.code, 0)
    assert.deepInclude(drained.json, { cancelled: 1, requested: 0 })
    await become(waiting, 'cancelled')
    assert.equal((await ask(env, 'queue:show', later)).json.job.status, 'scheduled')
    const all = await runAce(['queue:drain', 'demo', '--scheduled', '--force'], env)
    assert.equal(all.code, 0)
    assert.include(all.output, 'queue demo: 1 job cancelled')
    await become(later, 'cancelled')

    const resumed = await ask(env, 'queue:resume', 'demo')
    assert.deepInclude(resumed.json, { outcome: 'done', changed: true })
    await become(await dispatch(), 'completed')
  }).timeout(120_000)

  test('fail for a queue that nobody knows, and while Redis is away', async ({ assert }) => {
    const away = { ...env, REDIS_PORT: String(await freePort()) }
    for (const command of ['queue:pause', 'queue:resume', 'queue:drain']) {
      const unknown = await ask(env, command, 'unheard')
      assert.equal(unknown.code, 1, command)
      assert.equal(unknown.json.errors[0].code, 'E_QUEUE_NOT_FOUND')
      const silent = await ask(away, command, 'demo')
      assert.equal(silent.code, 1, command)
      assert.equal(silent.json.errors[0].code, 'E_REDIS_UNAVAILABLE')
    }
  }).timeout(90_000)
})
