import { setTimeout as pause } from 'node:timers/promises'
import { WaitingChildrenError, WaitingError, type Job } from 'bullmq'
import { test } from '@japa/runner'
import { redisServer } from '#tests/helpers/servers'
import { waitFor } from '#tests/helpers/wait'
import { uniquePrefix } from '#tests/helpers/unique_prefix'
import { GateLab } from './lab.ts'

const of = (user: string) => ({ qd: { user } }) as object

test.group('Limits beside what BullMQ does', (group) => {
  let lab: GateLab
  group.each.setup(async () => {
    lab = new GateLab((await redisServer()).url, {}, uniquePrefix())
    return () => lab.close()
  })

  test('hold while parents wait for children, and a waiting parent holds no slot', async ({
    assert,
  }) => {
    await lab.configure({ global: 4, user: 2, types: { parent: 1 } })
    const [children, parents] = [lab.queue('q'), lab.queue('p')]
    const flows = lab.flows()
    for (let at = 1; at <= 5; at++)
      await flows.add({
        name: 'parent',
        queueName: 'p',
        opts: { jobId: `p${at}`, ...of('a') },
        children: Array.from({ length: 6 }, (_, child) => ({
          name: 'work',
          queueName: 'q',
          data: { ms: 10 },
          opts: { jobId: `p${at}c${child}`, ...of(child % 2 ? 'a' : 'b') },
        })),
      })

    /** These make their children while they run, and wait for them: of a user who may run two, three of them at once. */
    const held: (string | null)[] = []
    const parent = async (job: Job, token?: string) => {
      const waits = await lab.count(job, async () => {
        if (job.data.grows && !job.data.grown) {
          const jobs = Array.from({ length: 4 }, (_, at) => ({
            name: 'work',
            data: { ms: 10 },
            opts: {
              jobId: `${job.id}c${at}`,
              parent: { id: job.id!, queue: job.queueQualifiedName },
              ...of('c'),
            },
          }))
          await children.addBulk(jobs)
          await job.updateData({ ...job.data, grown: true })
          return true
        }
        await pause(10)
        return false
      })
      if (waits && (await job.moveToWaitingChildren(token!))) {
        held.push(await lab.redis.hget(lab.transport.keys.job('p', job.id!), 'sl'))
        throw new WaitingChildrenError()
      }
    }
    for (let at = 1; at <= 3; at++)
      await parents.add('grower', { grows: true }, { jobId: `g${at}`, ...of('c') })
    lab.worker('p', {}, parent)
    lab.worker('q')
    await Promise.all([lab.ended(parents, 8), lab.ended(children, 42)])
    assert.deepEqual(held, ['', '', ''])
    assert.equal(await parents.getFailedCount(), 0)
    assert.isAtMost(await lab.most('all'), 4)
    assert.isAtMost(await lab.mostOfAnyUser(), 2)
    assert.equal(await lab.most('type parent'), 1)
    assert.deepEqual(await lab.leftovers(), [])
  })

  test('hold beside a rate limit and a concurrency of the queue', async ({ assert }) => {
    await lab.configure({ global: 10, user: 2, queues: { q: 3 } })
    const queue = lab.queue()
    for (const user of 'abc') await queue.addBulk(lab.jobs(10, user, {}, { ms: 15 }))
    const began = performance.now()
    lab.worker('q', { limiter: { max: 6, duration: 200 } })
    lab.worker('q', { limiter: { max: 6, duration: 200 } })
    await lab.ended(queue, 30)
    assert.isAbove(performance.now() - began, 4 * 200 * 0.95)
    assert.equal(await lab.most('all'), 3)
    assert.isAtMost(await lab.mostOfAnyUser(), 2)
    assert.deepEqual(await lab.leftovers(), [])
  })

  test('give the slot of a job back that puts itself under a rate limit', async ({ assert }) => {
    await lab.configure({ global: 10, user: 1 })
    const [queue, other] = [lab.queue('q'), lab.queue('p')]
    await queue.addBulk(lab.jobs(3, 'a'))
    let limited = 0
    const worker = lab.worker(
      'q',
      { concurrency: 2, limiter: { max: 100, duration: 500 } },
      (job) =>
        lab.count(job, async () => {
          if (limited++ > 0) return
          await worker.rateLimit(3_000)
          throw new (await import('bullmq')).RateLimitError()
        })
    )
    await waitFor('the rate limit', () => limited === 1)
    /** The user's other jobs run meanwhile. */
    await other.addBulk(lab.jobs(3, 'a'))
    lab.worker('p')
    await lab.ended(other, 3)
    assert.equal(await queue.getCompletedCount(), 0)
    await lab.ended(queue, 3)
    assert.equal(await lab.most('user a'), 1)
    assert.deepEqual(await lab.leftovers(), [])
  })

  /** One job of the user runs, and so many others of theirs are held back. */
  const backlog = async (count: number) => {
    await lab.configure({ user: 1 })
    const queue = lab.queue()
    await queue.addBulk(lab.jobs(1, 'a', {}, { held: true }))
    await queue.addBulk(
      lab.jobs(count, 'b').map((job) => ({ ...job, opts: { ...(job.opts as object), ...of('a') } }))
    )
    return queue
  }
  const areHeld = async (count: number) => {
    const { heldBack } = await lab.transport.limits.view()
    return heldBack.reduce((sum, { jobs }) => sum + jobs, 0) === count
  }

  test('a job that was held back, cancelled and restarted stands behind the others', async ({
    assert,
  }) => {
    const queue = await backlog(4)
    lab.worker()
    await waitFor('the others to be held back', () => areHeld(4))
    const { transport } = lab
    await transport.cancel('q', 'b1', { by: 'Ada', reason: 'wrong' })
    const job = { queue: 'q', id: 'b1', name: 'work', data: '{}', opts: { timestamp: 1 } }
    const { outcome } = await transport.restart('q', 'b1', { by: 'Ada', run: 2, job })
    assert.equal(outcome, 'done')
    /** Another one leaves its place, and comes back to the last one. */
    await transport.edits.changePriority('q', 'b2', 5, 'Ada')
    await waitFor('both to be held back again', () => areHeld(4))
    await transport.edits.changePriority('q', 'b2', 0, 'Ada')
    await waitFor('it to be held back again', () => areHeld(4))
    lab.release()
    await lab.ended(queue, 5)
    assert.deepEqual(await lab.order(), ['a1', 'b3', 'b4', 'b1', 'b2'])
    assert.deepEqual(await lab.leftovers(), [])
  })

  test('a job that is handed back stays in front of those that are held back', async ({
    assert,
  }) => {
    const queue = await backlog(6)
    let handed = false
    lab.worker('q', {}, async (job, token) => {
      if (job.id !== 'a1' || handed) return
      await waitFor('the others to be held back', () => areHeld(6))
      handed = true
      await job.moveToWait(token)
      throw new WaitingError()
    })
    await lab.ended(queue, 7)
    const order = await lab.order()
    /** Every other claim looks at those that are held back first. */
    assert.isAtMost(order.lastIndexOf('a1'), 2)
    assert.deepEqual(await lab.leftovers(), [])
  })

  test('hold back what a job scheduler makes, and the scheduler goes on', async ({ assert }) => {
    await lab.configure({ global: 10, user: 1 })
    const queue = lab.queue()
    await queue.upsertJobScheduler(
      's',
      { every: 50 },
      { name: 'tick', data: { ms: 5 }, opts: of('a') }
    )
    lab.worker()
    const ticks = async () => {
      const done = await queue.getCompleted(0, 1_000)
      return done.filter(({ name }) => name === 'tick').length
    }
    await waitFor('ticks', async () => (await ticks()) >= 3)
    await queue.addBulk(lab.jobs(1, 'a', {}, { held: true }))
    await waitFor('the user to be busy', async () => (await queue.getJobState('a1')) === 'active')
    const isHeld = async () => {
      const { heldBack } = await lab.transport.limits.view()
      return heldBack.length === 1 && heldBack[0].jobs === 1
    }
    await waitFor('a tick to be held back', isHeld)
    const before = await ticks()
    lab.release()
    await waitFor('more ticks', async () => (await ticks()) >= before + 3)
    assert.equal(await lab.most('user a'), 1)
    await queue.removeJobScheduler('s')
    await waitFor('nothing left', async () => (await lab.leftovers()).length === 0)
  })
})
