import { setTimeout as pause } from 'node:timers/promises'
import { test } from '@japa/runner'
import { redisServer } from '#tests/helpers/servers'
import { waitFor } from '#tests/helpers/wait'
import { uniquePrefix } from '#tests/helpers/unique_prefix'
import { stopwatch } from '#tests/helpers/stopwatch'
import { GateLab, inversions } from './lab.ts'

for (const withoutFunctions of [false, true]) {
  test.group(`Limits by ${withoutFunctions ? 'EVALSHA' : 'functions'}`, (group) => {
    let lab: GateLab
    group.each.setup(async () => {
      lab = new GateLab((await redisServer()).url, { withoutFunctions }, uniquePrefix())
      return () => lab.close()
    })

    test('hold over several queues, workers and users, and all jobs run', async ({ assert }) => {
      await lab.configure({ global: 10, user: 3 })
      const queues = ['q1', 'q2', 'q3', 'q4'].map((name) => lab.queue(name))
      for (const queue of queues)
        for (const user of 'abcdef') await queue.addBulk(lab.jobs(20, user))
      for (const { name } of queues) {
        lab.worker(name)
        lab.worker(name)
      }
      await Promise.all(queues.map((queue) => lab.ended(queue, 120)))
      assert.equal(await lab.most('all'), 10)
      assert.equal(await lab.mostOfAnyUser(), 3)
      assert.deepEqual(await lab.leftovers(), [])
    })

    test('hold while jobs fail, wait for their next attempt and run again', async ({ assert }) => {
      await lab.configure({ global: 10, user: 3 })
      const queue = lab.queue()
      const backoff = { type: 'fixed', delay: 50 }
      await queue.addBulk(lab.jobs(20, 'a', { attempts: 4, backoff }, { failures: 2 }))
      await queue.addBulk(lab.jobs(20, 'b', { attempts: 3 }, { failures: 1 }))
      await queue.addBulk(lab.jobs(20, 'c'))
      lab.worker()
      await waitFor('all', async () => (await queue.getCompletedCount()) === 60)
      assert.equal(await lab.mostOfAnyUser(), 3)
      const first = [...new Set(await lab.order())].filter((id) => id.startsWith('a'))
      assert.equal(inversions(first), 0)
      assert.deepEqual(await lab.leftovers(), [])
    })

    test('a job that one holds back takes its place by its new priority', async ({ assert }) => {
      await lab.configure({ user: 1 })
      const queue = lab.queue()
      await queue.addBulk(lab.jobs(1, 'a', {}, { held: true }))
      lab.worker()
      await waitFor('the first to run', async () => (await queue.getActiveCount()) === 1)
      await queue.addBulk(
        lab.jobs(5, 'a', { priority: 9 }).map((job, at) => ({
          ...job,
          opts: { ...(job.opts as object), jobId: `p${at}` } as never,
        }))
      )
      await waitFor('the others to be held back', async () => (await queue.getDelayedCount()) === 5)
      const { edits } = lab.transport
      assert.equal(await edits.changePriority('q', 'p3', 2, 'Ada'), 'done')
      assert.equal(await edits.changePriority('q', 'p4', 0, 'Ada'), 'done')
      assert.equal(await edits.changePriority('q', 'a1', 2, 'Ada'), 'running')
      assert.equal(await edits.changePriority('q', 'nobody', 2, 'Ada'), 'missing')
      lab.release()
      await lab.ended(queue, 6)
      assert.deepEqual(await lab.order(), ['a1', 'p4', 'p3', 'p0', 'p1', 'p2'])
      assert.equal(await edits.changePriority('q', 'p0', 2, 'Ada'), 'too_late')
      assert.deepEqual(await lab.leftovers(), [])
    })

    test('of one run one job, in order', async ({ assert }) => {
      await lab.configure({ global: 1 })
      const queues = [lab.queue('q'), lab.queue('p')]
      for (const queue of queues) await queue.addBulk(lab.jobs(15, ''))
      lab.worker('q')
      lab.worker('p')
      await Promise.all(queues.map((queue) => lab.ended(queue, 15)))
      assert.equal(await lab.most('all'), 1)
      assert.deepEqual(await lab.leftovers(), [])
    })

    test('of types and queues hold beside those of users', async ({ assert }) => {
      await lab.configure({ global: 12, user: 4, types: { pdf: 2 }, queues: { p: 3 } })
      const queues = [lab.queue('q'), lab.queue('p')]
      const of = (user: string, name: string) => lab.jobs(10, `${user}-${name}`, {}, {}, name)
      for (const queue of queues) {
        for (const user of 'abc') await queue.addBulk([...of(user, 'pdf'), ...of(user, 'mail')])
      }
      lab.worker('q')
      lab.worker('p')
      let inP = 0
      const watch = setInterval(async () => {
        inP = Math.max(inP, (await queues[1].getActiveCount().catch(() => 0)) ?? 0)
      }, 2)
      await Promise.all(queues.map((queue) => lab.ended(queue, 60)))
      clearInterval(watch)
      assert.equal(await lab.most('type pdf'), 2)
      assert.isAtMost(inP, 3)
      assert.deepEqual(await lab.leftovers(), [])
    })

    test('of a user and of a type at once let everything run that may', async ({ assert }) => {
      await lab.configure({ user: 2, types: { slow: 1 } })
      const queue = lab.queue()
      const mixed = (user: string) => {
        const both = ['slow', 'fast'].flatMap((name) => lab.jobs(15, user, {}, { ms: 3 }, name))
        return both.map((job, at) => ({
          ...job,
          opts: { ...(job.opts as object), jobId: `${user}${at}` },
        }))
      }
      for (const user of 'abcd') await queue.addBulk(mixed(user))
      lab.worker()
      await lab.ended(queue, 120)
      assert.equal(await lab.most('type slow'), 1)
      assert.equal(await lab.mostOfAnyUser(), 2)
      assert.deepEqual(await lab.leftovers(), [])
    })

    test('keep the order of priorities and of the newest first', async ({ assert }) => {
      await lab.configure({ global: 10, user: 1 })
      const queue = lab.queue()
      await queue.addBulk(lab.jobs(10, 'a'))
      await queue.addBulk(lab.jobs(10, 'b', { priority: 10 }))
      await queue.addBulk(lab.jobs(10, 'c', { priority: 2 }))
      lab.worker()
      await lab.ended(queue, 30)
      const order = await lab.order()
      for (const user of 'abc')
        assert.equal(inversions(order.filter((id) => id.startsWith(user))), 0)

      await lab.forgetOrder()
      await queue.addBulk(lab.jobs(1, 'z', {}, { held: true }))
      await waitFor('the first', async () => (await lab.order()).length === 1)
      for (const job of lab.jobs(7, 'z').slice(1)) {
        await queue.add(job.name, job.data, { ...(job.opts as object), lifo: true })
        /** Each meets the limit before the next comes. */
        await waitFor('it to be held back', async () => (await queue.getWaitingCount()) === 0)
      }
      lab.release()
      await lab.ended(queue, 37)
      assert.deepEqual(await lab.order(), ['z1', 'z7', 'z6', 'z5', 'z4', 'z3', 'z2'])
      assert.deepEqual(await lab.leftovers(), [])
    })

    test('set many jobs aside together that wait for different users and types, each in its order', async ({
      assert,
    }) => {
      await lab.configure({ user: 1, types: { slow: 1 } })
      const queue = lab.queue()
      // Of each user and of the type one runs; behind them 130 wait, and one that may run stands in their midst.
      await queue.addBulk(['a', 'b', 'c'].flatMap((user) => lab.jobs(1, user, {}, { held: true })))
      await queue.addBulk(lab.jobs(1, 'slowest', {}, { held: true }, 'slow'))
      lab.worker()
      await waitFor('the first to run', async () => (await queue.getActiveCount()) === 4)
      const [as, bs, slow] = [
        lab.jobs(51, 'a'),
        lab.jobs(41, 'b'),
        lab.jobs(40, '', {}, {}, 'slow'),
      ]
      const mixed = [...as.slice(1), ...bs.slice(1), ...slow].map((job, at) => ({
        job,
        at: (at * 37) % 130,
      }))
      mixed.sort((one, other) => one.at - other.at)
      const jobs = mixed.map(({ job }) => job)
      jobs.splice(65, 0, ...lab.jobs(1, 'free'))
      await queue.addBulk(jobs)
      await waitFor(
        'the others to be held back',
        async () => (await queue.getDelayedCount()) === 130
      )
      assert.include(await lab.order(), 'free1')
      lab.release()
      await lab.ended(queue, 135)
      const order = await lab.order()
      const added = jobs.map((job) => (job.opts as { jobId: string }).jobId)
      for (const whose of ['a', 'b', 'nobody']) {
        const ofWhom = (id: string) => id.startsWith(whose) && id !== `${whose}1`
        assert.deepEqual(order.filter(ofWhom), added.filter(ofWhom), whose)
      }
      assert.equal(await lab.mostOfAnyUser(), 1)
      assert.equal(await lab.most('type slow'), 1)
      assert.deepEqual(await lab.leftovers(), [])
    })

    test('let a job of another user begin soon behind a long backlog', async ({ assert }) => {
      await lab.configure({ global: 10, user: 3 })
      const queue = lab.queue()
      for (let from = 0; from < 5_000; from += 1_000)
        await queue.addBulk(lab.jobs(5_000, 'a', {}, { ms: 20 }).slice(from, from + 1_000))
      await queue.addBulk(lab.jobs(5, 'b'))
      lab.worker()
      await waitFor('b to run', async () => (await lab.order()).includes('b5'))
      /** All that stood in front was set aside by then, and hardly any of it was run. */
      const order = await lab.order()
      assert.isBelow(order.indexOf('b5'), 500)
      assert.isAbove(Number(await queue.getDelayedCount()), 4_000)
    })

    test('change at run time, at once, in order, for jobs that are held back', async ({
      assert,
    }) => {
      await lab.configure({ global: 20, user: 3 })
      const { limits } = lab.transport
      const queue = lab.queue()
      await queue.addBulk(lab.jobs(400, 'a', {}, { ms: 20 }))
      lab.worker()
      const runs = (count: number) =>
        waitFor(`${count} to run`, async () => (await lab.running()) === count, { every: 1 })
      await runs(3)
      await limits.set({ kind: 'user' }, 8, 'op')
      await runs(8)
      await limits.set({ kind: 'user' }, 2, 'op')
      await runs(2)
      await limits.set({ kind: 'user', user: 'a' }, 5, 'op')
      await runs(5)
      await limits.set({ kind: 'global' }, 1, 'op')
      await runs(1)
      await limits.set({ kind: 'queue', queue: 'q' }, 4, 'op')
      await limits.reset({ kind: 'global' })
      await runs(4)
      await limits.set({ kind: 'type', type: 'work' }, 2, 'op')
      await limits.reset({ kind: 'queue', queue: 'q' })
      await runs(2)
      await limits.reset({ kind: 'type', type: 'work' })
      await runs(5)
      await limits.set({ kind: 'user' }, null, 'op')
      await limits.set({ kind: 'user', user: 'a' }, null, 'op')
      await limits.set({ kind: 'global' }, null, 'op')
      await lab.ended(queue, 400)
      assert.equal(inversions(await lab.order()), 0)
      await limits.sweep(['q'], lab.redis)
      assert.deepEqual(await lab.leftovers(), [])
    })

    test('hold nothing back in a paused queue, and go on when it is resumed', async ({
      assert,
    }) => {
      await lab.configure({ global: 10, user: 3 })
      const [queue, other] = [lab.queue('q'), lab.queue('p')]
      await queue.addBulk(lab.jobs(20, 'a', {}, { ms: 10 }))
      lab.worker('q')
      lab.worker('p')
      await waitFor('some to be held back', async () => (await queue.getDelayedCount()) > 0)
      await queue.pause()
      await waitFor('the running to end', async () => (await queue.getActiveCount()) === 0)
      const before = await queue.getCompletedCount()
      await other.addBulk(lab.jobs(20, 'a', {}, { ms: 5 }))
      await lab.ended(other, 20)
      assert.equal(await queue.getCompletedCount(), before)
      await queue.resume()
      const resumed = stopwatch()
      await lab.ended(queue, 20)
      assert.isBelow(resumed(), 3_000)
      assert.deepEqual(await lab.leftovers(), [])
    })

    test('survive what other tools do to jobs that are held back', async ({ assert }) => {
      await lab.configure({ global: 10, user: 1 })
      const queue = lab.queue()
      await queue.addBulk(lab.jobs(10, 'a', {}, { held: true }))
      lab.worker()
      const held = (count: number) =>
        waitFor(`${count} to be held back`, async () => (await queue.getDelayedCount()) === count)
      await held(9)
      await (await queue.getJob('a3'))!.remove()
      await (await queue.getJob('a8'))!.promote()
      await (await queue.getJob('a5'))!.changeDelay(300)
      await (await queue.getJob('a6'))!.changePriority({ priority: 1 })
      await queue.add('work', {}, { jobId: 'a3', qd: { user: 'a' }, delay: 100 } as never)
      await queue.promoteJobs()
      lab.release()
      await lab.ended(queue, 10)
      assert.equal(await lab.most('user a'), 1)
      await waitFor('nothing left', async () => {
        await lab.transport.limits.sweep(['q'], lab.redis)
        return (await lab.leftovers()).length === 0
      })

      await queue.addBulk(lab.jobs(6, 'n', {}, { ms: 3_000 }))
      await held(5)
      await queue.drain(true)
      await waitFor('nothing left', async () => {
        await lab.transport.limits.sweep(['q'], lab.redis)
        return (await lab.leftovers()).length === 0
      })
      await queue.addBulk(lab.jobs(3, 'm'))
      await waitFor('the next', async () => (await queue.getJobState('m3')) === 'completed')
    })

    test('leave alone what another producer delays for ever', async ({ assert }) => {
      await lab.configure({ global: 10, user: 1 })
      const queue = lab.queue()
      await queue.add('work', {}, { jobId: 'never', delay: Number.MAX_SAFE_INTEGER })
      lab.worker()
      await lab.transport.limits.sweep(['q'], lab.redis)
      await queue.addBulk(lab.jobs(3, 'a'))
      await waitFor('others', async () => (await queue.getCompletedCount()) === 3)
      assert.equal(await queue.getJobState('never'), 'delayed')
    })

    test('count right whatever other tools do to jobs that run', async ({ assert }) => {
      await lab.configure({ global: 3, user: 2 })
      const queue = lab.queue()
      const jobs = (user: string) => lab.jobs(6, user, {}, { held: true })
      await queue.addBulk(['a', 'b', 'c'].flatMap(jobs))
      lab.worker('q', { lockDuration: 60_000 })
      const { keys, limits } = lab.transport
      const active = `${keys.queue('q')}active`
      const locks = async () => (await lab.redis.keys(`${keys.queue('q')}*:lock`)).length
      await waitFor('three to run', async () => (await locks()) === 3)
      const [gone, back] = await lab.redis.lrange(active, 0, -1)
      const job = (id: string) => keys.job('q', id)
      await lab.redis
        .multi()
        .lrem(active, 1, gone)
        .del(job(gone), `${job(gone)}:lock`)
        /** As a checker for stalled jobs does that knows of no limits. */
        .lrem(active, 1, back)
        .del(`${job(back)}:lock`)
        .rpush(`${keys.queue('q')}wait`, back)
        .zadd(`${keys.queue('q')}marker`, 0, '0')
        .exec()
      await waitFor('others in their place', async () => {
        await pause(20)
        await limits.sweep(['q'], lab.redis)
        return (await locks()) === 3
      })
      const counted = async () => {
        const counts = await lab.redis.hgetall(`${lab.prefix}~gate:counts`)
        const byUser = Object.values(counts).reduce((sum, count) => sum + Number(count), 0)
        return [Number(await lab.redis.hget(keys.limits, 'n')), byUser]
      }
      assert.deepEqual(await counted(), [3, 3])
      /** Counts that nobody corrects by a job's end. */
      await lab.redis.hset(keys.limits, 'n', 99)
      await lab.redis.hset(`${lab.prefix}~gate:counts`, 'u:a', 99, 'u:gone', 5)
      await pause(260)
      await limits.sweep(['q'], lab.redis)
      assert.deepEqual(await counted(), [3, 3])
      lab.release()
      await lab.ended(queue, 17)
      assert.deepEqual(await lab.leftovers(), [])
    })

    for (const [what, keys] of Object.entries({
      'signals': ['ready:*', 'starved', 'baton'],
      'the index of what is held back': ['queues:*', 'parked', 'ready:*'],
      'the lists of what is held back': ['park:*', 'queues:*', 'parked', 'ready:*'],
      'who runs': ['counts'],
    })) {
      test(`go on after ${what} were lost`, async ({ assert }) => {
        await lab.configure({ global: 10, user: 3 })
        const queue = lab.queue()
        await queue.addBulk([...lab.jobs(40, 'a'), ...lab.jobs(40, 'b')])
        lab.worker()
        await waitFor('some to be held back', async () => (await queue.getDelayedCount()) > 0)
        for (const pattern of keys) {
          const found = await lab.redis.keys(`${lab.prefix}~gate:${pattern}`)
          if (found.length > 0) await lab.redis.del(...found)
        }
        await lab.redis.del(`${lab.prefix}:q:marker`)
        await waitFor('all', async () => {
          await pause(100)
          await lab.transport.limits.sweep(['q'], lab.redis)
          return (await queue.getCompletedCount()) === 80
        })
        assert.deepEqual(await lab.leftovers(), [])
      })
    }
  })
}
