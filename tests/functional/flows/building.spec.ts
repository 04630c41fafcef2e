import { test } from '@japa/runner'
import { batch, chain, Job, type AwaitedResult, type JobHandle, type JobOptions } from '#queuedeck'
import { uuidV7 } from '../../../src/jobs/uuid.ts'
import type { JobPlace } from '../../../src/transport/keys.ts'
import type { JobDetails } from '../../../src/types.ts'
import { waitFor } from '#tests/helpers/wait'
import { DashboardLab } from '../dashboard/lab.ts'
import { letGo, ran, Step } from './jobs.ts'

/** Gives back what it was told of the jobs before it. */
class End extends Job<undefined, AwaitedResult[]> {
  static options: JobOptions = { name: 'flows.end', queue: 'one' }
  async execute() {
    ran.push('end')
    return this.awaited()
  }
}

test.group('Flows | chains and batches', (group) => {
  let lab: DashboardLab

  group.setup(async () => {
    lab = await DashboardLab.open({ classes: [Step, End], shield: false })
    ;(await lab.app.container.make('queuedeck.flows.service')).start()
    await lab.work({ queues: ['one', 'two'], concurrency: 4 })
    return () => lab.close()
  })
  group.each.setup(() => void ran.splice(0))

  const reader = async () => (await lab.app.container.make('queuedeck.records')).reader
  const record = async ({ jobId }: JobHandle, status?: string): Promise<JobDetails> =>
    waitFor(`the record of ${jobId} to be ${status ?? 'over'}`, async () => {
      const found = await (await reader()).find(jobId)
      const isSo = status ? found?.status === status : found?.finishedAt
      return isSo ? found : false
    })
  const step = (name: string, rest: { fail?: boolean; hold?: boolean } = {}) =>
    Step.dispatch({ name, ...rest }).toQueue('one')

  test('a chain runs in its order, side by side where it says so', async ({ assert }) => {
    const flow = await chain([step('a'), [step('b'), step('c').toQueue('two')], step('d'), End])
    const [results] = (await flow.results({ timeout: '20s' })) as AwaitedResult[][]
    assert.deepEqual(
      results.map(({ type, status, result }) => ({ type, status, result })),
      [{ type: 'flows.step', status: 'completed', result: { from: 'd' } }]
    )
    assert.deepEqual(
      [ran[0], ...ran.slice(1, 3).sort(), ...ran.slice(3)],
      ['a', 'b', 'c', 'd', 'end']
    )
    assert.lengthOf(flow.jobs, 5)
  })

  for (const onFailure of ['cancel', 'run', 'skip'] as const) {
    test(`a batch with a child that fails, ${onFailure}`, async ({ assert }) => {
      const flow = await batch([step('ok'), step('boom', { fail: true }), step('ok too')]).then(
        End,
        { onFailure }
      )
      const [end] = flow.last
      const boom = flow.steps[0][1]
      const { status, error, result } = await record(end)
      if (onFailure === 'run') {
        assert.equal(status, 'completed')
        assert.containsSubset(JSON.parse(result!)[1], {
          jobId: boom.jobId,
          status: 'failed',
          error: { message: 'as told' },
        })
      } else {
        const code = onFailure === 'skip' ? 'SKIPPED' : 'AWAITED_FAILED'
        assert.deepEqual(
          { status, error },
          {
            status: 'cancelled',
            error: {
              code,
              message: `it waited for job ${boom.jobId} (flows.step), which failed`,
            },
          }
        )
      }
      assert.equal(ran.includes('end'), onFailure === 'run')
    })
  }

  test('results are read from records once Redis has let go of them', async ({ assert }) => {
    const first = await step('first')
    const failed = await step('failed', { fail: true })
    await Promise.all([record(first), record(failed)])
    const transport = await lab.app.container.make('queuedeck.transport')
    for (const { jobId } of [first, failed]) {
      await transport.connections.producer.del(transport.keys.job('one', jobId))
    }
    const end = await End.dispatch().waitFor([first, failed.jobId], { onFailure: 'run' })
    const results = (await end.result({ timeout: '20s' })) as AwaitedResult[]
    assert.deepEqual(
      results.map(({ jobId, status, result, error }) => [jobId, status, result, error?.message]),
      [
        [first.jobId, 'completed', { from: 'first' }, undefined],
        [failed.jobId, 'failed', null, 'as told'],
      ]
    )
  })

  test('over JSON a job waits for others, named by their ids', async ({ assert }) => {
    const first = await step('json', { hold: true })
    await record(first, 'running')
    const client = lab.client()
    const post = (awaited: unknown) =>
      client.post('/jobs', {
        type: 'flows.end',
        options: { waitFor: awaited },
      })
    const { status, json: made } = await post([{ jobId: first.jobId, onFailure: 'run' }])
    assert.equal(status, 201)
    assert.equal(made.job.status, 'blocked')
    letGo('json')
    await waitFor(
      'its end',
      async () => (await (await reader()).find(made.job.id))?.status === 'completed'
    )
    const refused = await post([uuidV7()])
    assert.equal(refused.status, 422)
    assert.equal(refused.json.errors[0].code, 'E_AWAITED_UNKNOWN')
  })

  test('what cannot be a flow is refused, and nothing is sent', async ({ assert }) => {
    const one = step('twice')
    assert.throws(() => chain([]), /at least one/)
    assert.throws(() => batch([]), /at least one job in each step/)
    assert.throws(() => batch([Promise.resolve() as never]), /not awaited/)
    assert.throws(() => batch([one]).then(End, { onFailure: 'stop' as never }), /cancel, run, skip/)
    await assert.rejects(async () => batch([one, one]), /takes each dispatch once/)
    await assert.rejects(() => one.run(), /takes each dispatch once/)
    await assert.rejects(
      async () => chain([step('ok'), Step.dispatch({ name: 1n as never })]),
      /cannot be written as JSON/
    )
    assert.deepEqual(ran, [])
  })

  test('nothing of a flow is sent where one of its jobs waits for one that nobody knows', async ({
    assert,
  }) => {
    const gone = await step('gone')
    await record(gone)
    const client = lab.client()
    const headers = { 'x-csrf-token': (await client.token())! }
    await client.ask('DELETE', `/jobs/${gone.jobId}`, { accept: 'application/json', headers })
    await waitFor('it to be gone', async () => !(await (await reader()).find(gone.jobId)))
    ran.splice(0)
    await assert.rejects(
      async () => batch([step('first'), step('waits').waitFor(gone), step('last')]).then(End),
      /would wait for job/
    )
    const counts = await (await lab.app.container.make('queuedeck.transport')).depths(['one'])
    assert.containsSubset(counts.one, { pending: 0, blocked: 0, running: 0 })
    assert.deepEqual(ran, [])
  })

  test('of a dispatch, those are sent that do not wait for one that went meanwhile', async ({
    assert,
  }) => {
    const [gone, kept] = [await step('gone'), await step('kept')]
    await Promise.all([record(gone), record(kept)])
    const transport = await lab.app.container.make('queuedeck.transport')
    for (const { jobId } of [gone, kept])
      await transport.connections.producer.del(transport.keys.job('one', jobId))
    const jobs = [gone, kept].map(({ jobId }) => ({
      ...{ queue: 'one', id: uuidV7(), name: 'flows.step', data: '{"name":"goes on"}' },
      opts: { timestamp: Date.now(), attempts: 1 },
      waitFor: [{ queue: 'one', id: jobId, onFailure: 'run' as const }],
    }))
    const recorded = async (places: JobPlace[]) =>
      new Map(places.filter(({ id }) => id === kept.jobId).map((place) => [place, 'c'] as const))
    const looked = transport.flows.awaitedElsewhere
    transport.flows.awaitedElsewhere = async () => undefined
    try {
      await assert.rejects(() => transport.add(jobs, recorded), /would wait for job/)
    } finally {
      transport.flows.awaitedElsewhere = looked
    }
    await record({ jobId: jobs[1].id } as JobHandle, 'completed')
    assert.isNull(await (await reader()).find(jobs[0].id))
  })

  test('a job whose unique key another one has is awaited as that one, also far down a long list', async ({
    assert,
  }) => {
    const many = Array.from({ length: 250 }, () => step('m'))
    const flow = await batch([...many, step('u').unique('u'), step('u').unique('u')]).then(End)
    const [first, second] = flow.steps[0].slice(-2)
    assert.equal(second.jobId, first.jobId)
    const { status, result } = await record(flow.last[0])
    assert.equal(status, 'completed')
    assert.deepEqual(
      JSON.parse(result!).map(({ jobId }: AwaitedResult) => jobId),
      flow.steps[0].map(({ jobId }) => jobId)
    )
  })

  test('a flow with a job whose unique key is held is sent while the database is away', async ({
    assert,
  }) => {
    const transport = await lab.app.container.make('queuedeck.transport')
    const { awaited } = (await lab.app.container.make('queuedeck')) as any as {
      awaited: { outcomes: () => Promise<never> }
    }
    const { outcomes } = awaited
    awaited.outcomes = () => Promise.reject(new Error('the database is away'))
    try {
      const held = await step('held', { hold: true }).unique('held')
      const { last, steps } = await batch([step('a'), step('b').unique('held')]).then(End)
      assert.equal(steps[0][1].jobId, held.jobId)
      letGo('held')
      await record(last[0], 'completed')
      assert.equal(await transport.state('one', last[0].jobId), 'completed')
    } finally {
      awaited.outcomes = outcomes
    }
  })

  test('a job that runs again is told of as many jobs as before, also of those that Redis has forgotten', async ({
    assert,
  }) => {
    const flow = await batch(Array.from({ length: 250 }, () => step('m'))).then(End)
    const [end] = flow.last
    const { result } = await record(end)
    const transport = await lab.app.container.make('queuedeck.transport')
    const [forgotten] = flow.jobs
    await record(forgotten)
    await transport.connections.worker.del(transport.keys.job('one', forgotten.jobId))
    const { json } = await lab.client().post(`/jobs/${end.jobId}/run-again`)
    const again = await record({ jobId: json.job.id } as JobHandle)
    assert.equal(again.status, 'completed')
    assert.deepEqual(JSON.parse(again.result!), JSON.parse(result!))
  })

  test('a job that runs again is told of a long list in the order in which it was named', async ({
    assert,
  }) => {
    const options = { queue: 'one' }
    const steps = Array.from({ length: 201 }, () => ({
      type: Step,
      payload: { name: 'm' },
      options,
    }))
    const queue = await lab.app.container.make('queuedeck')
    const named = (await queue.dispatchMany(steps)).map(({ jobId }) => jobId).reverse()
    const end = await End.dispatch().waitFor(named)
    await record(end)
    const { json } = await lab.client().post(`/jobs/${end.jobId}/run-again`)
    const { result } = await record({ jobId: json.job.id } as JobHandle)
    assert.deepEqual(
      JSON.parse(result!).map(({ jobId }: AwaitedResult) => jobId),
      named
    )
  })

  test('the fake records whole flows', async ({ assert }) => {
    const queue = await lab.app.container.make('queuedeck')
    const fake = queue.fake()
    try {
      const flow = await queue.batch([step('a'), step('b')]).then(End)
      fake.assertDispatchedCount(3)
      fake.assertDispatched(
        End,
        ({ options }) =>
          options.waitFor!.map(({ jobId }) => jobId).join() ===
          flow.steps[0].map(({ jobId }) => jobId).join()
      )
      await assert.rejects(
        () =>
          queue.dispatchMany([
            { type: End, options: { jobId: flow.last[0].jobId, waitFor: flow.last[0].jobId } },
          ]),
        /itself/
      )
    } finally {
      fake.restore()
    }
  })
})
