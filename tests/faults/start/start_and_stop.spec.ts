import { setTimeout as pause } from 'node:timers/promises'
import { test } from '@japa/runner'
import { identify, lives } from '../../../bin/start/process_identity.ts'
import { applicationEnv, runAce } from '#tests/helpers/app'
import { createDatabase } from '#tests/helpers/databases'
import { redisServer } from '#tests/helpers/servers'
import { isListening, waitFor } from '#tests/helpers/wait'
import { StartLab } from './start_lab.ts'

test.group('npm start', (group) => {
  let lab: StartLab
  group.each.setup(async () => {
    lab = await StartLab.create()
    return () => lab.end()
  })

  test('brings pages and documents, stops in order, and goes on with the same history', async ({
    assert,
  }) => {
    const first = await lab.startWhole()
    const { address, processes, redis } = lab.running!
    assert.equal(address, `http://127.0.0.1:${lab.port}/admin/queue`)
    assert.include(first.output(), address)
    assert.equal((await fetch(address)).status, 200)
    assert.sameMembers(
      processes.map(({ name }) => name),
      ['web server', 'worker', 'redis']
    )

    const { code } = await first.stop('SIGINT', 60_000)
    assert.equal(code, 0)
    assert.isFalse(processes.some(lives))
    assert.isFalse(await isListening(redis.port))
    assert.isNull(lab.running)
    const before = lab.history()

    const second = await lab.startWhole()
    const ended = await lab.allEnded()
    assert.isAtLeast(ended.total, 200)
    const after = lab.history()
    for (const [id, row] of before) assert.equal(after.get(id), row)
    assert.equal((await second.stop('SIGTERM', 60_000)).code, 0)

    const third = await lab.startWhole()
    assert.equal(lab.counts().total, ended.total)
    assert.equal((await third.stop('SIGTERM', 60_000)).code, 0)
  }).timeout(300_000)

  test('leaves nothing behind when it is killed, and the next start loses no job', async ({
    assert,
  }) => {
    const killed = await lab.startWhole()
    const { processes, redis } = lab.running!
    await waitFor('some jobs to run', () => lab.counts().running > 0)
    killed.child.kill('SIGKILL')
    await waitFor('the children to end', () => !processes.some(lives), { within: 60_000 })
    assert.isFalse(await isListening(redis.port))

    const next = await lab.startWhole()
    const { total } = await lab.allEnded()
    assert.isAtLeast(total, 200)
    assert.equal((await next.stop('SIGTERM', 60_000)).code, 0)
  }).timeout(300_000)

  test('clears up after everything was killed but Redis, at once', async ({ assert }) => {
    const killed = await lab.startWhole()
    const { processes } = lab.running!
    killed.child.kill('SIGSTOP')
    for (const { name, pid } of processes) if (name !== 'redis') process.kill(pid, 'SIGSTOP')
    killed.child.kill('SIGKILL')
    for (const { name, pid } of processes) if (name !== 'redis') process.kill(pid, 'SIGKILL')
    await killed.exited

    const next = await lab.startWhole()
    assert.isFalse(processes.some(lives))
    await lab.allEnded()
    assert.equal((await next.stop('SIGTERM', 60_000)).code, 0)
  }).timeout(300_000)

  test('starts a worker again that was killed', async ({ assert }) => {
    const start = await lab.startWhole()
    const worker = () => lab.running!.processes.find(({ name }) => name === 'worker')!
    const first = worker()
    process.kill(first.pid, 'SIGKILL')
    await waitFor('another worker', () => worker().pid !== first.pid && identify(worker().pid))
    await lab.allEnded()
    assert.include(start.output(), 'The worker ended by itself (SIGKILL): starting it again')
  }).timeout(300_000)

  test('waits for running jobs, unless it is told twice', async ({ assert }) => {
    const start = await lab.startWhole()
    await lab.allEnded()
    const spinning = await runAce(
      ['queue:dispatch', 'demo.sleep', '{"ms":600000}', '--json'],
      lab.childEnv()
    )
    assert.equal(spinning.code, 0, spinning.output)
    await waitFor('the job to run', () => lab.counts().running === 1)

    start.child.kill('SIGINT')
    start.child.kill('SIGINT')
    await waitFor('it to stop', () => start.output().includes('Stopping'))
    await pause(700)
    assert.notInclude(start.output(), 'Not waiting')
    start.child.kill('SIGINT')
    const told = performance.now()
    assert.equal((await start.exited).code, 0)
    assert.isBelow(performance.now() - told, 10_000)
    assert.include(start.output(), 'Not waiting for running jobs')
    const { running = 0, pending = 0, scheduled = 0 } = lab.counts()
    assert.equal(running + pending + scheduled, 1)

    const next = await lab.startWhole()
    await waitFor('the job to run again', () => lab.counts().running === 1, { within: 60_000 })
    next.child.kill('SIGTERM')
    await pause(700)
    next.child.kill('SIGTERM')
    assert.equal((await next.exited).code, 0)
  }).timeout(300_000)

  test('uses the Redis and the database that it is told to', async ({ assert }) => {
    const redis = await redisServer({ own: true, settings: { requirepass: 'secret' } })
    const database = await createDatabase()
    const env = await applicationEnv({ redisPort: redis.port, database })
    const start = await lab.startWhole({ ...env, PORT: String(lab.port), REDIS_PASSWORD: 'secret' })
    assert.notInclude(start.output(), 'private Redis')
    assert.equal(lab.running!.redis.port, redis.port)
    assert.equal(lab.running!.database, env.DB_DATABASE)
    assert.notInclude(
      lab.running!.processes.map(({ name }) => name),
      'redis'
    )
    assert.equal((await start.stop('SIGTERM', 60_000)).code, 0)
    await redis.stop()
  }).timeout(180_000)
})
