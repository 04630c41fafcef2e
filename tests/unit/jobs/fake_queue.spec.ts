import { test } from '@japa/runner'
import { useManager } from '../../../src/jobs/current_manager.ts'
import { Checked, Plain, setup } from './dispatching.ts'

test.group('Fake queue', (group) => {
  group.each.teardown(() => useManager(undefined))

  test('records dispatches and asserts on them', async ({ assert }) => {
    const { manager, jobs } = setup()
    const fake = manager.fake()
    fake.assertNothingDispatched()
    await Plain.dispatch({ n: 1 }).toQueue('a').in('5m')
    await Plain.dispatch({ n: 2 })
    await Checked.dispatchMany([{ id: 3 }])

    fake.assertDispatched(Plain)
    fake.assertDispatched(Plain, 2)
    fake.assertDispatched(
      Plain,
      ({ payload, queue, options }) => payload.n === 1 && queue === 'a' && options.delay === 300_000
    )
    fake.assertDispatched('tests.checked')
    fake.assertNotDispatched(Plain, ({ payload }) => payload.n === 3)
    fake.assertDispatchedCount(3)
    assert.throws(
      () => fake.assertDispatched(Plain, 1),
      'Expected "plain" to be dispatched once, but it was 2 times'
    )
    assert.throws(() => fake.assertDispatched(Plain, () => false), /none of its 2 dispatches does/)
    assert.throws(() => fake.assertDispatched('other'), /Dispatched: plain, tests\.checked/)
    assert.throws(() => fake.assertNotDispatched(Checked), /not to be dispatched, but it was once/)
    assert.throws(() => fake.assertNothingDispatched(), /plain, tests\.checked/)
    assert.throws(() => fake.assertDispatchedCount(1), /but there were 3/)
    assert.lengthOf(jobs(), 0)

    fake.restore()
    await Plain.dispatch({ n: 4 })
    assert.lengthOf(jobs(), 1)
    assert.lengthOf(fake.dispatches(), 3)
  })

  test('the result of a job that never runs is refused at once', async ({ assert }) => {
    const { manager } = setup()
    manager.fake()
    const handle = await Plain.dispatch({ n: 1 })
    await assert.rejects(() => handle.result(), `No job "${handle.jobId}" is known`)
    const flow = await manager.batch([Plain.dispatch({ n: 1 })]).then(Plain.dispatch({ n: 2 }))
    await assert.rejects(() => flow.results({ timeout: '1h' }), /No job ".*" is known/)
  })

  test('a step that came to no job leaves the order of the others', async ({ assert }) => {
    const { manager } = setup()
    const fake = manager.fake()
    const { steps } = await manager.chain([
      Plain.dispatch({ n: 1 }),
      Plain.dispatchMany([]),
      Plain.dispatch({ n: 2 }),
    ])
    const waits = fake.dispatches().map(({ options }) => options.waitFor?.map((one) => one.jobId))
    assert.deepEqual(waits, [undefined, [steps[0][0].jobId]])
  })

  test('refuses what stands beside the options, and what a wait does not know', async ({
    assert,
  }) => {
    const { manager, jobs } = setup()
    await assert.rejects(
      () => manager.dispatchMany([{ type: Plain, delay: '5m' } as object as { type: string }]),
      /Option "dispatch\.delay" is not known; known: type, payload, options/
    )
    assert.lengthOf(jobs(), 0)
    const handle = await Plain.dispatch()
    assert.throws(
      () => handle.result({ timeOut: '5s' } as object),
      /"result\.timeOut" is not known/
    )
    assert.throws(() => Plain.dispatch().unique('a', 60_000 as never), /"unique" must be an object/)
    for (const wrong of ['5s', 5_000, null]) {
      assert.throws(() => handle.result(wrong as never), /"result" must be an object of timeout/)
    }
  })

  test('refuses options of a step that nobody knows', ({ assert }) => {
    const { manager } = setup()
    const wrong = { onfailure: 'run' } as object
    assert.throws(() => manager.batch([Plain]).then(Plain, wrong), /"waitFor\.onfailure"/)
    assert.throws(() => manager.chain([Plain, Plain], wrong), /"waitFor\.onfailure"/)
  })

  test('refuses what a real dispatch refuses', async ({ assert }) => {
    const { manager } = setup()
    const fake = manager.fake()
    await assert.rejects(async () => void (await Checked.dispatch({ id: 'x' } as never)))
    await assert.rejects(async () => void (await Plain.dispatch({ n: 1n })))
    await assert.rejects(async () => void (await Plain.dispatch().at(new Date('2040-01-01'))))
    fake.assertNothingDispatched()
    manager.restore()
  })
})
