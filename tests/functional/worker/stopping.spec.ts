import { setTimeout as pause } from 'node:timers/promises'
import { test } from '@japa/runner'
import { Job } from '../../../src/jobs/job.ts'
import type { JobOptions } from '../../../src/types.ts'
import { redisServer } from '#tests/helpers/servers'
import { waitFor } from '#tests/helpers/wait'
import { stopwatch } from '#tests/helpers/stopwatch'
import { WorkerLab } from './lab.ts'

class Deaf extends Job<{ ms: number }, string> {
  static options: JobOptions = { name: 'deaf' }
  async execute() {
    await pause(this.payload.ms)
    return 'too late'
  }
}

/** Ignores its signal until it is let go. */
class Held extends Job<object, string> {
  static options: JobOptions = { name: 'held' }
  static gate = Promise.withResolvers<void>()
  async execute() {
    await Held.gate.promise
    return 'too late'
  }
}

class Obedient extends Job<any, void> {
  static options: JobOptions = { name: 'obedient' }
  async execute() {
    await pause(60_000, undefined, { signal: this.signal })
  }
}

class Hasty extends Job<object, void> {
  static options: JobOptions = { name: 'hasty', timeout: 300 }
  async execute() {
    await pause(60_000, undefined, { signal: this.signal })
  }
}

const BY = { by: 'ann', reason: 'not needed' }

test.group('Stopping jobs', (group) => {
  let lab: WorkerLab
  group.each.setup(async () => {
    const { url } = await redisServer()
    lab = new WorkerLab(url, [Deaf, Held, Obedient], { grace: '10s' })
    Held.gate = Promise.withResolvers()
    return () => lab.close()
  })

  test('cancels a running job within a second', async ({ assert }) => {
    await lab.start()
    const id = await lab.dispatch(Obedient, {}, { attempts: 5 })
    await lab.running(id)
    const asked = stopwatch()
    assert.deepEqual(await lab.transport.cancel('default', id, BY), {
      outcome: 'requested',
      run: 1,
    })
    const job = await lab.ended(id)
    assert.isBelow(asked(), 1_000)
    assert.match(job.failedReason, /^\[CANCELLED\] not needed/)
    assert.deepEqual(await lab.entries(id), ['added', 'active', 'cancel-requested', 'failed'])
    assert.equal((await lab.transport.cancel('default', id, BY)).outcome, 'too_late')
  })

  test('cancels a job that waits, for good', async ({ assert }) => {
    const id = await lab.dispatch(Obedient)
    assert.equal((await lab.transport.cancel('default', id, BY)).outcome, 'done')
    await lab.start({ once: true }).then((pool) => pool.ended)
    assert.deepEqual(await lab.entries(id), ['added', 'cancelled'])
  })

  test('cancels what waits in any way, and each only once', async ({ assert }) => {
    const { keys } = lab.transport
    const ids = [
      await lab.dispatch(Obedient),
      await lab.dispatch(Obedient, {}, { priority: 3 }),
      await lab.dispatch(Obedient, {}, { delay: '1h' }),
    ]
    const blocked = await lab.dispatch(Obedient)
    await lab.redis.lrem(`${keys.queue('default')}wait`, 1, blocked)
    await lab.redis.zadd(`${keys.queue('default')}waiting-children`, Date.now(), blocked)
    await lab.transport.queueControl.pause('default')
    ids.push(blocked, await lab.dispatch(Obedient))
    for (const id of ids) {
      assert.equal((await lab.transport.cancel('default', id, BY)).outcome, 'done')
      assert.equal((await lab.transport.cancel('default', id, BY)).outcome, 'too_late')
      const entries = (await lab.entries(id)).filter((event) => event !== 'delayed')
      assert.deepEqual(entries, ['added', 'cancelled'])
    }
    const { default: depths } = await lab.transport.depths(['default'])
    assert.deepInclude(depths, { pending: 0, scheduled: 0, blocked: 0, running: 0 })
    assert.equal(
      (await lab.transport.cancel('default', crypto.randomUUID(), BY)).outcome,
      'missing'
    )
  })

  test('refuses the result of a job that ignored its cancellation, and keeps its slot until then', async ({
    assert,
  }) => {
    await lab.start({ concurrency: 1 })
    const first = await lab.dispatch(Deaf, { ms: 3_000 })
    const second = await lab.dispatch(Deaf, { ms: 1 })
    await lab.running(first)
    await pause(1_000)
    await lab.transport.cancel('default', first, BY)
    assert.include(await lab.entries(first), 'cancel-requested')
    assert.equal(await lab.transport.state('default', second), 'waiting')
    const job = await lab.ended(first)
    assert.equal(job.state, 'failed')
    assert.isUndefined(job.returnvalue)
    assert.equal(job.ats, '1')
    const after = await lab.ended(second)
    assert.equal(after.state, 'completed')
    assert.isAtLeast(Number(after.processedOn), Number(job.finishedOn) - 2)
  })

  test('lets running jobs finish when drained, and claims none', async ({ assert }) => {
    const pool = await lab.start({ concurrency: 1 })
    const running = await lab.dispatch(Held)
    await lab.running(running)
    const waiting = await lab.dispatch(Deaf, { ms: 1 })
    pool.drain()
    Held.gate.resolve()
    const ending = await pool.ended
    assert.deepEqual([ending.clean, ending.handedBack], [true, 0])
    assert.equal((await lab.ended(running)).state, 'completed')
    assert.equal(await lab.transport.state('default', waiting), 'waiting')
  })

  test('hands running jobs back when the grace period is over or a second signal comes', async ({
    assert,
  }) => {
    const pool = await lab.start()
    const id = await lab.dispatch(Deaf, { ms: 5_000 })
    await waitFor('its code to run', () => pool.running === 1)
    pool.drain()
    const asked = stopwatch()
    pool.abort()
    const ending = await pool.ended
    assert.isBelow(asked(), 3_000)
    assert.deepEqual([ending.clean, ending.handedBack], [true, 1])
    assert.equal(await lab.transport.state('default', id), 'waiting')
    await lab.start()
    const job = await lab.ended(id)
    assert.equal(job.state, 'completed')
    assert.equal(job.atm ?? '0', '1')
  })

  test('tells other workers of a job with a priority that it hands back', async ({ assert }) => {
    const marker = `${lab.transport.keys.queue('default')}marker`
    const pool = await lab.start({ concurrency: 1 })
    const id = await lab.dispatch(Obedient, {}, { priority: 3 })
    await waitFor('its code to run', () => pool.running === 1)
    /** Another worker looks, and finds nothing. */
    await lab.redis.del(marker)
    pool.abort()
    assert.equal((await pool.ended).handedBack, 1)
    assert.equal(await lab.transport.state('default', id), 'prioritized')
    assert.equal(await lab.redis.exists(marker), 1)
  })

  test('refuses reports and ends by an attempt that lost its lease', async ({ assert }) => {
    const pool = await lab.start({ concurrency: 1 })
    const id = await lab.dispatch(Held)
    await lab.running(id)
    await lab.redis.set(lab.transport.keys.lock('default', id), 'somebody else')
    const stale = { token: 'x', attempt: 1, name: 'x', progress: { percent: 50 } as never }
    assert.isFalse(await lab.transport.report('default', id, stale))
    Held.gate.resolve()
    await waitFor('the stale attempt to end', () => pool.running === 0)
    assert.isUndefined((await lab.job(id)).returnvalue)
    assert.notInclude(await lab.entries(id), 'completed')
  })

  test('times out as the dispatch says, else the type, else the configuration', async ({
    assert,
  }) => {
    const other = new WorkerLab(lab.url, [Hasty, Obedient, Held], { timeout: 500, grace: 200 })
    await other.start()
    const cases = [
      [Hasty, {}, 300],
      [Hasty, { timeout: 100 }, 100],
      [Obedient, {}, 500],
    ] as const
    await Promise.all(
      cases.map(async ([Class, options, timeout]) => {
        const job = await other.ended(await other.dispatch(Class, {}, options))
        assert.match(job.failedReason, new RegExp(`^\\[TIMED_OUT\\] .* ${timeout} ms`))
        assert.isAtLeast(Number(job.finishedOn) - Number(job.processedOn), timeout - 2)
      })
    )
    const retried = await other.dispatch(
      Hasty,
      {},
      { timeout: 50, attempts: 2, backoff: { type: 'fixed', delay: 10 } }
    )
    assert.equal((await other.ended(retried)).ats, '2')

    /** One that ignores its signal has failed after the grace period; what it returns later is dropped. */
    const deaf = await other.dispatch(Held, {}, { timeout: 100 })
    const job = await other.ended(deaf)
    assert.match(job.failedReason, /^\[TIMED_OUT\] /)
    assert.include(await other.entries(deaf), 'signal-ignored')
    Held.gate.resolve()
    await other.close()
    assert.isUndefined(
      (await lab.redis.hgetall(other.transport.keys.job('default', deaf))).returnvalue
    )
  })

  test('opens the next run of a cancelled job', async ({ assert }) => {
    const id = await lab.dispatch(Deaf, { ms: 1 })
    await lab.transport.cancel('default', id, BY)
    const job = {
      queue: 'default',
      id,
      name: 'deaf',
      data: '{"ms":1}',
      opts: { timestamp: Date.now() },
    }
    const request = { by: 'ann', run: 2, job }
    assert.deepEqual(await lab.transport.restart('default', id, request), {
      outcome: 'done',
      run: 2,
    })
    assert.equal((await lab.transport.restart('default', id, request)).outcome, 'too_late')
    await lab.start()
    const ended = await lab.ended(id)
    assert.deepEqual([ended.state, ended.run, ended.cr], ['completed', '2', undefined])
  })
})
