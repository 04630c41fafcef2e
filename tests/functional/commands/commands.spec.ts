import { randomUUID } from 'node:crypto'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { test } from '@japa/runner'
import type { Assert } from '@japa/assert'
import { Queue } from 'bullmq'
import { applicationEnv, runAce } from '#tests/helpers/app'
import type { TestDatabase } from '#tests/helpers/databases'
import { freePort } from '#tests/helpers/ports'
import { waitFor } from '#tests/helpers/wait'
import { answerOf, CommandLab, migratedDatabase } from './lab.ts'

const ID = '0192f3c4-8d5e-7a61-b2c3-d4e5f6a7b8c9'

type Command = {
  args: string[]
  database: boolean
  redis: boolean
  /** It reports what is away instead of failing for it. */
  reports?: true
  /** With what away it is run as a process of its own too, one of each kind: each boots the application. */
  processes?: Away[]
}

type Away = 'refusing Redis' | 'silent Redis' | 'database'

/** Each command, and whether it needs the database, and Redis. */
const COMMANDS: Command[] = [
  {
    args: ['queue:dispatch', 'demo.sleep', '{"ms":1}'],
    database: false,
    redis: true,
    processes: ['refusing Redis', 'silent Redis'],
  },
  { args: ['queue:jobs'], database: true, redis: false, processes: ['silent Redis', 'database'] },
  { args: ['queue:show', ID], database: true, redis: true },
  { args: ['queue:cancel', ID], database: true, redis: true },
  { args: ['queue:restart', ID], database: true, redis: true },
  { args: ['queue:status'], database: true, redis: true },
  { args: ['queue:cleanup'], database: true, redis: true },
  { args: ['queue:limits'], database: false, redis: true },
  { args: ['queue:schedules'], database: true, redis: false },
  { args: ['queue:pause', 'demo'], database: false, redis: true },
  { args: ['queue:resume', 'demo'], database: false, redis: true },
  { args: ['queue:drain', 'demo', '--force'], database: false, redis: true },
  {
    args: ['queue:doctor'],
    database: true,
    redis: true,
    reports: true,
    processes: ['silent Redis'],
  },
]

test.group('Commands | Redis and database up', (group) => {
  let lab: CommandLab

  group.setup(async () => {
    lab = await CommandLab.open()
    await lab.work()
    return () => lab.close()
  })

  async function show(id: string, isSo: (job: any) => boolean = () => true) {
    return waitFor(`job ${id}`, async () => {
      const { code, json } = await lab.ask('queue:show', id)
      return code === 0 && isSo(json.job) && json
    })
  }

  test('dispatch, show, list, cancel and restart a job', async ({ assert }) => {
    const dispatched = await lab.ask(
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

    const listed = await lab.ask('queue:jobs', '--status=failed', '--user=ada', '--tag=b')
    assert.equal(listed.code, 0)
    assert.deepEqual(
      listed.json.data.map((one: any) => one.id),
      [id]
    )
    assert.deepInclude(listed.json.page, { count: 1, capped: false, next: null })
    const several = ['--queue=mails,demo', '--type=demo.fail,x', '--user=bob, ada', '--tag=b,c']
    assert.equal((await lab.ask('queue:jobs', ...several)).json.page.count, 1)
    const many = Array.from({ length: 40 }, (_, n) => `documents-${n}`)
    const long = await lab.ask('queue:jobs', `--queue=${many},demo`, '--user=ada', '--tag=b')
    assert.equal(long.json.page.count, 1)
    const inIndia = await lab.run('queue:jobs', '--from=2026-11-01', '--tz=Asia/Kolkata')
    assert.include(inIndia.output, 'times in Asia/Kolkata')

    const late = await lab.ask('queue:cancel', id)
    assert.equal(late.code, 1)
    assert.equal(late.json.outcome, 'too_late')
    const again = await lab.ask('queue:restart', id)
    assert.equal(again.code, 0)
    assert.equal(again.json.outcome, 'done')
    assert.equal(again.json.job.run, 2)

    const later = await lab.ask('queue:dispatch', 'demo.sleep', '{"ms":1}', '--delay=1h')
    const cancelled = await lab.ask('queue:cancel', later.json.job.id, '--reason=not needed')
    assert.equal(cancelled.code, 0, cancelled.output)
    assert.equal(cancelled.json.outcome, 'done')
    assert.equal(cancelled.json.job.status, 'cancelled')

    const status = await lab.ask('queue:status')
    assert.equal(status.code, 0)
    assert.containsSubset(status.json.statistics, { cancelled: 1, activeWorkers: 1 })
    assert.isNumber(status.json.mirror.lag)
  })

  test('secrets and digits of other producers', async ({ assert }) => {
    const { prefix, redis: connection } = lab
    const queue = new Queue('demo', { prefix, connection })
    const payload = {
      user: { password: 'p-111', list: [{ apiKey: 'k-222' }] },
      Authorization: 'Bearer t-333',
    }
    await queue.add('foreign "type" \u001b[31m', payload, { delay: 3_600_000 })
    await queue.close()
    const { data } = await waitFor('its record', async () => {
      const { json } = await lab.ask('queue:jobs', '--type=foreign*')
      return json.data.length > 0 && json
    })
    const { id } = data[0]
    const shown = await lab.ask('queue:show', id)
    assert.equal(shown.code, 0)
    const text = await lab.run('queue:show', id)
    assert.equal(text.code, 0)
    for (const secret of ['p-111', 'k-222', 't-333']) {
      assert.notInclude(shown.output, secret)
      assert.notInclude(text.output, secret)
    }
    assert.notInclude(text.output, '\u001b[31m')
    assert.include(text.output, '\\x1b[31m')
  })

  test('refuse what cannot be meant, with code 1', async ({ assert }) => {
    const cases: [args: string[], message: RegExp][] = [
      [['queue:show', 'nothing'], /"nothing" is not the id/],
      [['queue:cancel', randomUUID()], /No job/],
      [['queue:restart', 'a/b'], /"a\/b" is not the id/],
      [['queue:jobs', '--status=exploded'], /exploded/],
      [['queue:jobs', '--cursor=bananas'], /cursor/],
      [['queue:jobs', '--status='], /--status is empty/],
      [['queue:status', '--watch'], /--watch/],
    ]
    for (const [args, message] of cases) {
      const { code, json } = await lab.ask(...args)
      assert.equal(code, 1)
      assert.match(json.errors[0].message, message)
      assert.isString(json.errors[0].code)
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
    migrated = await migratedDatabase()
    return () => {
      sockets.forEach((socket) => socket.destroy())
      silent.close()
    }
  })

  /**
   * All commands at once in one application, and beside it some as processes, which have to end by themselves. Booting a process is
   * no outage: on a loaded machine it may take as long as `runAce` lets it live.
   */
  async function all(
    lab: CommandLab,
    away: Away,
    within: number,
    assert: Assert,
    expected: (command: Command) => { code: number; error?: string }
  ): Promise<void> {
    const env = await applicationEnv({ redisPort: lab.redis.port, database: lab.database })
    const check = (
      command: Command,
      { code, json, output }: { code: number | null; json: any; output: string }
    ) => {
      const { code: wanted, error } = expected(command)
      const name = command.args[0]
      assert.equal(code, wanted, `${name}: ${output}`)
      if (command.reports) assert.isFalse(json.healthy)
      else if (error) assert.equal(json.errors[0].code, error, `${name}: ${output}`)
    }
    const here = COMMANDS.map(async (command) => {
      const answer = await lab.ask(...command.args)
      check(command, answer)
      assert.isBelow(answer.took, within, command.args[0])
    })
    const apart = COMMANDS.filter(({ processes = [] }) => processes.includes(away)).map(
      async (command) => {
        const ended = await runAce([...command.args, '--json'], env)
        check(command, answerOf(command.args, ended))
      }
    )
    await Promise.all([...here, ...apart])
  }

  test('Redis refuses: each ends within 10 s, with one JSON document', async ({
    assert,
    cleanup,
  }) => {
    const redis = { host: '127.0.0.1', port: nowhere }
    const lab = await CommandLab.open({ redis, database: migrated })
    cleanup(() => lab.close())
    await all(lab, 'refusing Redis', 10_000, assert, (command) =>
      command.redis ? { code: 1, error: 'E_REDIS_UNAVAILABLE' } : { code: 0 }
    )
    const bare = await lab.ask('queue:mirror')
    assert.equal(bare.code, 1)
    assert.equal(bare.json.errors[0].code, 'E_STATUS_MISSING')
    const mirror = await lab.ask('queue:mirror', '--status')
    assert.equal(mirror.code, 1)
    assert.equal(mirror.json.errors[0].code, 'E_REDIS_UNAVAILABLE')
  })

  test('Redis is silent: each ends within 15 s', async ({ assert, cleanup }) => {
    const redis = { host: '127.0.0.1', port: (silent.address() as AddressInfo).port }
    const lab = await CommandLab.open({ redis, database: migrated })
    cleanup(() => lab.close())
    await all(lab, 'silent Redis', 15_000, assert, (command) =>
      command.redis ? { code: 1, error: 'E_REDIS_UNAVAILABLE' } : { code: 0 }
    )
  })

  test('the database refuses: each ends within 10 s', async ({ assert, cleanup }) => {
    const connection = { host: '127.0.0.1', port: nowhere, user: 'postgres', database: 'none' }
    const lab = await CommandLab.open({
      database: {
        kind: 'pg',
        env: { DB_CONNECTION: 'pg', DB_HOST: '127.0.0.1', DB_PORT: String(nowhere) },
        connection: { client: 'pg', connection },
        drop: async () => {},
      },
    })
    cleanup(() => lab.close())
    const { code } = await lab.ask('queue:dispatch', 'demo.sleep', '{"ms":1}')
    assert.equal(code, 0)
    await all(lab, 'database', 10_000, assert, (command) =>
      command.database ? { code: 1, error: 'E_DATABASE_UNAVAILABLE' } : { code: 0 }
    )
  })
})
