import { test } from '@japa/runner'
import { redisServer } from '#tests/helpers/servers'
import { waitFor } from '#tests/helpers/wait'
import { uniquePrefix } from '#tests/helpers/unique_prefix'
import { shown } from '../../../src/shown.ts'
import type { LimitScope } from '../../../src/transport/limits.ts'
import { GateLab } from './lab.ts'

test.group('Limits', (group) => {
  let lab: GateLab
  group.each.setup(async () => {
    lab = new GateLab((await redisServer()).url, {}, uniquePrefix())
    return () => lab.close()
  })

  const force = async () => {
    const { known, n, counted, ...fields } = await lab.redis.hgetall(`${lab.prefix}~gate:limits`)
    return fields
  }
  const stateOf = async (scope: LimitScope) => {
    const { limits } = await lab.transport.limits.view()
    return limits.find((limit) =>
      Object.entries(scope).every(
        ([key, value]) => (limit as Record<string, unknown>)[key] === value
      )
    )!
  }

  test('say what is configured, and whether that changed anything', async ({ assert }) => {
    const settings = { global: 10, user: 3, users: { ann: 5 }, types: { pdf: 2 }, queues: { q: 4 } }
    assert.isTrue(await lab.configure(settings))
    assert.isFalse(await lab.configure(settings))
    assert.deepEqual(await force(), {
      'global': '10',
      'user': '3',
      'u:ann': '5',
      't:pdf': '2',
      'users': '1',
      'types': '1',
    })
    assert.equal(await lab.redis.hget(`${lab.prefix}:q:meta`, 'concurrency'), '4')
    assert.isTrue(await lab.configure({ global: 8 }))
    assert.deepEqual(await force(), { global: '8' })
    assert.isNull(await lab.redis.hget(`${lab.prefix}:q:meta`, 'concurrency'))
  })

  test('are set and repaired beside a queue in which a job is called as one of its keys', async ({
    assert,
  }) => {
    await lab.transport.registerQueues(['odd', 'fine'])
    await lab.redis.hset(`${lab.prefix}:odd:delayed`, 'name', 'a job')
    assert.isTrue(await lab.transport.limits.set({ kind: 'global' }, 2, 'ann'))
    assert.deepInclude(await force(), { global: '2' })
    await lab.transport.limits.sweep(['odd', 'fine'], lab.redis as never)
  })

  test('keep what was set at run time over a new start, until it is reset', async ({ assert }) => {
    const { limits } = lab.transport
    await lab.configure({ global: 10, user: 3 })
    const before = Date.now()
    assert.isTrue(await limits.set({ kind: 'global' }, 4, 'ops@example.org'))
    assert.isFalse(await limits.set({ kind: 'global' }, 4, 'ops@example.org'))
    await limits.set({ kind: 'user' }, null, 'ops')
    await limits.set({ kind: 'user', user: 'ann' }, 1_000_000, 'ops')
    await limits.set({ kind: 'type', type: 'pdf' }, 1, 'ops')
    await limits.set({ kind: 'queue', queue: 'q' }, 2, 'ops')
    await lab.configure({ global: 12, user: 5 })

    const global = await stateOf({ kind: 'global' })
    assert.deepInclude(global, { limit: 4, configured: 12, running: 0 })
    assert.equal(global.set!.by, 'ops@example.org')
    assert.isTrue(global.set!.at >= before && global.set!.at <= Date.now())
    assert.deepInclude(await stateOf({ kind: 'user', user: undefined }), {
      limit: null,
      configured: 5,
    })
    assert.deepInclude(await stateOf({ kind: 'user', user: 'ann' }), {
      limit: 1_000_000,
      configured: null,
    })
    assert.deepInclude(await stateOf({ kind: 'type', type: 'pdf' }), { limit: 1, configured: null })
    assert.deepInclude(await stateOf({ kind: 'queue', queue: 'q' }), { limit: 2, configured: null })

    assert.isTrue(await limits.reset({ kind: 'global' }))
    assert.isFalse(await limits.reset({ kind: 'global' }))
    await limits.reset({ kind: 'user' })
    await limits.reset({ kind: 'user', user: 'ann' })
    await limits.reset({ kind: 'type', type: 'pdf' })
    await limits.reset({ kind: 'queue', queue: 'q' })
    assert.deepEqual(await force(), { global: '12', user: '5' })
    assert.isNull(await lab.redis.hget(`${lab.prefix}:q:meta`, 'concurrency'))
  })

  test('come back when Redis lost some of them, or all', async ({ assert }) => {
    const { limits } = lab.transport
    const settings = { global: 10, user: 3, users: {}, types: {}, queues: { q: 4 } }
    await limits.configure(settings)
    await limits.set({ kind: 'user' }, 7, 'ops')
    /** Configured by a worker that started later than the one that asserts. */
    const older = { ...settings, global: 2 }
    assert.isFalse(await limits.assert(older))
    await lab.redis.del(`${lab.prefix}~gate:limits`, `${lab.prefix}:q:meta`)
    assert.isTrue(await limits.assert(older))
    assert.deepEqual(await force(), { global: '10', user: '7' })
    assert.equal(await lab.redis.hget(`${lab.prefix}:q:meta`, 'concurrency'), '4')
    await lab.redis.del(...(await lab.redis.keys(`${lab.prefix}*`)))
    /** One that is set before does not count as knowing them. */
    const known = () => lab.redis.hget(`${lab.prefix}~gate:limits`, 'known')
    await limits.set({ kind: 'user' }, 8, 'ops')
    assert.isNull(await known())
    assert.isTrue(await limits.assert(settings))
    assert.equal(await known(), '1')
    assert.deepEqual(await force(), { global: '10', user: '8' })
    assert.isFalse(await limits.assert(settings))
  })

  test('refuse values that are none', async ({ assert }) => {
    const { limits } = lab.transport
    await lab.configure({ global: 10 })
    const wrong = [
      0,
      -1,
      1.5,
      1e9,
      1_000_001,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      '3',
      'many',
      '',
      {},
      true,
      undefined,
      10n,
    ]
    for (const value of wrong) {
      const error = await assertRefused(() =>
        limits.set({ kind: 'global' }, value as number, 'ops')
      )
      assert.include(error.message, `"${shown(value, 100)}" cannot be a limit`)
      assert.include(error.message, '1 to 1000000')
    }
    const scopes = [
      { kind: 'queue', queue: 'a:b' },
      { kind: 'queue', queue: '' },
      { kind: 'user', user: '' },
      { kind: 'user', user: 'x'.repeat(201) },
      { kind: 'type', type: 'a\nb' },
      { kind: 'type', type: '' },
      { kind: 'nonsense' },
    ] as LimitScope[]
    for (const scope of scopes) {
      await assertRefused(() => limits.set(scope, 3, 'ops'))
      await assertRefused(() => limits.reset(scope))
    }
    assert.deepEqual(await force(), { global: '10' })

    async function assertRefused(change: () => Promise<unknown>) {
      const error = await change().then(
        () => new Error('was taken'),
        (thrown: Error & { status?: number }) => thrown
      )
      assert.deepInclude(error, { status: 422 }, error.message)
      return error
    }
  })

  test('can be none for one user, whatever the others have', async ({ assert }) => {
    const { limits } = lab.transport
    await lab.configure({ global: 30, user: 2, users: { ann: null } })
    const queue = lab.queue()
    for (const user of ['ann', 'ben', 'cem'])
      await queue.addBulk(lab.jobs(6, user, {}, { held: true }))
    await limits.set({ kind: 'user', user: 'ben' }, null, 'ops')
    assert.deepInclude(await stateOf({ kind: 'user', user: 'ben' }), { limit: null })
    assert.deepInclude(await stateOf({ kind: 'user', user: 'ann' }), {
      limit: null,
      configured: null,
      set: null,
    })
    lab.worker('q', { concurrency: 30 })
    await waitFor('them to run', async () => (await lab.running()) === 14)
    const { users } = await limits.view()
    assert.sameDeepMembers(users, [
      { user: 'ann', running: 6, limit: null },
      { user: 'ben', running: 6, limit: null },
      { user: 'cem', running: 2, limit: 2 },
    ])
    await limits.reset({ kind: 'user', user: 'ben' })
    lab.release()
    await lab.ended(queue, 18)
    await lab.forgetOrder()
    const more = lab.jobs(5, 'ben')
    await queue.addBulk(
      more.map((job, at) => ({
        ...job,
        opts: { jobId: `more${at}`, qd: { user: 'ben' } } as never,
      }))
    )
    await lab.ended(queue, 23)
    assert.isAtMost(await lab.most('user ben'), 2)
    assert.deepEqual(await lab.leftovers(), [])
  })

  test('show who runs and whose jobs are held back', async ({ assert }) => {
    const { limits } = lab.transport
    await lab.configure({ global: 10, user: 3, users: { ann: 1 }, types: { pdf: 2 } })
    const [queue, other] = [lab.queue('q'), lab.queue('p|p')]
    await queue.addBulk(lab.jobs(4, 'ann', {}, { held: true }))
    await other.addBulk(lab.jobs(5, 'ben', {}, { held: true }))
    await queue.addBulk(lab.jobs(3, '', {}, { held: true }, 'pdf'))
    lab.worker('q')
    lab.worker('p|p')
    await waitFor('them to run', async () => (await lab.running()) === 6)
    await waitFor('the others to be held back', async () => {
      const { heldBack } = await limits.view()
      return heldBack.reduce((sum, { jobs }) => sum + jobs, 0) === 6
    })
    const view = await limits.view()
    assert.deepEqual(view.users, [
      { user: 'ben', running: 3, limit: 3 },
      { user: 'ann', running: 1, limit: 1 },
    ])
    assert.deepEqual(view.heldBack, [
      { queue: 'q', kind: 'user', name: 'ann', jobs: 3 },
      { queue: 'p|p', kind: 'user', name: 'ben', jobs: 2 },
      { queue: 'q', kind: 'type', name: 'pdf', jobs: 1 },
    ])
    assert.isTrue(view.complete)
    assert.deepEqual(
      view.limits.map(({ kind, limit, configured, set, running }) => [
        kind,
        limit,
        configured,
        set,
        running,
      ]),
      [
        ['global', 10, 10, null, 6],
        ['type', 2, 2, null, 2],
        ['user', 1, 1, null, 1],
        ['user', 3, 3, null, 3],
      ]
    )
    lab.release()
    await lab.ended(queue, 7)
    await lab.ended(other, 5)
    const after = await limits.view()
    assert.deepEqual([after.users, after.heldBack], [[], []])
    assert.deepEqual(await lab.leftovers(), [])
  })

  test('count nothing that nobody limits any more', async ({ assert }) => {
    const { limits } = lab.transport
    await lab.configure({ global: 10, types: { work: 5 } })
    const queue = lab.queue()
    await queue.addBulk(lab.jobs(3, 'ann', {}, { held: true }))
    lab.worker()
    await waitFor('them to run', async () => (await lab.running()) === 3)
    assert.deepEqual((await lab.leftovers()).sort(), ['3 running', 'counts'])
    await limits.set({ kind: 'type', type: 'work' }, null, 'ops')
    assert.deepEqual(await lab.leftovers(), ['3 running'])
    await limits.set({ kind: 'global' }, null, 'ops')
    assert.deepEqual(await lab.leftovers(), [])
    /** Who runs already counts from the moment on. */
    await limits.set({ kind: 'type', type: 'work' }, 3, 'ops')
    await queue.addBulk(lab.jobs(4, 'ben'))
    await waitFor('one to be held back', async () => (await queue.getDelayedCount()) > 0)
    lab.release()
    await lab.ended(queue, 7)
    assert.equal(await lab.most('type work'), 3)
    assert.deepEqual(await lab.leftovers(), [])
  })
})

test.group('Reasons for which jobs wait', (group) => {
  let lab: GateLab
  group.each.setup(async () => {
    lab = new GateLab((await redisServer()).url, {}, uniquePrefix())
    return () => lab.close()
  })

  const reasonOf = async (queue: string, id: string) =>
    (await lab.transport.limits.reasons([{ queue, id }]))[0]

  const becomes = (id: string, kind: string) =>
    waitFor(`${id} to wait for ${kind}`, async () => (await reasonOf('q', id))?.kind === kind)

  test('are none for what does not wait', async ({ assert }) => {
    await lab.configure({ global: 10 })
    const queue = lab.queue()
    lab.worker()
    await queue.addBulk(lab.jobs(1, 'done'))
    await queue.addBulk(lab.jobs(1, 'later', { delay: 60_000 }))
    await lab.ended(queue, 1)
    await queue.addBulk(lab.jobs(1, 'now', {}, { held: true }))
    await waitFor('it to run', async () => (await lab.running()) === 1)
    const ids = ['done1', 'later1', 'now1', 'unknown'].map((id) => ({ queue: 'q', id }))
    assert.deepEqual(await lab.transport.limits.reasons(ids), [null, null, null, null])
    assert.deepEqual(await lab.transport.limits.reasons([]), [])
  })

  test('are that no worker has taken it, and that its queue is paused', async ({ assert }) => {
    const queue = lab.queue()
    await queue.addBulk(lab.jobs(2, 'a', {}, {}))
    await queue.addBulk(lab.jobs(1, 'p', { priority: 3 }))
    const workers = { kind: 'workers', name: 'q', running: 0, limit: null }
    for (const id of ['a1', 'a2', 'p1']) assert.deepEqual(await reasonOf('q', id), workers)
    await queue.pause()
    for (const id of ['a1', 'a2', 'p1'])
      assert.deepEqual(await reasonOf('q', id), { ...workers, kind: 'paused' })
  })

  test('are limits of its queue and of all', async ({ assert }) => {
    await lab.configure({ global: 3, queues: { q: 2 } })
    const queue = lab.queue()
    await queue.addBulk(lab.jobs(4, 'a', {}, { held: true }))
    lab.worker()
    await waitFor('two to run', async () => (await lab.running()) === 2)
    assert.deepEqual(await reasonOf('q', 'a4'), { kind: 'queue', name: 'q', running: 2, limit: 2 })
    await lab.transport.limits.set({ kind: 'queue', queue: 'q' }, null, 'ops')
    await waitFor('three to run', async () => (await lab.running()) === 3)
    assert.deepEqual(await reasonOf('q', 'a4'), { kind: 'global', name: '', running: 3, limit: 3 })
  })

  test('are limits of its user and of its type, also while its queue is paused', async ({
    assert,
  }) => {
    await lab.configure({ global: 10, user: 2, types: { pdf: 1 } })
    const queue = lab.queue()
    await queue.addBulk(lab.jobs(3, 'a', {}, { held: true }))
    await queue.addBulk(lab.jobs(2, 'b', {}, { held: true }, 'pdf'))
    lab.worker()
    await becomes('a3', 'user')
    await becomes('b2', 'type')
    assert.deepEqual(await reasonOf('q', 'a3'), { kind: 'user', name: 'a', running: 2, limit: 2 })
    assert.deepEqual(await reasonOf('q', 'b2'), { kind: 'type', name: 'pdf', running: 1, limit: 1 })
    await queue.pause()
    const paused = { kind: 'paused', name: 'q', running: 3, limit: null }
    for (const id of ['a3', 'b2']) assert.deepEqual(await reasonOf('q', id), paused)
  })
})
