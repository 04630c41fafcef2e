import { test } from '@japa/runner'
import type { JobHandle, DispatchOptions } from '#queuedeck'
import { EnqueueLost } from '../../../src/operations/enqueue_lost.ts'
import { restartBehind } from '../../../src/operations/restart_cascade.ts'
import { forgotten, RestartJob } from '../../../src/operations/restart_job.ts'
import type { Actor, JobStatus } from '../../../src/types.ts'
import { eachDatabase } from '#tests/helpers/databases'
import { waitFor } from '#tests/helpers/wait'
import { DashboardLab } from '../dashboard/lab.ts'
import { migrate } from '../mirror/records.ts'
import { letGo, ran, Step } from './jobs.ts'

const ME: Actor = { id: '7', name: 'Ada', via: 'page' }

eachDatabase(({ label, create }) => {
  test.group(`Flows | restarted and lost | ${label}`, (group) => {
    let lab: DashboardLab

    group.setup(async () => {
      const database = await create()
      await migrate(database.connection)
      lab = await DashboardLab.open({ classes: [Step], shield: false, database })
      ;(await lab.app.container.make('queuedeck.flows.service')).start()
      await lab.work({ queues: ['one'], concurrency: 4 })
      return () => lab.close()
    })
    group.each.setup(() => void ran.splice(0))

    const parts = async () => {
      const { container } = lab.app
      const records = await container.make('queuedeck.records')
      const transport = await container.make('queuedeck.transport')
      return { records, reader: records.reader, transport }
    }
    const dispatch = async (
      name: string,
      { fail, hold, ...options }: DispatchOptions & { fail?: boolean; hold?: boolean } = {}
    ): Promise<JobHandle> => {
      const queue = await lab.app.container.make('queuedeck')
      return queue.dispatch(Step, { name, fail, hold }, { queue: 'one', ...options }).run()
    }
    const is = async ({ jobId }: JobHandle, status: JobStatus, run = 1) => {
      const { reader } = await parts()
      return waitFor(`${jobId} to be ${status} in run ${run}`, async () => {
        const job = await reader.find(jobId)
        return job?.status === status && job.run === run && job
      })
    }
    const restart = async ({ jobId }: JobHandle, actor = ME) =>
      new RestartJob(await parts()).handle(jobId, actor)

    test('what did not run because of a job runs again with it, and nothing twice', async ({
      assert,
    }) => {
      const boom = await dispatch('boom', { fail: true })
      const other = await dispatch('other')
      const w = await dispatch('w', { waitFor: [boom, other] })
      const v = await dispatch('v', { waitFor: [w, boom] })
      const always = await dispatch('always', {
        waitFor: { jobId: boom.jobId, queue: 'one', onFailure: 'run' },
      })
      const skipped = await dispatch('skipped', {
        waitFor: { jobId: boom.jobId, queue: 'one', onFailure: 'skip' },
      })
      const behind = await dispatch('behind', { waitFor: skipped })
      await Promise.all([is(v, 'cancelled'), is(always, 'completed'), is(behind, 'completed')])
      assert.equal((await is(skipped, 'cancelled')).error!.code, 'SKIPPED')
      const { outcome } = await restart(boom)
      assert.equal(outcome, 'done')
      /** It fails once more, so they are told again. */
      await is(boom, 'failed', 2)
      await is(v, 'cancelled', 2)
      assert.equal((await is(skipped, 'cancelled', 2)).error!.code, 'SKIPPED')
      assert.deepEqual([...ran].sort(), ['always', 'behind', 'boom', 'boom', 'other'])
      /** By itself it does not look at what has ended. */
      await restart(v)
      await is(v, 'completed', 3)
      /** Out of many it does. */
      await restart(w, { ...ME, bulk: 'x' })
      await is(w, 'cancelled', 3)
      await restart(w)
      await is(w, 'completed', 4)
      await is(always, 'completed')
    })

    test('what is still blocked waits for a job that runs again, whatever came of it before', async ({
      assert,
    }) => {
      const boom = await dispatch('boom', { fail: true })
      const middle = await dispatch('middle', { waitFor: boom })
      const slow = await dispatch('slow', { hold: true })
      const end = await dispatch('end', { waitFor: [middle, slow] })
      const always = await dispatch('always', {
        waitFor: [slow, { jobId: boom.jobId, queue: 'one', onFailure: 'run' }],
      })
      await Promise.all([is(middle, 'cancelled'), is(slow, 'running')])
      /** Who waits for whom is read from the records. */
      await Promise.all([is(end, 'blocked'), is(always, 'blocked')])
      /** What failed it is mended. */
      const { transport } = await parts()
      const mended = JSON.stringify({ name: 'boom', hold: true })
      await transport.connections.producer.hset(
        transport.keys.job('one', boom.jobId),
        'data',
        mended
      )
      assert.equal((await restart(boom)).outcome, 'done')
      await is(boom, 'running', 2)
      letGo('slow')
      await is(slow, 'completed')
      await is(end, 'blocked')
      await is(always, 'blocked')
      letGo('boom')
      await Promise.all([is(end, 'completed'), is(always, 'completed'), is(middle, 'completed', 2)])
      assert.deepEqual([...ran].sort(), ['always', 'boom', 'boom', 'end', 'middle', 'slow'])
    })

    test('also one that has completed again at once, and with a long list', async ({ assert }) => {
      const boom = await dispatch('boom', { fail: true })
      const slow = await dispatch('slow', { hold: true })
      const others = await Promise.all(Array.from({ length: 210 }, () => dispatch('other')))
      const all = [boom, slow, ...others]
      const ends = [
        await dispatch('end', { waitFor: [boom, slow] }),
        await dispatch('end', { waitFor: all }),
      ]
      await Promise.all([is(boom, 'failed'), ...ends.map((end) => is(end, 'blocked'))])
      const { transport } = await parts()
      const { producer } = transport.connections
      await producer.hset(transport.keys.job('one', boom.jobId), 'data', '{"name":"boom"}')
      await restart(boom)
      await is(boom, 'completed', 2)
      letGo('slow')
      await Promise.all(ends.map((end) => is(end, 'completed')))
      assert.lengthOf(
        ran.filter((name) => name === 'end'),
        2
      )
    })

    test('also one that ended because of it while it was being restarted', async () => {
      const boom = await dispatch('boom', { fail: true })
      const slow = await dispatch('slow', { hold: true })
      const end = await dispatch('end', { waitFor: [boom, slow] })
      await Promise.all([is(boom, 'failed'), is(slow, 'running')])
      const { transport, reader } = await parts()
      const job = (await reader.find(boom.jobId))!
      const cause = await transport.flowRestarts.begin({ id: job.id, run: 1, by: 'Ada' })
      letGo('slow')
      await is(end, 'cancelled')
      await transport.connections.producer.hset(
        transport.keys.job('one', job.id),
        'data',
        '{"name":"boom"}'
      )
      await transport.restart('one', job.id, { by: 'Ada', run: 2, job: forgotten(job) })
      await restartBehind({ transport, reader }, [cause])
      await is(end, 'completed', 2)
    })

    test('a restart through a flow whose process died goes on in another', async ({ assert }) => {
      const boom = await dispatch('boom', { fail: true })
      const w = await dispatch('w', { waitFor: boom })
      const v = await dispatch('v', { waitFor: w })
      await is(v, 'cancelled')
      const { transport, reader } = await parts()
      const redis = transport.connections.producer
      const job = (await reader.find(boom.jobId))!
      /** As a process leaves it that dies right after the job itself was restarted. */
      const { id } = await transport.flowRestarts.begin({ id: job.id, run: 1, by: 'Ada' })
      const recordedRun = async () => (await reader.find(id))?.run ?? null
      const wish = { by: 'Ada', run: 2, job: forgotten(job), recordedRun }
      assert.equal((await transport.restart('one', id, wish)).outcome, 'done')
      await is(boom, 'failed', 2)
      await is(w, 'cancelled')
      const letOthersGoOn = async () => {
        for (const text of await redis.zrange(transport.keys.flowBehind, 0, -1)) {
          await redis.zadd(transport.keys.flowBehind, 'XX', 0, text)
        }
        await waitFor('nothing to be left of it', async () => {
          return (await redis.exists(transport.keys.flowBehind)) === 0
        })
      }
      ;(await lab.app.container.make('queuedeck.bulk.service')).start()
      await letOthersGoOn()
      await Promise.all([is(w, 'cancelled', 2), is(v, 'cancelled', 2)])
      /** And one that dies before has restarted nothing. */
      await transport.flowRestarts.begin({ id: job.id, run: 2, by: 'Ada' })
      await letOthersGoOn()
      await Promise.all([is(boom, 'failed', 2), is(w, 'cancelled', 2)])
      assert.deepEqual(ran, ['boom', 'boom'])
      await restart(boom)
      assert.equal(await redis.exists(transport.keys.flowBehind), 0)
    })

    test('out of many, what waits for all of them runs again once', async ({ assert }) => {
      ;(await lab.app.container.make('queuedeck.bulk.service')).start()
      const { transport, reader } = await parts()
      const many = async (options: Parameters<typeof dispatch>[1]) => {
        const all = await Promise.all(Array.from({ length: 20 }, () => dispatch('one', options)))
        const end = await dispatch('end', { waitFor: all })
        return { all, end }
      }
      const restartAll = async (handles: JobHandle[]) => {
        const ids = handles.map(({ jobId }) => jobId)
        const { json } = await lab.client().post('/bulk', { action: 'restart', ids })
        await waitFor('it to be done', async () => {
          const answer = await lab.client().json(`/bulk/${json.operation.id}`)
          return answer.json.operation.endedAt !== null
        })
        assert.equal(await transport.connections.producer.exists(transport.keys.flowBehind), 0)
      }
      const failing = await many({ fail: true })
      await is(failing.end, 'cancelled')
      await restartAll(failing.all)
      await Promise.all(failing.all.map((one) => is(one, 'failed', 2)))
      await is(failing.end, 'cancelled', 2)
      assert.lengthOf((await reader.find(failing.end.jobId))!.runs, 1)
      /** Also where it is among them, wherever that is. */
      const { all, end } = await many({ delay: '1h' })
      for (const { jobId } of all) await transport.cancel('one', jobId, { by: 'me', reason: 'no' })
      await is(end, 'cancelled')
      await restartAll([...all.slice(0, 5), end, ...all.slice(5)])
      await waitFor('the end', async () => (await reader.find(end.jobId))!.status === 'completed')
      assert.lengthOf(
        ran.filter((name) => name === 'end'),
        1
      )
    })

    test('a restarted job waits again for what has not ended', async ({ assert }) => {
      const x = await dispatch('x', { hold: true })
      const w = await dispatch('w', { waitFor: x })
      const { transport } = await parts()
      await waitFor('x to run', async () => ran.includes('x'))
      await transport.cancel('one', w.jobId, { by: 'me', reason: 'no' })
      await is(w, 'cancelled')
      await restart(w)
      await is(w, 'blocked', 2)
      letGo('x')
      await is(w, 'completed', 2)
      assert.deepEqual(ran, ['x', 'w'])
    })

    test('after Redis was emptied all is blocked again as it was', async ({ assert }) => {
      const hold = { queue: 'held' }
      const first = await dispatch('first', hold)
      const second = await dispatch('second', { ...hold, waitFor: first })
      const done = await dispatch('done')
      const third = await dispatch('third', { waitFor: [second, done] })
      await Promise.all([
        is(first, 'pending'),
        is(second, 'blocked'),
        is(third, 'blocked'),
        is(done, 'completed'),
      ])
      const { transport, records, reader } = await parts()
      const redis = transport.connections.producer
      for (const key of await redis.keys(`${transport.keys.prefix}~flow:*`)) await redis.del(key)
      for (const [queue, { jobId }] of [
        ['held', first],
        ['held', second],
        ['one', third],
        ['one', done],
      ] as const) {
        await redis.del(transport.keys.job(queue, jobId))
        await redis.lrem(`${transport.keys.queue(queue)}wait`, 0, jobId)
        await redis.zrem(`${transport.keys.queue(queue)}waiting-children`, jobId)
        await redis.zrem(`${transport.keys.queue(queue)}completed`, jobId)
      }
      const { enqueued } = await new EnqueueLost({ transport, records, reader }).handle(ME)
      assert.equal(enqueued, 3)
      await Promise.all([
        is(first, 'pending', 2),
        is(second, 'blocked', 2),
        is(third, 'blocked', 2),
      ])
      await lab.work({ queues: ['held'], concurrency: 1 })
      await is(third, 'completed', 2)
      assert.deepEqual(ran, ['done', 'first', 'second', 'third'])
    })
  })
})
