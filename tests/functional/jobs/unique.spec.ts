import { test } from '@japa/runner'
import { Queue } from 'bullmq'
import { Job, type DispatchOptions, type JobOptions } from '#queuedeck'
import { Connections } from '../../../src/transport/connections.ts'
import { Transport } from '../../../src/transport/transport.ts'
import { waitFor } from '#tests/helpers/wait'
import { Echo, Fail } from '../dashboard/jobs.ts'
import { DashboardLab } from '../dashboard/lab.ts'

/** Runs until it is let go, whatever its signal says, and reports then. */
class Deaf extends Job<unknown, string> {
  static options: JobOptions = { name: 'tests.deaf', queue: 'tests' }
  static letGo: (() => void)[] = []
  static thrown: unknown[] = []

  async execute() {
    await new Promise<void>((resolve) => Deaf.letGo.push(resolve))
    try {
      await this.progress(50)
      this.log.info('still here')
    } catch (error) {
      Deaf.thrown.push(error)
    }
    return 'done'
  }
}

const HOLD: DispatchOptions = { queue: 'idle' }

test.group('Unique jobs', (group) => {
  let lab: DashboardLab
  let transport: Transport

  group.setup(async () => {
    lab = await DashboardLab.open({ classes: [Echo, Fail, Deaf], shield: false })
    transport = await lab.app.container.make('queuedeck.transport')
    await lab.work({ queues: ['tests'] })
    return async () => {
      Deaf.letGo.forEach((letGo) => letGo())
      await lab.close()
    }
  })

  const dispatch = async (
    key: string | number,
    until?: 'started' | 'finished' | string,
    options: DispatchOptions = HOLD,
    type = 'tests.echo'
  ) => {
    const queue = await lab.app.container.make('queuedeck')
    return queue.dispatch(type, { message: 'x' }, options).unique(key, until ? { until } : {})
  }
  const held = () => transport.connections.producer.hlen(transport.keys.unique)
  const cancel = (id: string) => lab.client().post(`/jobs/${id}/cancel`)

  test('one job of a type has a key at a time; a dispatch meanwhile gives that job', async ({
    assert,
  }) => {
    const first = await dispatch('a')
    const second = await dispatch('a', 'finished', { queue: 'another', delay: '1h', priority: 3 })
    assert.deepEqual([first.duplicate, second.duplicate], [false, true])
    assert.deepEqual([second.jobId, second.queue, second.type], [first.jobId, 'idle', 'tests.echo'])
    assert.isFalse((await dispatch('b')).duplicate)
    assert.isFalse((await dispatch('a', 'finished', HOLD, 'tests.fail')).duplicate)
    assert.equal((await transport.depths(['another'])).another.scheduled, 0)
    await cancel(first.jobId)
    const third = await dispatch('a', 'finished', { queue: 'tests' })
    assert.isFalse(third.duplicate)
    assert.deepEqual(await third.result({ timeout: '5s' }), { message: 'x' })
    const { producer } = transport.connections
    assert.equal(await producer.hexists(transport.keys.unique, 'tests.echo\na'), 0)
    assert.isFalse((await dispatch('a', 'finished', { queue: 'tests' })).duplicate)
  })

  test('a key is free again however its job ended or went', async ({ assert }) => {
    const { producer } = transport.connections
    const bull = new Queue(
      'idle',
      { connection: producer as never, prefix: transport.keys.prefix },
      transport.backendFactory as never
    )
    const ends: Record<string, (id: string) => Promise<unknown>> = {
      'cancelled': cancel,
      'removed': async (id) => (await bull.getJob(id))!.remove(),
      'drained': () =>
        transport.queueControl.drain('idle', { by: 'Ada', reason: 'r', scheduled: false }),
      'drained by another tool': () => bull.drain(true),
      'obliterated': async () => {
        await bull.obliterate({ force: true })
        await bull.resume()
      },
      'lost by Redis': (id) => producer.del(transport.keys.job('idle', id)),
    }
    for (const [name, end] of Object.entries(ends)) {
      const { jobId, duplicate } = await dispatch('ends')
      assert.isFalse(duplicate, name)
      assert.isTrue((await dispatch('ends')).duplicate, name)
      await end(jobId)
    }
    const failed = await dispatch('ends', 'finished', { queue: 'tests' }, 'tests.fail')
    await lab.record(failed.jobId, 'failed')
    assert.isFalse((await dispatch('ends', 'finished', HOLD, 'tests.fail')).duplicate)
    await bull.close()
  })

  test('held until the code of a cancelled job has returned; nothing is left of a deleted one', async ({
    assert,
  }) => {
    const { jobId } = await dispatch('u1', 'finished', { queue: 'tests' }, 'tests.deaf')
    await waitFor('it to run', () => Deaf.letGo.length === 1)
    assert.equal((await cancel(jobId)).json.outcome, 'requested')
    assert.isTrue((await dispatch('u1', 'finished', { queue: 'tests' }, 'tests.deaf')).duplicate)
    const early = await lab.client().ask('DELETE', `/jobs/${jobId}`, { accept: 'application/json' })
    assert.equal(early.json.outcome, 'refused')
    assert.match(early.json.reason, /has not returned/)
    Deaf.letGo.pop()!()
    await lab.record(jobId, 'cancelled')
    const deleted = await lab
      .client()
      .ask('DELETE', `/jobs/${jobId}`, { accept: 'application/json' })
    assert.equal(deleted.json.outcome, 'done')
    const next = await dispatch('u1', 'finished', { queue: 'tests' }, 'tests.deaf')
    assert.isFalse(next.duplicate)

    /** Another tool removes it under its running code, which then reports. */
    await waitFor('the next to run', () => Deaf.letGo.length === 1)
    const { producer } = transport.connections
    await producer.del(
      transport.keys.job('tests', next.jobId),
      transport.keys.lock('tests', next.jobId)
    )
    Deaf.letGo.pop()!()
    await waitFor('its worker to let go', async () => {
      const report = await producer.lpos(`${transport.keys.queue('tests')}active`, next.jobId)
      if (report !== null) await transport.audit.sweepOrphans('tests', 1_000, false, producer)
      return report === null
    })
    assert.deepEqual(await producer.keys(`*${jobId}*`), [])
    assert.deepEqual(await producer.keys(`*${next.jobId}*`), [])
    assert.deepEqual(Deaf.thrown, [])
    const last = await dispatch('u1', 'finished', HOLD, 'tests.deaf')
    assert.isFalse(last.duplicate)
    await cancel(last.jobId)
  })

  test('until it has started: the next waits while it runs', async ({ assert }) => {
    const first = await dispatch('s', 'started', { queue: 'tests' }, 'tests.deaf')
    await waitFor('it to run', () => Deaf.letGo.length === 1)
    const second = await dispatch('s', 'started', HOLD, 'tests.deaf')
    assert.isFalse(second.duplicate)
    assert.equal((await dispatch('s', 'started', HOLD, 'tests.deaf')).jobId, second.jobId)
    Deaf.letGo.pop()!()
    await lab.record(first.jobId, 'completed')
    assert.isTrue((await dispatch('s', 'started', HOLD, 'tests.deaf')).duplicate)
    await cancel(second.jobId)
  })

  test('for a time, whatever becomes of the job', async ({ assert }) => {
    const first = await dispatch('t', '2h', { queue: 'tests' })
    await lab.record(first.jobId, 'completed')
    const second = await dispatch('t', '2h', { queue: 'tests' })
    assert.deepEqual([second.duplicate, second.jobId], [true, first.jobId])
    const { producer } = transport.connections
    const [key] = await producer.keys(`${transport.keys.prefix}~unique:*\nt`)
    const left = await producer.pttl(key)
    assert.isTrue(left > 3_600_000 && left <= 7_200_000, String(left))
    /** Two hours later. */
    await producer.pexpire(key, 1)
    await waitFor('it to run out', async () => (await producer.exists(key)) === 0)
    assert.isFalse((await dispatch('t', '2h', { queue: 'tests' })).duplicate)
  })

  test('of many dispatches at once over many connections one is accepted', async ({ assert }) => {
    const { ioConnection } = (await lab.app.container.make('redis')).connection() as never as {
      ioConnection: never
    }
    const others = [false, true].map((withoutFunctions) => {
      const connections = new Connections(() => ({ ioConnection }) as never)
      return {
        connections,
        transport: new Transport(connections, { prefix: transport.keys.prefix, withoutFunctions }),
      }
    })
    for (const until of ['finished', 'started', 60_000] as const) {
      const jobs = Array.from({ length: 60 }, (_, at) => ({
        queue: 'idle',
        id: `${until}-${at}`,
        name: 'crowd',
        data: '{}',
        opts: {
          timestamp: Date.now(),
          ...(at % 3 ? { priority: at } : {}),
          ...(at % 5 ? {} : { delay: 60_000 }),
          qd: { unique: { key: 'k', until } },
        },
      }))
      const answers = await Promise.all([
        ...jobs.slice(0, 40).map((job, at) => others[at % 2].transport.add([job])),
        others[0].transport.add(jobs.slice(40, 50)),
        transport.add(jobs.slice(50)),
      ])
      const refused = answers.flatMap((duplicates) => [...(duplicates ?? [])])
      assert.lengthOf(refused, 59, String(until))
      assert.lengthOf([...new Set(refused.map(([, { id }]) => id))], 1)
      const [, holder] = refused[0]
      assert.notInclude(
        refused.map(([id]) => id),
        holder.id
      )
      assert.equal(holder.queue, 'idle')
      await transport.cancel('idle', holder.id, { by: 'Ada', reason: 'r' })
      await transport.connections.producer.del(`${transport.keys.unique}:crowd\nk`)
    }
    await Promise.all(others.map(({ connections }) => connections.closeAll()))
  })

  test('a restart takes the key again, or is refused naming the job that has it', async ({
    assert,
  }) => {
    const first = await dispatch('r')
    await cancel(first.jobId)
    await lab.record(first.jobId, 'cancelled')
    const second = await dispatch('r')
    const refused = (await lab.client().post(`/jobs/${first.jobId}/restart`)).json
    assert.equal(refused.outcome, 'refused')
    assert.include(refused.reason, second.jobId)
    /** Also when Redis has only the record left. */
    const { producer } = transport.connections
    await producer.del(transport.keys.job('idle', first.jobId))
    await producer.zrem(`${transport.keys.queue('idle')}failed`, first.jobId)
    assert.include(
      (await lab.client().post(`/jobs/${first.jobId}/restart`)).json.reason,
      second.jobId
    )
    await cancel(second.jobId)
    assert.equal((await lab.client().post(`/jobs/${first.jobId}/restart`)).json.outcome, 'done')
    assert.equal((await dispatch('r')).jobId, first.jobId)
    await cancel(first.jobId)
  })

  test('keys may be anything that can be shown; all else is refused', async ({ assert }) => {
    const before = await held()
    for (const key of ['ü/:*{}[]"\\ 😀', '__proto__', 7, 'x'.repeat(200)]) {
      const first = await dispatch(key)
      assert.equal((await dispatch(key)).jobId, first.jobId, String(key))
      const { json } = await lab.client().json(`/jobs/${(await lab.record(first.jobId)).id}`)
      assert.deepEqual(json.unique, { key: String(key), until: 'finished' })
      await cancel(first.jobId)
    }
    for (const key of ['', 'a\nb', 'x'.repeat(201), null, {}, '\ud800']) {
      await assert.rejects(() => dispatch(key as string), /unique\.key/)
    }
    for (const until of ['later', '0s', '-1s'])
      await assert.rejects(() => dispatch('x', until), /unique\.until|duration/)
    assert.equal(await held(), before)
  })

  test('programs are told whose key it is, and pages show it', async ({ assert }) => {
    const request = {
      type: 'tests.echo',
      payload: {},
      options: { queue: 'idle', unique: { key: '<b>k</b>', until: '5m' } },
    }
    const made = await lab.client().post('/jobs', request)
    assert.deepEqual([made.status, made.json.duplicate], [201, false])
    const again = await lab.client().post('/jobs', request)
    assert.deepEqual(
      [again.status, again.json.duplicate, again.json.job.id],
      [200, true, made.json.job.id]
    )
    const page = await lab.client().page(`/jobs/${made.json.job.id}`)
    assert.include(page.text, '&lt;b&gt;k&lt;/b&gt;, for 5 min from its dispatch')
    const unknown = { ...request, options: { unique: { key: 'k', scope: 'all' } } }
    assert.equal((await lab.client().post('/jobs', unknown)).status, 422)
  })

  test('`dedup` of the official package is the same', async ({ assert }) => {
    const queue = await lab.app.container.make('queuedeck')
    const first = await queue.dispatch('tests.echo', {}, HOLD).dedup({ id: 'o-1' })
    assert.equal((await dispatch('o-1')).jobId, first.jobId)
    assert.throws(
      () => queue.dispatch('tests.echo', {}).dedup({ id: 'o', replace: true } as never),
      /dedup\.replace/
    )
    await cancel(first.jobId)
    const many = await queue.dispatchMany(
      ['m1', 'm1', 'm2'].map((key) => ({
        type: 'tests.echo',
        payload: {},
        options: { ...HOLD, unique: { key } },
      }))
    )
    assert.deepEqual(
      many.map(({ duplicate }) => duplicate),
      [false, true, false]
    )
    assert.equal(many[1].jobId, many[0].jobId)
    await assert.rejects(
      () => Echo.dispatchMany([{}, {}]).unique('k').run(),
      /can be of one job only/
    )
    for (const { jobId } of [many[0], many[2]]) await cancel(jobId)
  })

  test('a cleanup forgets keys whose jobs are gone, and no other', async ({ assert }) => {
    await transport.connections.producer.del(transport.keys.unique)
    const gone = await dispatch('gone')
    const alive = await dispatch('alive')
    await transport.connections.producer.del(transport.keys.job('idle', gone.jobId))
    const { producer } = transport.connections
    assert.equal(await transport.audit.sweepUnique(true, producer), 1)
    assert.equal(await held(), 2)
    const cleanup = await lab.app.container.make('queuedeck.cleanup')
    const { counts } = await cleanup.run({ trigger: 'command', actor: 'Ada' })
    assert.isAtLeast(counts.orphans, 1)
    assert.deepEqual(await producer.hkeys(transport.keys.unique), ['tests.echo\nalive'])
    assert.equal((await dispatch('alive')).jobId, alive.jobId)
  })
})
