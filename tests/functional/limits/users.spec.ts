import { setTimeout as pause } from 'node:timers/promises'
import { test } from '@japa/runner'
import { Job } from '../../../src/jobs/job.ts'
import type { DispatchOptions } from '../../../src/types.ts'
import { redisServer } from '#tests/helpers/servers'
import { waitFor } from '#tests/helpers/wait'
import { WorkerLab } from '../worker/lab.ts'

/** Users whose names could be taken for something else somewhere between a dispatch and the gate. */
const NAMES = [
  'ann',
  'Ann',
  `O'Neil "the" \\ quoted`,
  'two  spaces ',
  '100%',
  '%41',
  'A',
  'Größe Ünal ñ 漢字 😀',
  '"qd":{"user":"x"}',
  '}},"user":"y"',
  'x',
  'user\u2028line',
  'u:x',
  'u:x|t:pdf',
  '[x',
  'a:b:c',
  '~gate:slots',
  '-',
  '+',
  '0',
  'null',
  'é',
  'e\u0301',
  'z'.repeat(200),
]

/** Options of which each changes the order in which Redis writes the fields. */
const OPTIONS: DispatchOptions[] = [
  {},
  { tags: ['one', '"qd":{"user":"x"}', '"user":"y"'] },
  { timeout: '1m', tags: ['t'] },
  { attempts: 3, backoff: { type: 'exponential', delay: '1s' } },
  { sensitive: true, priority: 5 },
  { attempts: 2, priority: 1, tags: ['a', 'b'], timeout: '5m', sensitive: true },
]

class Counted extends Job<{ user: string }, void> {
  static options = { name: 'counted' }
  static running = new Map<string, number>()
  static most = new Map<string, number>()
  static ms = 5

  async execute() {
    const { user } = this.payload
    const count = (Counted.running.get(user) ?? 0) + 1
    Counted.running.set(user, count)
    Counted.most.set(user, Math.max(count, Counted.most.get(user) ?? 0))
    await pause(Counted.ms)
    Counted.running.set(user, Counted.running.get(user)! - 1)
  }
}

test.group('Limits of users', (group) => {
  let lab: WorkerLab
  group.each.setup(async () => {
    Counted.running.clear()
    Counted.most.clear()
    const limits = { global: null, user: 2, users: { '100%': 1, 'Größe Ünal ñ 漢字 😀': 3 } }
    lab = new WorkerLab((await redisServer()).url, [Counted], {}, undefined, {}, limits)
    return () => lab.close()
  })

  const dispatch = (users: string[], options: DispatchOptions, count: number) =>
    lab.manager.dispatchMany(
      users.flatMap((user) =>
        Array.from({ length: count }, () => ({
          type: 'counted',
          payload: { user },
          options: { ...options, user },
        }))
      )
    )

  const allEnd = (count: number) =>
    waitFor(
      'all jobs to end',
      async () => (await lab.transport.depths(['default'])).default.completed === count
    )

  test('hold for every name, each by itself, with every option', async ({ assert }) => {
    Counted.ms = 100
    for (const options of OPTIONS) await dispatch(NAMES, options, 2)
    await lab.start({ concurrency: 100 })
    await allEnd(NAMES.length * OPTIONS.length * 2)
    const expected: Record<string, number> = { '100%': 1, 'Größe Ünal ñ 漢字 😀': 3 }
    assert.deepEqual(
      NAMES.map((name) => [name, Counted.most.get(name)]),
      NAMES.map((name) => [name, expected[name] ?? 2])
    )
    const left = await lab.redis.keys(`${lab.prefix}~gate:*`)
    assert.sameMembers(
      left
        .map((key) => key.slice(key.indexOf('~gate:') + 6))
        .filter((key) => key !== 'turn' && key !== 'reap'),
      ['limits', 'configured', 'seq']
    )
  })

  test('are named as they were dispatched wherever limits are shown', async ({ assert }) => {
    const { limits } = lab.transport
    Counted.ms = 1_500
    await dispatch(NAMES, { tags: ['t'] }, 3)
    for (const user of NAMES.slice(2)) await limits.set({ kind: 'user', user }, 1, 'ops')
    await lab.start({ concurrency: 100 })
    const view = await waitFor('them to run', async () => {
      const now = await limits.view()
      return now.users.length === NAMES.length && now.heldBack.length === NAMES.length && now
    })
    Counted.ms = 5
    assert.sameDeepMembers(
      view.users,
      NAMES.map((user, at) => {
        const limit = at < 2 ? 2 : 1
        return { user, running: limit, limit }
      })
    )
    assert.sameDeepMembers(
      view.heldBack,
      NAMES.map((name, at) => ({
        queue: 'default',
        kind: 'user',
        name,
        jobs: at < 2 ? 1 : 2,
      })) as never
    )
    assert.sameMembers(
      view.limits.flatMap((limit) =>
        limit.kind === 'user' && limit.user !== undefined ? [limit.user] : []
      ),
      NAMES.slice(2)
    )
    await allEnd(NAMES.length * 3)
  })

  test('are those of the job, whatever other producers write beside it', async ({ assert }) => {
    await lab.start({ concurrency: 100 })
    /** What their options say of users, as text; whose jobs they are to the gate. */
    const texts: [opts: string, user: string][] = [
      ['{"attempts":1,"qd":{"tags":["t"],"user":"ann"}}', 'ann'],
      ['{"telemetry":{"qd":{"user":"x"}},"qd":{"user":"ann"}}', 'ann'],
      ['{"backoff":{"type":"fixed","delay":1,"user":"x"},"qd":{"user":"ann"}}', 'ann'],
      ['{"backoff":{"type":{"qd":{"user":"x"}}},"qd":{"user":"ann"}}', 'ann'],
      ['{"qd":{"backoff":{"user":"x"},"user":"ann"}}', 'ann'],
      ['{"qd":{"user":"h i"}}', 'h i'],
      ['{"qd":{"user":"h\\u0020i","tags":[]}}', 'h i'],
      ['{"telemetry":{"qd":{"user":"x"}}}', ''],
      ['{"qd":{"user":5}}', ''],
      ['{"qd":[]}', ''],
      ['{"qd":{"user":""}}', ''],
      ['{"qd":{', ''],
      ['[]', ''],
      ['', ''],
    ]
    Counted.ms = 1_000
    const ids = await Promise.all(
      texts.map(async ([opts], at) => {
        const id = `foreign-${at}`
        const key = lab.transport.keys.job('default', id)
        await lab.redis.hset(key, {
          name: 'counted',
          data: JSON.stringify({ user: String(at) }),
          opts,
          timestamp: Date.now(),
          delay: 0,
          priority: 0,
        })
        return id
      })
    )
    for (const id of ids) await lab.redis.lpush(`${lab.transport.keys.queue('default')}wait`, id)
    await lab.redis.zadd(`${lab.transport.keys.queue('default')}marker`, 0, '0')
    const expected = new Map<string, number>()
    for (const [, user] of texts)
      if (user !== '') expected.set(user, Math.min(2, (expected.get(user) ?? 0) + 1))
    const view = await waitFor('them to run', async () => {
      const now = await lab.transport.limits.view()
      return now.limits[0].running === 11 && now
    })
    Counted.ms = 5
    assert.deepEqual(new Map(view.users.map(({ user, running }) => [user, running])), expected)
    assert.deepEqual(view.heldBack, [{ queue: 'default', kind: 'user', name: 'ann', jobs: 3 }])
    await allEnd(texts.length)
  })
})
