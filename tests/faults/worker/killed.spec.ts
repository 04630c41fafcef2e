import { test } from '@japa/runner'
import { redisServer } from '#tests/helpers/servers'
import { waitFor } from '#tests/helpers/wait'
import { WorkerLab } from '../../functional/worker/lab.ts'
import { add, starts, startProcess } from './processes.ts'

/** A short lease, so that the tests need not wait long for it to run out. */
const worker = { lease: '1s', grace: '10s' }

test.group('Workers that are killed or stopped', (group) => {
  let lab: WorkerLab
  group.each.setup(async () => {
    const { url } = await redisServer()
    lab = new WorkerLab(url)
    return () => lab.close()
  })

  test('loses no job of a worker that is killed, and runs each again once', async ({ assert }) => {
    const first = await startProcess(lab, { worker })
    const ids = await Promise.all(
      Array.from({ length: 20 }, () => add(lab, 'short', { ms: 1_500 }))
    )
    await waitFor('ten jobs to run', async () => (await starts(lab)).length === 10)
    await first.stop('SIGKILL')
    const second = await startProcess(lab, { worker })
    for (const id of ids) assert.equal((await lab.ended(id, 'default', 30_000)).state, 'completed')
    const ran = await starts(lab)
    assert.lengthOf(ran, 30)
    assert.lengthOf(
      ran.filter((start) => start.endsWith(' 2')),
      10
    )
    assert.equal((await second.stop()).code, 0)
  })

  test('fails a job whose workers are lost too often', async ({ assert }) => {
    const once = { ...worker, maxLosses: 0 }
    const first = await startProcess(lab, { worker: once })
    const id = await add(lab, 'short', { ms: 20_000 })
    await lab.running(id)
    await first.stop('SIGKILL')
    const second = await startProcess(lab, { worker: once })
    const job = await lab.ended(id, 'default', 20_000)
    assert.match(job.failedReason, /^\[WORKER_LOST\] /)
    await second.stop()
  })

  test('drops what a worker writes that was frozen longer than its lease', async ({ assert }) => {
    const first = await startProcess(lab, { worker })
    const id = await add(lab, 'short', { ms: 1_500 })
    await waitFor('the first start', async () => (await starts(lab)).length === 1)
    first.child.kill('SIGSTOP')
    const second = await startProcess(lab, { worker })
    await waitFor('the second start', async () => (await starts(lab)).length === 2)
    first.child.kill('SIGCONT')
    const job = await lab.ended(id)
    assert.deepEqual([job.state, job.ats], ['completed', '2'])
    const endings = (await lab.entries(id)).filter((event) => event === 'completed')
    assert.lengthOf(endings, 1)
    await first.stop()
    await second.stop()
    assert.notInclude(first.output(), 'unhandled')
  })

  test('accepts what a job dispatches while its worker drains', async ({ assert }) => {
    const only = await startProcess(lab, { worker, settings: { concurrency: 1 } })
    const parent = await add(lab, 'spawner', { children: 20, every: 100 })
    const children = async () => (await lab.transport.depths(['default'])).default.pending
    await waitFor('some children', async () => (await children()) >= 3)
    const before = performance.now()
    const { code } = await only.stop()
    assert.equal(code, 0)
    assert.isBelow(performance.now() - before, 15_000)
    assert.equal(await lab.transport.state('default', parent), 'completed')
    assert.equal(await children(), 20)
    assert.lengthOf(await starts(lab), 0)
  })

  test('hands jobs back at a second signal', async ({ assert }) => {
    const only = await startProcess(lab, { worker })
    const id = await add(lab, 'short', { ms: 30_000, deaf: true })
    await lab.running(id)
    only.child.kill('SIGTERM')
    only.child.kill('SIGINT')
    const { code } = await only.exited
    assert.equal(code, 0)
    assert.equal(await lab.transport.state('default', id), 'waiting')
  })
})
