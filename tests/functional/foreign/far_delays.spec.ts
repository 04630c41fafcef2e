import { test } from '@japa/runner'
import { ForeignLab } from './lab.ts'

const is = (status: string) => (row: any) => row.status === status

/** A delay of BullMQ that ends behind the scores at which limits hold jobs back: until 2061, ms. */
const FAR = 2 ** 40

test.group('Foreign queues | jobs due after 2047', (group) => {
  let foreign: ForeignLab

  group.setup(async () => {
    foreign = await ForeignLab.open()
    return () => foreign.close()
  })

  const depths = async (queue: string) =>
    (await foreign.lab.client().json(`/queues/${queue}`)).json.depths

  test('are scheduled in their records, in the depths of their queue, and where they are looked for', async ({
    assert,
  }) => {
    const queue = foreign.queue('decades')
    const job = await queue.add('late', {}, { delay: FAR })
    const row = await foreign.row('decades', job.id!, is('scheduled'))
    assert.closeTo(Date.parse(row.dueAt), job.timestamp + FAR, 60_000)
    assert.deepInclude(await depths('decades'), { pending: 0, scheduled: 1 })
    const { text } = await foreign.lab.client().page(`/jobs/${row.id}`)
    assert.notInclude(text, 'waiting for a worker')
    const place = { queue: 'decades', id: job.id! }
    const [{ state }] = await foreign.transport.scheduled.states([place])
    assert.equal(state, 'delayed')
  })

  test('stay scheduled when their records are compared with Redis', async ({ assert }) => {
    const resume = await foreign.withoutMirror()
    const queue = foreign.queue('compared')
    const job = await queue.add('late', {}, { delay: FAR })
    await foreign.redis.del(queue.toKey('events'))
    resume()
    const row = await foreign.row('compared', job.id!)
    assert.equal(row.status, 'scheduled')
    assert.closeTo(Date.parse(row.dueAt), job.timestamp + FAR, 60_000)
  })

  test('are drained with what is scheduled, and only then', async ({ assert }) => {
    const queue = foreign.queue('drained')
    const job = await queue.add('late', {}, { delay: FAR })
    await queue.add('soon', {}, { delay: 3_600_000 })
    await queue.add('now', {})
    await foreign.row('drained', job.id!)
    const drain = (scheduled: boolean) =>
      foreign.transport.queueControl.drain('drained', { by: 'Ada', reason: 'r', scheduled })
    assert.deepEqual(await drain(false), { done: 1, requested: 0 })
    assert.deepInclude(await depths('drained'), { pending: 0, scheduled: 2 })
    assert.deepEqual(await drain(true), { done: 2, requested: 0 })
    await foreign.row('drained', job.id!, is('cancelled'))
    assert.deepInclude(await depths('drained'), { pending: 0, scheduled: 0 })
  })
})
