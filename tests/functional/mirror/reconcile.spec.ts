import { test } from '@japa/runner'
import { LOST } from '../../../src/mirror/comparison.ts'
import { MemoryWriter } from '../../unit/mirror/memory_writer.ts'
import { redisServer } from '#tests/helpers/servers'
import { waitFor } from '#tests/helpers/wait'
import { Lab } from './lab.ts'

/**
 * What the mirror decides when the stream does not tell everything. Records are in memory; Redis is real.
 */
test.group('Mirror | comparing records with Redis', (group) => {
  let lab: Lab
  let writer: MemoryWriter

  group.each.setup(async () => {
    const { url } = await redisServer()
    lab = new Lab(url)
    writer = new MemoryWriter()
    return () => lab.close()
  })

  const mirror = () => lab.mirror({ ready: async () => {}, writer })
  const events = () => lab.transport.keys.events('a')
  const statuses = () => [...writer.jobs.values()].map(({ status }) => status)

  test('writes what happens to jobs', async ({ assert }) => {
    mirror()
    lab.worker('a', async ({ job, progress, log, attempt }) => {
      await progress(50, 'half')
      await log('a line')
      if (job.name === 'twice' && attempt === 1) throw new Error('once')
      return { ok: true }
    })
    const once = await lab.add('a')
    const twice = await lab.add('a', { attempts: 2, backoff: 50 }, { name: 'twice' })
    await waitFor(
      'both jobs to end',
      () => statuses().filter((status) => status === 'completed').length === 2
    )
    assert.containSubset(writer.jobs.get(once), {
      status: 'completed',
      attempts: 1,
      percent: 50,
      stage: 'half',
    })
    assert.equal(writer.bodies.get(once)!.result, '{"ok":true}')
    assert.containSubset(writer.attemptsOf(twice), [
      { attempt: 1, outcome: 'failed', error: 'once' },
      { attempt: 2, outcome: 'completed' },
    ])
    assert.lengthOf(writer.logs, 3)
    await lab.mirrored()
  })

  test('repairs records after the stream was cut', async ({ assert }) => {
    const service = mirror()
    const ended = await lab.add('a')
    const waiting = await lab.add('a', { priority: 5 })
    await lab.mirrored()
    await service.stop()
    lab.worker('a', async ({ job }) => job.id === ended || new Promise(() => {}), {
      concurrency: 5,
    })
    const delayed = await lab.add('a', { delay: 60_000 })
    await waitFor(
      'the job to end',
      async () => (await lab.transport.state('a', ended)) === 'completed'
    )
    await waitFor(
      'the other to run',
      async () => (await lab.transport.state('a', waiting)) === 'active'
    )
    await lab.redis.xtrim(events(), 'MAXLEN', 0)

    mirror()
    const status = await lab.mirrored()
    assert.equal(status.queues.a.gap?.reason, 'the event stream was cut')
    assert.containSubset(writer.jobs.get(ended), { status: 'completed', attempts: 1 })
    assert.equal(writer.bodies.get(ended)!.result, 'true')
    assert.containSubset(writer.jobs.get(waiting), { status: 'running', attempts: 1, priority: 5 })
    assert.containSubset(writer.jobs.get(delayed), {
      status: 'scheduled',
      hasPayload: true,
      type: 'work',
    })
    assert.include(writer.kindsOf(ended), 'repaired')
  })

  test('repairs while jobs never cease, and loses no history of theirs', async ({ assert }) => {
    const service = mirror()
    const stuck: string[] = []
    for (let index = 0; index < 300; index++) stuck.push(await lab.add('a'))
    await lab.mirrored()
    await service.stop()
    for (const id of stuck) await lab.transport.cancel('a', id, { by: 'me', reason: 'no' })
    await lab.redis.xtrim(events(), 'MAXLEN', 0)

    const added: string[] = []
    let isLoading = true
    lab.worker('a', async ({ progress }) => progress(10, 'one'), { concurrency: 20 })
    const load = (async () => {
      while (isLoading) {
        const jobs = Array.from({ length: 50 }, () => lab.job('a'))
        await lab.transport.add(jobs)
        added.push(...jobs.map(({ id }) => id))
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    })()
    mirror()
    await waitFor('all records to be repaired under load', () =>
      stuck.every((id) => writer.jobs.get(id)!.status === 'cancelled')
    )
    isLoading = false
    await load
    await waitFor('the load to end', () =>
      added.every((id) => writer.jobs.get(id)?.status === 'completed')
    )
    for (const id of added) {
      const kinds = writer.kindsOf(id)
      if (kinds.includes('repaired')) continue
      assert.deepEqual(kinds, ['added', 'running', 'stage', 'completed'])
    }
    const repaired = added.filter((id) => writer.kindsOf(id).includes('repaired'))
    assert.isBelow(repaired.length, 200)
  })

  test('declares jobs lost that an emptied Redis no longer knows', async ({ assert }) => {
    mirror()
    lab.worker('a', async ({ job }) => job.name)
    const done = await lab.add('a')
    await waitFor('the job to end', () => statuses().includes('completed'))
    await lab.stopWorkers()
    const waiting = await lab.add('a')
    await lab.mirrored()
    const keys = await lab.redis.keys(`${lab.transport.keys.prefix}:*`)
    await lab.redis.del(...keys)

    const later = await lab.add('a')
    await waitFor('the loss to be noticed', () => writer.jobs.get(waiting)!.errorCode === LOST)
    const status = await lab.mirrored()
    assert.containSubset(writer.jobs.get(waiting), { status: 'failed', hasTransport: false })
    assert.equal(writer.jobs.get(done)!.status, 'completed')
    assert.containSubset(writer.jobs.get(later), { status: 'pending', run: 1 })
    assert.isNotNull(status.queues.a.gap)
  })

  test('takes up jobs that were there before it, with all that Redis has of them', async ({
    assert,
  }) => {
    const id = await lab.add('a', { qd: { user: '7', tags: ['x'] } })
    await lab.redis.del(events())
    mirror()
    await waitFor('the record', () => writer.jobs.get(id)?.status === 'pending')
    assert.containSubset(writer.jobs.get(id), { user: '7', type: 'work', hasPayload: true })
  })

  test('takes up all of many jobs so large that Redis tells of them in several answers', async ({
    assert,
  }) => {
    const data = JSON.stringify({ text: 'x'.repeat(500_000) })
    const ids: string[] = []
    for (let count = 0; count < 30; count++) ids.push(await lab.add('a', {}, { data }))
    const { facts } = await lab.transport.audit.facts('a', ids, lab.redis)
    assert.isBelow(facts.length, ids.length)
    assert.deepEqual(
      facts.map((fact) => fact?.id),
      ids.slice(0, facts.length)
    )
    await lab.redis.del(events())
    mirror()
    await waitFor('all records', () => writer.jobs.size === ids.length)
    assert.sameMembers(
      [...writer.bodies.keys()].filter((id) => writer.bodies.get(id)?.payload === data),
      ids
    )
  })

  /** What a queue's keys hold now, to be put back later: Redis then is the older one. */
  async function keep(): Promise<() => Promise<void>> {
    const pattern = `${lab.transport.keys.prefix}:a:*`
    const dumps = new Map<string, Buffer>()
    for (const key of await lab.redis.keys(pattern))
      dumps.set(key, (await lab.redis.dumpBuffer(key))!)
    return async () => {
      const multi = lab.redis.multi().del(...(await lab.redis.keys(pattern)))
      for (const [key, dump] of dumps) multi.restore(key, 0, dump)
      await multi.exec()
    }
  }

  test('opens the next run of ended jobs that an older Redis brings back', async ({ assert }) => {
    const id = await lab.add('a')
    mirror()
    await lab.mirrored()
    const bringBack = await keep()
    lab.worker('a', () => 1)
    await waitFor('the job to end', () => statuses().includes('completed'))
    await lab.stopWorkers()
    await lab.mirrored()

    await bringBack()
    await waitFor('the job to be pending again', () => writer.jobs.get(id)!.status === 'pending')
    assert.containSubset(writer.jobs.get(id), { run: 2 })
    assert.include(writer.kindsOf(id), 'redis restored')
    lab.worker('a', () => 2)
    await waitFor('the job to end again', () => writer.jobs.get(id)!.status === 'completed')
    await lab.mirrored()
    assert.containSubset(writer.jobs.get(id), { run: 2, attempts: 1 })
    assert.containSubset([...writer.runs.values()], [{ run: 1, status: 'completed' }])
  })

  test('tells a job once, however often an older Redis brings its entries back', async ({
    assert,
  }) => {
    mirror()
    lab.worker('a', () => 1)
    const first = await lab.add('a')
    const ended = () => statuses().every((status) => status === 'completed')
    for (let times = 1; times <= 3; times++) {
      await waitFor('all jobs to end', () => writer.jobs.size === times && ended())
      await lab.written({ ready: async () => {}, writer }, ['a'])
      const bringBack = await keep()
      const lost = await lab.add('a')
      await waitFor('the next job to end', () => writer.jobs.get(lost)?.status === 'completed')
      const { skew } = writer.positions.get('a')!
      await bringBack()
      await waitFor('it all to be read again', () => writer.positions.get('a')!.skew > skew)
      writer.jobs.delete(lost)
      await lab.add('a')
    }
    await waitFor('all jobs to end', () => writer.jobs.size === 4 && ended())
    assert.deepEqual(
      [...writer.jobs.values()].map(({ run }) => run),
      [1, 1, 1, 1]
    )
    assert.deepEqual(writer.kindsOf(first), ['added', 'running', 'completed'])
  })

  test('removes failed jobs once their records are committed, and completed ones by age', async ({
    assert,
  }) => {
    const id = await lab.add('a')
    const kept = await lab.add('a', {}, { name: 'fine' })
    lab.worker('a', ({ job }) => {
      if (job.name !== 'fine') throw new Error('no')
      return 1
    })
    await waitFor('both to end', async () => (await lab.transport.state('a', kept)) === 'completed')
    writer.failure = new Error('the database is away')
    mirror()
    await new Promise((resolve) => setTimeout(resolve, 1_500))
    assert.equal(await lab.transport.state('a', id), 'failed')
    writer.failure = undefined
    await waitFor(
      'the failed one to go',
      async () => (await lab.transport.state('a', id)) === 'missing'
    )
    assert.equal(await lab.transport.state('a', kept), 'completed')
    /** Noted after the removal. */
    await waitFor('its record to say so', () => !writer.jobs.get(id)!.hasTransport)
    assert.containSubset(writer.jobs.get(id), { status: 'failed', error: 'no' })
    await lab.stopMirrors()
    lab.mirror(
      { ready: async () => {}, writer },
      { config: { queues: [], kept: { completed: 0, cancelled: 0 } } }
    )
    await waitFor(
      'the completed one to go',
      async () => (await lab.transport.state('a', kept)) === 'missing'
    )
    await waitFor('its record to say so', () => !writer.jobs.get(kept)!.hasTransport)
    assert.equal(writer.jobs.get(kept)!.status, 'completed')
  })

  test('cuts the stream behind its position and keeps the proof', async ({ assert }) => {
    lab.mirror(
      { ready: async () => {}, writer },
      { janitor: { every: 50, trail: 0, longest: 2_000 } }
    )
    const jobs = Array.from({ length: 3_000 }, () => lab.job('a'))
    await lab.transport.add(jobs)
    await waitFor('the stream to be cut', async () => (await lab.redis.xlen(events())) < 1_000)
    const status = await lab.mirrored()
    assert.isNull(status.queues.a.gap)
    assert.lengthOf([...writer.jobs.keys()], 3_000)
    await lab.add('a')
    assert.isNull((await lab.mirrored()).queues.a.gap)
  })
})
