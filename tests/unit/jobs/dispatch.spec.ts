import { test } from '@japa/runner'
import { useManager } from '../../../src/jobs/current_manager.ts'
import type { DispatchOptions } from '../../../src/types.ts'
import { Checked, Plain, setup } from './dispatching.ts'

test.group('Dispatch', (group) => {
  group.each.teardown(() => useManager(undefined))

  test('hands every setting to the transport', async ({ assert }) => {
    const { jobs } = setup()
    const before = Date.now()
    const handle = await Plain.dispatch({ a: 1 })
      .toQueue('documents')
      .priority(2)
      .in('60d')
      .by(42)
      .tag('import', 'big')
      .tag('import')
      .attempts(4)
      .backoff('400ms')
      .timeout('30d')
      .sensitive()
    const [job] = jobs()
    assert.deepEqual(handle.toJSON(), {
      jobId: job.id,
      queue: 'documents',
      type: 'plain',
      duplicate: false,
    })
    assert.deepInclude(job, { queue: 'documents', name: 'plain', data: '{"a":1}' })
    assert.isAtLeast(job.opts.timestamp, before)
    assert.deepEqual(job.opts, {
      timestamp: job.opts.timestamp,
      delay: 5_184_000_000,
      priority: 2,
      attempts: 4,
      backoff: { type: 'fixed', delay: 400 },
      qd: {
        user: '42',
        tags: ['import', 'big'],
        timeout: 2_592_000_000,
        sensitive: true,
      },
    })
  })

  test('takes the options of the type, overridden by the dispatch, and adds up tags', async ({
    assert,
  }) => {
    const { jobs } = setup()
    await Checked.dispatch({ id: 1 }).attempts(1).tag('mine')
    const [{ queue, name, opts }] = jobs()
    assert.deepEqual({ queue, name }, { queue: 'checked', name: 'tests.checked' })
    assert.equal(opts.priority, 7)
    assert.isUndefined(opts.attempts)
    assert.deepEqual(opts.qd, { tags: ['type', 'mine'], timeout: 600_000 })
    assert.deepEqual(opts.backoff, {
      type: 'exponential',
      delay: 2_000,
      max: 3_600_000,
      jitter: 0.2,
    })
  })

  test('counts the tags of the type among the 20 that a job may have', async ({ assert }) => {
    const { jobs } = setup()
    const tags = Array.from({ length: 20 }, (_, n) => (n === 0 ? 'type' : `t${n}`))
    await Checked.dispatch({ id: 1 }).tag(...tags)
    assert.lengthOf(jobs()[0].opts.qd!.tags!, 20)
    await assert.rejects(
      () => Checked.dispatch({ id: 1 }).tag(...tags.slice(1), 'more'),
      /may hold 20 tags, not 21 with those of the type/
    )
    assert.lengthOf(jobs(), 1)
  })

  test('leaves the waits between attempts that nobody chose to the worker: BullMQ would have none', async ({
    assert,
  }) => {
    const { jobs } = setup()
    await Plain.dispatch().attempts(3)
    assert.deepInclude(jobs()[0].opts, { attempts: 3, backoff: { type: 'qd' } })
  })

  test('a dispatch that says nothing carries nothing', async ({ assert }) => {
    const { jobs } = setup()
    await Plain.dispatch()
    const [{ queue, data, opts }] = jobs()
    assert.deepEqual(
      { queue, data, keys: Object.keys(opts) },
      { queue: 'default', data: '{}', keys: ['timestamp'] }
    )
  })

  test('is due at the given moment, at once when that has passed', async ({ assert }) => {
    const { jobs } = setup()
    const moment = new Date(Date.now() + 3_600_000)
    await Plain.dispatch().at(moment)
    await Plain.dispatch().at(new Date(0))
    await Plain.dispatch().at(new Date('0001-01-01'))
    const [later, now, ancient] = jobs()
    assert.equal(later.opts.timestamp + later.opts.delay!, moment.getTime())
    /** Whether it has passed Redis decides: this process' clock may be ahead. */
    assert.deepInclude(now.opts, { delay: 1, qd: { at: 0 } })
    assert.deepInclude(ancient.opts, { delay: 1, qd: { at: 0 } })
  })

  test('enqueues once, however often the builder is awaited, and nothing without', async ({
    assert,
  }) => {
    const { jobs } = setup()
    const builder = Plain.dispatch({ a: 1 })
    assert.lengthOf(jobs(), 0)
    const [first, second] = await Promise.all([builder, builder.run()])
    assert.strictEqual(first, second)
    assert.lengthOf(jobs(), 1)
  })

  test('refuses {name} and enqueues nothing')
    .with([
      {
        name: 'a job to wait for that is none',
        options: { waitFor: 'x' },
        message: /Option "waitFor" must name jobs by their ids, UUIDs, not "x"/,
      },
      {
        name: 'a unique key without its form',
        options: { unique: 'x' },
        message: /Option "unique" must be an object such as/,
      },
      {
        name: 'a misspelt option',
        options: { retries: 3 },
        message: /Option "retries" is not known; known options: queue,/,
      },
      {
        name: 'isolation',
        options: { isolated: true },
        message: /"isolated" is not known/,
      },
      {
        name: 'a bad duration',
        options: { delay: '5 bananas' },
        message: /Cannot read "5 bananas" as the duration of "delay"/,
      },
      {
        name: 'no time at all',
        options: { timeout: 0 },
        message: /"timeout" must be longer than 0/,
      },
      {
        name: 'delay and moment',
        options: { delay: '5m', at: new Date() },
        message: /"at" excludes "delay"/,
      },
      {
        name: 'a moment that is none',
        options: { at: new Date('x') },
        message: /"at" must be a valid Date/,
      },
      {
        name: 'a moment beyond order',
        options: { at: new Date('2040-01-01') },
        message: /"at" must be due before 2039-09-07/,
      },
      {
        name: 'a broken priority',
        options: { priority: 1.5 },
        message: /"priority" must be a whole number/,
      },
      {
        name: 'a priority that cannot be shown',
        options: { priority: Object.create(null) },
        message: /"priority" must be a whole number .*, not an object/,
      },
      {
        name: 'a priority of another kind',
        options: { priority: '2' as unknown as number },
        message: /"priority" must be a whole number from 0 to 2097151, not the text "2"/,
      },
      {
        name: 'no attempts',
        options: { attempts: 0 },
        message: /"attempts" must be a whole number from 1/,
      },
      {
        name: 'a colon in a queue',
        options: { queue: 'a:b' },
        message: /"queue" must not contain ":"/,
      },
      {
        name: 'a control character',
        options: { queue: 'a\nb' },
        message: /"queue" must not contain control/,
      },
      {
        name: 'an empty user',
        options: { user: '' },
        message: /"user" must have 1 to 200 characters/,
      },
      {
        name: 'an id that is no UUID',
        options: { jobId: '17' },
        message: /"jobId" must be a UUID, not "17"/,
      },
      {
        name: 'too many tags',
        options: { tags: Array.from({ length: 21 }, (_, n) => `t${n}`) },
        message: /20 tags, not 21/,
      },
      {
        name: 'a wrong backoff',
        options: { backoff: { type: 'linear', delay: 1 } },
        message: /"backoff\.type"/,
      },
      {
        name: 'a wrong jitter',
        options: { backoff: { type: 'fixed', delay: 1, jitter: 2 } },
        message: /"backoff\.jitter"/,
      },
    ])
    .run(async ({ assert }, { options, message }) => {
      const { manager, jobs } = setup()
      await assert.rejects(async () => {
        await manager.dispatch(Plain, {}, options as DispatchOptions)
      }, message)
      assert.lengthOf(jobs(), 0)
    })

  test('refuses the payload: {name}')
    .with([
      {
        name: 'circle',
        payload: (() => {
          const a: any = {}
          a.a = a
          return a
        })(),
        message: /payload of "plain" cannot be written as JSON: "a" is a circle/,
      },
      { name: 'BigInt', payload: { n: 1n }, message: /the BigInt 1n/ },
      {
        name: 'too large',
        payload: { text: 'ü'.repeat(500) },
        message: /has 1011 bytes; at most 1000 are allowed/,
      },
    ])
    .run(async ({ assert }, { payload, message }) => {
      const { jobs } = setup()
      await assert.rejects(async () => void (await Plain.dispatch(payload)), message)
      assert.lengthOf(jobs(), 0)
    })

  test('takes a payload of exactly the limit', async ({ assert }) => {
    const { jobs } = setup()
    await Plain.dispatch({ t: 'x'.repeat(1_000 - 8) })
    assert.lengthOf(jobs()[0].data, 1_000)
  })

  test('checks the payload as the worker will see it, and sends it unaltered', async ({
    assert,
  }) => {
    const { jobs } = setup()
    await Checked.dispatch({ id: 1, at: new Date(0) })
    assert.equal(jobs()[0].data, '{"id":1,"at":"1970-01-01T00:00:00.000Z"}')
    await assert.rejects(
      async () => void (await Checked.dispatch({ id: 'x' } as never)),
      /The payload of "tests\.checked" is not valid: .*id.*\("id"\)/
    )
    assert.lengthOf(jobs(), 1)
  })

  test('enqueues many in one call, in order, or none when one is refused', async ({ assert }) => {
    const { manager, added } = setup()
    const handles = await Checked.dispatchMany([{ id: 1 }, { id: 2 }, { id: 3 }]).by('u')
    assert.lengthOf(added, 1)
    assert.deepEqual(
      added[0].map(({ id }) => id),
      handles.map(({ jobId }) => jobId)
    )
    assert.deepEqual(
      handles.map(({ jobId }) => jobId).sort(),
      handles.map(({ jobId }) => jobId)
    )

    await assert.rejects(() => Checked.dispatchMany([{ id: 1 }, { id: 'x' } as never]).run())
    await assert.rejects(
      () => manager.dispatchMany([{ type: Plain }, { type: 'nobody' }]),
      /No job type "nobody"/
    )
    await assert.rejects(() =>
      manager.dispatchMany([{ type: Plain }, { type: Plain, options: { tags: 'x' } as never }])
    )
    assert.lengthOf(added, 1)

    const mixed = await manager.dispatchMany([
      { type: Plain },
      { type: 'tests.checked', payload: { id: 4 } },
    ])
    assert.deepEqual(
      mixed.map(({ type }) => type),
      ['plain', 'tests.checked']
    )
  })

  test('says what is missing before the application has booted', async ({ assert }) => {
    useManager(undefined)
    await assert.rejects(() => Plain.dispatch().run(), /once the application has booted/)
  })
})
