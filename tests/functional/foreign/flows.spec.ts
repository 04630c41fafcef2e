import { test } from '@japa/runner'
import { waitFor } from '#tests/helpers/wait'
import { ForeignLab } from './lab.ts'

const is = (status: string) => (row: any) => row.status === status

test.group('Foreign queues | flows of BullMQ', (group) => {
  let foreign: ForeignLab

  group.setup(async () => {
    foreign = await ForeignLab.open()
    return () => foreign.close()
  })

  /** A parent in one queue, its children in another; answers their ids in BullMQ. */
  const flow = async (queue: string, children: string[], opts: object = {}) => {
    const made = await foreign.flows().add({
      name: 'parent',
      queueName: queue,
      data: {},
      children: children.map((name) => ({ name, queueName: `${queue}-parts`, data: {}, opts })),
    })
    return { parent: made.job.id!, parts: made.children!.map(({ job }) => job.id!) }
  }

  test('a parent is blocked until its children have ended, and both lead to each other', async ({
    assert,
  }) => {
    const { parent, parts } = await flow('tree', ['one', 'two'])
    const blocked = await foreign.row('tree', parent, is('blocked'))
    const rows = await Promise.all(parts.map((id) => foreign.row('tree-parts', id, is('pending'))))
    const family = async () => (await foreign.job(blocked.id)).flow
    const whole = await family()
    assert.isNull(whole.parent)
    assert.equal(whole.children.total, 2)
    assert.sameDeepMembers(
      whole.children.data,
      rows.map(({ id, type }) => ({ id, queue: 'tree-parts', type, status: 'pending' }))
    )
    const { flow: up } = await foreign.job(rows[0].id)
    const up1 = { id: blocked.id, queue: 'tree', type: 'parent', status: 'blocked' }
    assert.deepEqual(up, { parent: up1, children: null })
    const page = await foreign.lab.client().page(`/jobs/${blocked.id}`)
    assert.include(page.text, '2 children')
    for (const { id } of rows) assert.include(page.text, `/admin/queue/jobs/${id}"`)
    const below = await foreign.lab.client().page(`/jobs/${rows[0].id}`)
    assert.include(below.text, `/admin/queue/jobs/${blocked.id}"`)

    foreign.worker('tree-parts', async (part) => `did ${part.name}`)
    foreign.worker('tree', async (job) => Object.values(await job.getChildrenValues()).sort())
    await foreign.row('tree', parent, is('completed'))
    assert.deepEqual((await foreign.job(blocked.id)).result, ['did one', 'did two'])
    const { children } = await family()
    assert.deepEqual(
      children.data.map(({ status }: any) => status),
      ['completed', 'completed']
    )
  })

  test('a waiting child that is cancelled ends without running, and BullMQ decides about its parent', async ({
    assert,
  }) => {
    const { parent, parts } = await flow('strict', ['one'], { failParentOnFailure: true })
    await foreign.row('strict', parent, is('blocked'))
    const child = await foreign.row('strict-parts', parts[0], is('pending'))
    const { json } = await foreign.lab.client().post(`/jobs/${child.id}/cancel`)
    assert.equal(json.outcome, 'requested')
    let ran = 0
    foreign.worker('strict', async () => ran++)
    foreign.worker('strict-parts', async () => ran++)
    const ended = await foreign.row('strict-parts', parts[0], ({ stopping }) => !stopping)
    assert.deepInclude(ended, { status: 'cancelled' })
    const failed = await foreign.row('strict', parent, is('failed'))
    assert.match(failed.error.message, /child .* failed/)
    assert.equal(ran, 0)
  })

  test('a blocked parent that is cancelled never runs, and its children go on; restarted, it runs', async ({
    assert,
  }) => {
    const { parent, parts } = await flow('roots', ['one'])
    const blocked = await foreign.row('roots', parent, is('blocked'))
    const client = foreign.lab.client()
    assert.equal((await client.post(`/jobs/${blocked.id}/cancel`)).json.outcome, 'done')
    const ran: string[] = []
    foreign.worker('roots', async ({ name }) => ran.push(name))
    foreign.worker('roots-parts', async ({ name }) => ran.push(name))
    await foreign.row('roots-parts', parts[0], is('completed'))
    await foreign.row('roots', parent, is('cancelled'))
    assert.equal((await client.post(`/jobs/${blocked.id}/restart`)).json.outcome, 'done')
    await foreign.row('roots', parent, is('completed'))
    assert.deepEqual(ran, ['one', 'parent'])
  })

  test('a parent that is restarted before its children have ended is blocked until they have', async ({
    assert,
  }) => {
    const { parent } = await flow('early', ['one'])
    const blocked = await foreign.row('early', parent, is('blocked'))
    const client = foreign.lab.client()
    const ran: string[] = []
    foreign.worker('early', async ({ name }) => ran.push(name))
    await client.post(`/jobs/${blocked.id}/cancel`)
    await foreign.row('early', parent, is('cancelled'))
    assert.equal((await client.post(`/jobs/${blocked.id}/restart`)).json.outcome, 'done')
    await foreign.row('early', parent, is('blocked'))
    foreign.worker('early-parts', async ({ name }) => ran.push(name))
    await foreign.row('early', parent, is('completed'))
    assert.deepEqual(ran, ['one', 'parent'])

    /** One whose child has failed waits for that again, and for the other that has not ended. */
    const failing = await flow('late', ['one', 'two'], { failParentOnFailure: true })
    let fails = true
    let release = () => {}
    const held = new Promise<void>((resolve) => (release = resolve))
    foreign.worker('late', async () => 'did it')
    foreign.worker(
      'late-parts',
      async ({ name }) => {
        if (name === 'one' && fails) throw new Error('planned')
        if (name === 'two') await held
      },
      { concurrency: 2 }
    )
    const failed = await foreign.row('late', failing.parent, is('failed'))
    fails = false
    const child = await foreign.row('late-parts', failing.parts[0], is('failed'))
    for (const { id } of [failed, child])
      assert.equal((await client.post(`/jobs/${id}/restart`)).json.outcome, 'done')
    await foreign.row('late-parts', failing.parts[0], is('completed'))
    await foreign.row('late', failing.parent, is('blocked'))
    release()
    await foreign.row('late', failing.parent, is('completed'))
  })

  test('a child that Redis has forgotten goes back into its flow when it is restarted', async ({
    assert,
  }) => {
    const { parent, parts } = await flow('long', ['one', 'two'])
    let fails = true
    foreign.worker('long', async (job) => Object.values(await job.getChildrenValues()).sort())
    foreign.worker('long-parts', async ({ name }) => {
      if (name === 'one' && fails) throw new Error('planned')
      return name
    })
    const child = await foreign.row('long-parts', parts[0], is('failed'))
    const key = foreign.transport.keys.job('long-parts', parts[0])
    await waitFor('Redis to forget it', async () => (await foreign.redis.exists(key)) === 0)
    await foreign.row('long', parent, is('blocked'))
    fails = false
    const client = foreign.lab.client()
    assert.equal((await client.post(`/jobs/${child.id}/restart`)).json.outcome, 'done')
    const { id } = await foreign.row('long', parent, is('completed'))
    assert.deepEqual((await foreign.job(id)).result, ['one', 'two'])
  })

  test('a child that is restarted leaves a parent alone that goes on without it', async ({
    assert,
  }) => {
    const { parent, parts } = await flow('apart', ['one'], { ignoreDependencyOnFailure: true })
    let fails = true
    let release = () => {}
    const held = new Promise<void>((resolve) => (release = resolve))
    foreign.worker('apart', () => held)
    const worker = foreign.worker('apart-parts', async () => {
      if (fails) throw new Error('planned')
    })
    const child = await foreign.row('apart-parts', parts[0], is('failed'))
    await foreign.row('apart', parent, is('running'))
    fails = false
    await worker.pause()
    const { json } = await foreign.lab.client().post(`/jobs/${child.id}/restart`)
    assert.equal(json.outcome, 'done')
    release()
    await foreign.row('apart', parent, ({ status }) => status !== 'running')
    worker.resume()
    await foreign.row('apart-parts', parts[0], is('completed'))
    assert.equal((await foreign.row('apart', parent)).status, 'completed')
  })

  test('a parent waits no more for a child that is deleted', async ({ assert }) => {
    const { parent, parts } = await flow('fewer', ['one', 'two'])
    foreign.worker('fewer', async (job) => Object.values(await job.getChildrenValues()))
    foreign.worker('fewer-parts', async ({ name }) => {
      if (name === 'one') throw new Error('planned')
      return name
    })
    await foreign.row('fewer-parts', parts[1], is('completed'))
    const child = await foreign.row('fewer-parts', parts[0], is('failed'))
    await foreign.row('fewer', parent, is('blocked'))
    const client = foreign.lab.client()
    assert.equal((await client.post(`/jobs/${child.id}/delete`)).json.outcome, 'done')
    const { id } = await foreign.row('fewer', parent, is('completed'))
    assert.deepEqual((await foreign.job(id)).result, ['two'])
  })

  test('the next job of a scheduler that is cancelled or drained does not run, and those after it do', async ({
    assert,
  }) => {
    const queue = foreign.queue('ticks')
    const client = foreign.lab.client()
    await queue.upsertJobScheduler('s', { every: 600_000, offset: 1_000 }, { name: 'tick' })
    const next = async () => (await queue.getDelayed())[0]?.id
    const first = await waitFor('the first', next)
    const row = await foreign.row('ticks', first, is('scheduled'))
    assert.equal((await client.post(`/jobs/${row.id}/cancel`)).json.outcome, 'requested')
    const ran: string[] = []
    foreign.worker('ticks', async ({ id }) => ran.push(id!))
    await foreign.row('ticks', first, (job) => job.status === 'cancelled' && !job.stopping)
    const second = await waitFor('the second', next)
    await foreign.row('ticks', second, is('scheduled'))
    await client.post('/queues/ticks/drain', { scheduled: true })
    await foreign.row('ticks', second, (job) => job.status === 'cancelled' && !job.stopping)
    const third = await waitFor('the third', next)
    const moments = [first, second, third].map((id) => Number(id!.split(':').at(-1)))
    assert.deepEqual([moments[1] - moments[0], moments[2] - moments[1]], [600_000, 600_000])
    assert.deepEqual(ran, [])
  })
})
