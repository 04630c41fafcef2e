import { test } from '@japa/runner'
import { FlowKeeper } from '../../../src/jobs/flow_keeper.ts'
import type { JobHandle } from '../../../src/jobs/job_handle.ts'
import { uuidV7 } from '../../../src/jobs/uuid.ts'
import type { DispatchOptions } from '../../../src/types.ts'
import { keysLike } from '#tests/helpers/redis_address'
import { redisServer } from '#tests/helpers/servers'
import { waitFor } from '#tests/helpers/wait'
import { WorkerLab } from '../worker/lab.ts'
import { letGo, ran, Step } from './jobs.ts'

for (const withoutFunctions of [false, true]) {
  test.group(`Flows, ${withoutFunctions ? 'by EVALSHA' : 'as functions'}`, (group) => {
    let lab: WorkerLab
    let keeper: FlowKeeper
    /** What records would say of jobs that Redis has forgotten. */
    const recorded = new Map<string, 'c' | 'f' | 'x' | 's'>()

    group.setup(async () => {
      lab = new WorkerLab(
        (await redisServer()).url,
        [Step],
        {},
        undefined,
        { withoutFunctions },
        {
          global: 4,
        }
      )
      const awaited = {
        places: async () => new Map(),
        outcomes: async (places: { queue: string; id: string }[]) =>
          new Map(
            places.flatMap((place) => {
              const end = recorded.get(place.id)
              return end ? [[place, end] as const] : []
            })
          ),
        ends: async (places: { queue: string; id: string }[]) =>
          places.map(({ id }) => recorded.get(id) ?? ('missing' as const)),
      }
      Object.assign(lab.manager, { awaited })
      keeper = new FlowKeeper({
        transport: lab.transport,
        awaited,
        logger: { debug() {} },
        look: 20,
      })
      keeper.start()
      await lab.start({ queues: ['one', 'two'], concurrency: 4 })
      return async () => {
        await keeper.stop()
        await lab.close()
      }
    })

    group.each.setup(() => void ran.splice(0))

    const dispatch = (
      name: string,
      options: DispatchOptions & { fail?: boolean; hold?: boolean } = {}
    ): Promise<JobHandle> => {
      const { fail, hold, queue = 'one', ...rest } = options
      return lab.manager.dispatch(Step, { name, fail, hold }, { queue, ...rest }).run()
    }
    const begun = (name: string) => waitFor(`${name} to begin`, async () => ran.includes(name))
    const state = ({ jobId, queue }: JobHandle) => lab.transport.state(queue!, jobId)
    const ended = ({ jobId, queue }: JobHandle) => lab.ended(jobId, queue!)
    const idle = (name: string, options: DispatchOptions = {}) =>
      dispatch(name, { queue: 'idle', ...options })
    test('a job runs when all that it waits for have completed, whichever queues they are in', async ({
      assert,
    }) => {
      const x = await dispatch('x', { hold: true })
      const y = await dispatch('y', { queue: 'two' })
      const w = await dispatch('w', { waitFor: [x, y] })
      const v = await dispatch('v', { queue: 'two', waitFor: w })
      await ended(y)
      await begun('x')
      assert.equal(await state(w), 'waiting-children')
      assert.equal(await state(v), 'waiting-children')
      letGo('x')
      assert.equal((await ended(v)).state, 'completed')
      assert.deepEqual([...ran.slice(0, 2).sort(), ...ran.slice(2)], ['x', 'y', 'w', 'v'])
      const late = await dispatch('late', { waitFor: [w, v] })
      assert.equal((await ended(late)).state, 'completed')
      assert.deepEqual(await lab.entries(late.jobId, 'one'), [
        'added',
        'waiting-children',
        'waiting',
        'active',
        'completed',
      ])
    })

    for (const onFailure of ['cancel', 'run', 'skip'] as const) {
      test(`when it fails, policy ${onFailure}, and what waits behind`, async ({ assert }) => {
        const bad = await dispatch('bad', { fail: true })
        const good = await dispatch('good', { hold: true })
        const w = await dispatch('w', {
          waitFor: [{ jobId: bad.jobId, queue: bad.queue, onFailure }, good],
        })
        const v = await dispatch('v', { waitFor: w, queue: 'two' })
        await ended(bad)
        await begun('good')
        assert.equal(await state(w), 'waiting-children', 'until all have ended')
        letGo('good')
        const [first, second] = [await ended(w), await ended(v)]
        assert.deepEqual(
          ran.filter((name) => name === 'w' || name === 'v'),
          { cancel: [], run: ['w', 'v'], skip: ['v'] }[onFailure]
        )
        if (onFailure === 'run') return
        const code = onFailure === 'skip' ? 'SKIPPED' : 'AWAITED_FAILED'
        assert.equal(
          first.failedReason,
          `[${code}] it waited for job ${bad.jobId} (flows.step), which failed`
        )
        if (onFailure === 'cancel')
          assert.match(second.failedReason, /^\[AWAITED_FAILED\].* which was cancelled$/)
        const entries = await lab.entriesOf('one')
        const last = entries.findLast(({ jobId }) => jobId === w.jobId)!
        assert.deepInclude(last, { event: 'cancelled', code, run: '1' })
      })
    }

    test('cancelling a job that is blocked, or awaited, goes on to those behind it', async ({
      assert,
    }) => {
      const x = await idle('x')
      const w = await dispatch('w', { waitFor: x })
      const v = await dispatch('v', { waitFor: w })
      const u = await lab.manager
        .dispatch(Step, { name: 'u' }, { queue: 'one' })
        .waitFor(v, { onFailure: 'run' })
      const { outcome } = await lab.transport.cancel('one', w.jobId, { by: 'me', reason: 'no' })
      assert.equal(outcome, 'done')
      assert.match((await ended(v)).failedReason, /^\[AWAITED_FAILED\]/)
      assert.equal((await ended(u)).state, 'completed')
      assert.deepEqual(ran, ['u'])
      const other = await dispatch('other', { waitFor: x })
      await lab.transport.cancel('idle', x.jobId, { by: 'me', reason: 'no' })
      assert.match((await ended(other)).failedReason, /which was cancelled$/)
    })

    test('a retry is no end; delay counts from the release, priority and limits hold', async ({
      assert,
    }) => {
      const bad = await dispatch('bad', { fail: true, attempts: 2, backoff: 400 })
      const w = await dispatch('w', {
        waitFor: { jobId: bad.jobId, queue: 'one', onFailure: 'run' },
        delay: 100,
        priority: 5,
      })
      await waitFor('its retry', async () => (await state(bad)) === 'delayed')
      assert.equal(await state(w), 'waiting-children')
      const { finishedOn } = await ended(bad)
      const hash = await ended(w)
      assert.equal(hash.state, 'completed')
      assert.isAtLeast(Number(hash.processedOn) - Number(finishedOn), 95)
      assert.equal(hash.priority, '5')
      const x = await idle('x')
      const at = new Date(Date.now() + 200)
      const timed = await dispatch('timed', {
        waitFor: { jobId: x.jobId, queue: 'idle', onFailure: 'run' },
        at,
      })
      assert.equal(await state(timed), 'waiting-children')
      await lab.transport.cancel('idle', x.jobId, { by: '', reason: '' })
      await ended(timed)
      assert.isAtLeast(Date.now(), at.getTime())
    })

    test('of a job that Redis has forgotten its record is asked; what nobody knows is refused', async ({
      assert,
    }) => {
      const gone = uuidV7()
      await assert.rejects(
        () => dispatch('w', { waitFor: { jobId: gone, queue: 'one' } }),
        new RegExp(`would wait for job "${gone}", which Redis does not know`)
      )
      const before = await lab.redis.llen(`${lab.transport.keys.queue('one')}wait`)
      assert.equal(before, 0)
      recorded.set(gone, 'c')
      assert.equal(
        (await ended(await dispatch('w', { waitFor: { jobId: gone, queue: 'one' } }))).state,
        'completed'
      )
      recorded.set(gone, 'f')
      const w = await dispatch('w2', { waitFor: { jobId: gone, queue: 'one' } })
      assert.equal(
        (await ended(w)).failedReason,
        `[AWAITED_FAILED] it waited for job ${gone}, which failed`
      )
    })

    test('removed by another tool, it counts as failed', async ({ assert }) => {
      const x = await idle('x')
      const w = await dispatch('w', { waitFor: x })
      await lab.redis.lrem(`${lab.transport.keys.queue('idle')}wait`, 0, x.jobId)
      await lab.redis.del(lab.transport.keys.job('idle', x.jobId))
      assert.match((await ended(w)).failedReason, /which failed$/)
    })

    test('a worker of plain BullMQ ends it: the keeper of flows finds out', async ({ assert }) => {
      const { Worker } = await import('bullmq')
      const x = await dispatch('x', { queue: 'plain' })
      const w = await dispatch('w', { waitFor: x })
      const worker = new Worker('plain', async () => 1, {
        connection: lab.redis.duplicate({ maxRetriesPerRequest: null }) as never,
        prefix: lab.prefix,
      })
      try {
        assert.equal((await ended(w)).state, 'completed')
      } finally {
        await worker.close()
      }
    })

    test('circles are refused: within one dispatch, and over an id that came back', async ({
      assert,
    }) => {
      const [a, b, c] = [uuidV7(), uuidV7(), uuidV7()]
      const one = (jobId: string, waits: string[]) => ({
        type: Step,
        payload: { name: 'x' },
        options: { jobId, waitFor: waits, queue: 'one' },
      })
      await assert.rejects(
        () => lab.manager.dispatchMany([one(a, [b]), one(b, [c]), one(c, [a])]),
        /would wait for itself/
      )
      await assert.rejects(() => lab.manager.dispatchMany([one(a, [a])]), /would wait for itself/)
      const id = uuidV7()
      const x = await idle('x', { jobId: id })
      const w = await dispatch('w', { waitFor: x, queue: 'idle' })
      const v = await dispatch('v', { waitFor: w, queue: 'idle' })
      await keeper.stop()
      await lab.redis.del(lab.transport.keys.job('idle', id))
      await assert.rejects(
        () => dispatch('again', { jobId: id, queue: 'idle', waitFor: v }),
        /would wait for itself/
      )
      await lab.transport.cancel('idle', v.jobId, { by: '', reason: '' })
      await lab.transport.flows.keep(lab.redis, { look: 100, said: [[{ queue: 'idle', id }, 'f']] })
      assert.equal(await state(w), 'failed')
      keeper = new FlowKeeper({
        transport: lab.transport,
        awaited: {
          ends: async (places) => places.map(({ id: of }) => recorded.get(of) ?? 'missing'),
        },
        logger: { debug() {} },
        look: 20,
      })
      keeper.start()
    })

    test('many in one dispatch stand in any order; a unique key held elsewhere is waited for', async ({
      assert,
    }) => {
      const holder = await dispatch('holder', { unique: { key: 'k' }, hold: true })
      const [a, b, c] = [uuidV7(), uuidV7(), uuidV7()]
      const handles = await lab.manager.dispatchMany([
        {
          type: Step,
          payload: { name: 'c' },
          options: { queue: 'one', jobId: c, waitFor: [a, b] },
        },
        { type: Step, payload: { name: 'b' }, options: { queue: 'two', jobId: b, waitFor: a } },
        {
          type: Step,
          payload: { name: 'a' },
          options: { queue: 'one', jobId: a, unique: { key: 'k' } },
        },
      ])
      assert.equal(handles[2].jobId, holder.jobId)
      await begun('holder')
      letGo('holder')
      assert.equal((await ended(handles[0])).state, 'completed')
      assert.deepEqual(ran, ['holder', 'b', 'c'])
    })

    test('a long list is written in pieces; one that breaks off is given up', async ({
      assert,
    }) => {
      const many = await lab.manager.dispatchMany(
        Array.from({ length: 450 }, () => ({
          type: Step,
          payload: { name: 'm' },
          options: { queue: 'two' },
        }))
      )
      const w = await dispatch('w', { waitFor: many })
      const hash = await ended(w)
      assert.equal(hash.state, 'completed')
      assert.equal(ran.at(-1), 'w')
      assert.equal(JSON.parse(hash.opts).qd.waitFor, 450)
      const list = await lab.transport.flows.listOf({ queue: 'one', id: w.jobId }, lab.redis)
      assert.deepEqual(
        list.map(({ id }) => id),
        many.map(({ jobId }) => jobId)
      )
      const { facts } = await lab.transport.audit.facts('one', [w.jobId], lab.redis)
      assert.deepEqual(facts[0]!.waits, list, 'for a record whose entries were cut away')
      const told = (await lab.entriesOf('one')).filter(
        ({ event, jobId }) => event === 'waits' && jobId === w.jobId
      )
      assert.equal(told.flatMap(({ edges }) => JSON.parse(edges)).length, 450)

      const held = await lab.manager.dispatchMany(
        Array.from({ length: 250 }, () => ({
          type: Step,
          payload: { name: 'm' },
          options: { queue: 'idle' },
        }))
      )
      const broken = uuidV7()
      const { sendRest } = lab.transport.flows
      lab.transport.flows.sendRest = () => Promise.reject(new Error('killed'))
      await assert.rejects(() => dispatch('w', { waitFor: held, jobId: broken }), 'killed')
      lab.transport.flows.sendRest = sendRest
      for (const { jobId } of held) {
        await lab.transport.cancel('idle', jobId, { by: '', reason: '' })
      }
      const job = { queue: 'one', jobId: broken } as JobHandle
      assert.equal(await state(job), 'waiting-children')
      await lab.redis.zadd(lab.transport.keys.flowOpen, 1, lab.transport.keys.job('one', broken))
      assert.match((await ended(job)).failedReason, /^\[CANCELLED\] its dispatch was interrupted/)
    })

    test('a fan of a thousand is released', async ({ assert }) => {
      const root = await idle('root')
      const fan = await lab.manager.dispatchMany(
        Array.from({ length: 1_000 }, () => ({
          type: Step,
          payload: { name: 'f' },
          options: {
            queue: 'fan',
            waitFor: { jobId: root.jobId, queue: 'idle', onFailure: 'run' as const },
          },
        }))
      )
      assert.equal(fan.length, 1_000)
      await lab.transport.cancel('idle', root.jobId, { by: '', reason: '' })
      const waiting = `${lab.transport.keys.queue('fan')}wait`
      await waitFor('all to be released', async () => (await lab.redis.llen(waiting)) === 1_000)
      /** In the order of their dispatch. */
      assert.equal(await lab.redis.lindex(waiting, -1), fan[0].jobId)
    })

    test('nothing of it all is left', async () => {
      await waitFor('the keeper to be through', async () => {
        const left = await keysLike(lab.redis, `${lab.prefix}~flow:*`)
        return left.length === 0
      })
    })
  })
}
