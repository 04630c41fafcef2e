import { randomUUID } from 'node:crypto'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { test } from '@japa/runner'
import { Queue } from 'bullmq'
import { applicationEnv, migrate, runAce, startWorker, type AppProcess } from '#tests/helpers/app'
import { createDatabase, type TestDatabase } from '#tests/helpers/databases'
import { redisServer } from '#tests/helpers/servers'
import { freePort, waitFor } from '#tests/helpers/wait'

type Env = Record<string, string>
type Ended = { code: number | null; json: any; output: string; stderr: string; took: number }

/** Runs a command with `--json`: its standard output has to be one JSON document, whatever happened. */
async function ask(env: Env, ...args: string[]): Promise<Ended> {
  const asked = performance.now()
  const { code, stdout, output, stderr } = await runAce([...args, '--json'], env)
  const took = performance.now() - asked
  try {
    return { code, json: JSON.parse(stdout), output, stderr, took }
  } catch {
    throw new Error(`${args.join(' ')} printed no JSON document, code ${code}:\n${output}`)
  }
}

const ID = '0192f3c4-8d5e-7a61-b2c3-d4e5f6a7b8c9'

/** Each command, whether it needs the database, and Redis, and whether it reports what is away instead of failing for it. */
const COMMANDS: { args: string[]; database: boolean; redis: boolean; reports?: true }[] = [
  { args: ['queue:dispatch', 'demo.sleep', '{"ms":1}'], database: false, redis: true },
  { args: ['queue:jobs'], database: true, redis: false },
  { args: ['queue:show', ID], database: true, redis: true },
  { args: ['queue:cancel', ID], database: true, redis: true },
  { args: ['queue:restart', ID], database: true, redis: true },
  { args: ['queue:status'], database: true, redis: true },
  { args: ['queue:cleanup'], database: true, redis: true },
  { args: ['queue:limits'], database: false, redis: true },
  { args: ['queue:pause', 'demo'], database: false, redis: true },
  { args: ['queue:resume', 'demo'], database: false, redis: true },
  { args: ['queue:drain', 'demo', '--force'], database: false, redis: true },
  { args: ['queue:doctor'], database: true, redis: true, reports: true },
]

test.group('Commands | Redis and database up', (group) => {
  let env: Env
  let worker: AppProcess
  let database: TestDatabase

  group.setup(async () => {
    database = await createDatabase()
    const redis = await redisServer({ own: true })
    env = await applicationEnv({ redisPort: redis.port, database })
    await migrate(env)
    worker = startWorker(env)
    return async () => {
      await worker.stop()
      await redis.stop()
    }
  })

  async function show(id: string, isSo: (job: any) => boolean = () => true) {
    return waitFor(
      `job ${id}`,
      async () => {
        const { code, json } = await ask(env, 'queue:show', id)
        return code === 0 && isSo(json.job) && json
      },
      { within: 20_000 }
    )
  }

  test('dispatch, show, list, cancel and restart a job', async ({ assert }) => {
    const dispatched = await ask(
      env,
      'queue:dispatch',
      'demo.fail',
      '{"message":"no luck"}',
      '--user=ada',
      '--tags=a,b'
    )
    assert.equal(dispatched.code, 0, dispatched.output)
    const { id } = dispatched.json.job
    const { job } = await show(id, ({ status }) => status === 'failed')
    assert.containsSubset(job, { type: 'demo.fail', user: 'ada', error: { message: 'no luck' } })
    assert.deepEqual(job.payload, { message: 'no luck' })

    const listed = await ask(env, 'queue:jobs', '--status=failed', '--user=ada', '--tag=b')
    assert.equal(listed.code, 0)
    assert.deepEqual(
      listed.json.data.map((one: any) => one.id),
      [id]
    )
    assert.deepInclude(listed.json.page, { count: 1, capped: false, next: null })

    const late = await ask(env, 'queue:cancel', id)
    assert.equal(late.code, 1)
    assert.equal(late.json.outcome, 'too_late')
    const again = await ask(env, 'queue:restart', id)
    assert.equal(again.code, 0)
    assert.equal(again.json.outcome, 'done')
    assert.equal(again.json.job.run, 2)

    const later = await ask(env, 'queue:dispatch', 'demo.sleep', '{"ms":1}', '--delay=1h')
    const cancelled = await ask(env, 'queue:cancel', later.json.job.id, '--reason=not needed')
    assert.equal(cancelled.code, 0, cancelled.output)
    assert.equal(cancelled.json.outcome, 'done')
    assert.equal(cancelled.json.job.status, 'cancelled')

    const status = await ask(env, 'queue:status')
    assert.equal(status.code, 0)
    assert.containsSubset(status.json.statistics, { cancelled: 1, activeWorkers: 1 })
    assert.isNumber(status.json.mirror.lag)
  }).timeout(150_000)

  test('secrets and digits of other producers', async ({ assert }) => {
    const queue = new Queue('demo', {
      prefix: '{queuedeck}',
      connection: { host: env.REDIS_HOST, port: Number(env.REDIS_PORT) },
    })
    const payload = {
      user: { password: 'p-111', list: [{ apiKey: 'k-222' }] },
      Authorization: 'Bearer t-333',
    }
    await queue.add('foreign "type" \u001b[31m', payload, { delay: 3_600_000 })
    await queue.close()
    const { data } = await waitFor(
      'its record',
      async () => {
        const { json } = await ask(env, 'queue:jobs', '--type=foreign*')
        return json.data.length > 0 && json
      },
      { within: 20_000 }
    )
    const { id } = data[0]
    const shown = await ask(env, 'queue:show', id)
    assert.equal(shown.code, 0)
    const text = await runAce(['queue:show', id], env)
    assert.equal(text.code, 0)
    for (const secret of ['p-111', 'k-222', 't-333']) {
      assert.notInclude(shown.output, secret)
      assert.notInclude(text.output, secret)
    }
    assert.notInclude(text.output, '\u001b[31m"')
    assert.include(text.output, '\\x1b[31m')
  }).timeout(60_000)

  test('refuse what cannot be meant, with code 1', async ({ assert }) => {
    const cases: [args: string[], message: RegExp][] = [
      [['queue:show', 'nothing'], /"nothing" is not the id/],
      [['queue:cancel', randomUUID()], /No job/],
      [['queue:restart', 'a/b'], /"a\/b" is not the id/],
      [['queue:jobs', '--status=exploded'], /exploded/],
      [['queue:jobs', '--cursor=bananas'], /cursor/],
      [['queue:status', '--watch'], /--watch/],
    ]
    const check = async ([args, message]: (typeof cases)[number]) => {
      const { code, json } = await ask(env, ...args)
      assert.equal(code, 1)
      assert.match(json.errors[0].message, message)
      assert.isString(json.errors[0].code)
    }
    for (let at = 0; at < cases.length; at += 2) {
      await Promise.all(cases.slice(at, at + 2).map(check))
    }
  })
})

test.group('Commands | something is away', (group) => {
  let silent: Server
  const sockets = new Set<Socket>()
  let migrated: TestDatabase
  let nowhere: number

  group.setup(async () => {
    silent = createServer((socket) => {
      sockets.add(socket)
      socket.on('error', () => {})
    })
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    nowhere = await freePort()
    migrated = await createDatabase()
    await migrate(await applicationEnv({ database: migrated }))
    return () => {
      sockets.forEach((socket) => socket.destroy())
      silent.close()
    }
  })

  /**
   * Two at a time. A loaded machine is no outage: what booting takes beyond two seconds, measured by commands that refuse their
   * flags, is given twice.
   */
  async function all(
    env: Env,
    within: number,
    assert: any,
    expected: (command: (typeof COMMANDS)[number]) => { code: number; error?: string }
  ) {
    const boots = await Promise.all([0, 1].map(() => ask(env, 'queue:jobs', '--limit=0')))
    const slowness = Math.max(0, ...boots.map(({ took }) => took - 2_000))
    const limit = within + 2 * slowness
    const waiting = [...COMMANDS]
    const next = async () => {
      for (let command = waiting.shift(); command; command = waiting.shift()) {
        const { code, json, took, output } = await ask(env, ...command.args)
        const { code: wanted, error } = expected(command)
        const name = command.args[0]
        assert.equal(code, wanted, `${name}: ${output}`)
        if (command.reports) assert.isFalse(json.healthy)
        else if (error) assert.equal(json.errors[0].code, error, `${name}: ${output}`)
        assert.isBelow(took, limit, name)
      }
    }
    await Promise.all([next(), next()])
  }

  test('Redis refuses: each ends within 10 s, with one JSON document', async ({ assert }) => {
    const env = await applicationEnv({ redisPort: nowhere, database: migrated })
    await all(env, 10_000, assert, ({ redis }) =>
      redis ? { code: 1, error: 'E_REDIS_UNAVAILABLE' } : { code: 0 }
    )
    const mirror = await ask(env, 'queue:mirror', '--status')
    assert.equal(mirror.code, 1)
    assert.equal(mirror.json.errors[0].code, 'E_REDIS_UNAVAILABLE')
  }).timeout(150_000)

  test('Redis is silent: each ends within 15 s', async ({ assert }) => {
    const { port } = silent.address() as AddressInfo
    const env = await applicationEnv({ redisPort: port, database: migrated })
    await all(env, 15_000, assert, ({ redis }) =>
      redis ? { code: 1, error: 'E_REDIS_UNAVAILABLE' } : { code: 0 }
    )
  }).timeout(150_000)

  test('the database refuses: each ends within 10 s', async ({ assert }) => {
    const env = await applicationEnv({
      env: { DB_CONNECTION: 'pg', DB_HOST: '127.0.0.1', DB_PORT: String(nowhere) },
    })
    await all(env, 10_000, assert, ({ database }) =>
      database ? { code: 1, error: 'E_DATABASE_UNAVAILABLE' } : { code: 0 }
    )
  }).timeout(150_000)
})
