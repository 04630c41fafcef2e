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

  test('lets a job go on at its checkpoint after its worker was killed, frozen and stopped', async ({
    assert,
  }) => {
    const pages = () => lab.redis.lrange(`${lab.prefix}~pages`, 0, -1)
    const first = await startProcess(lab, { worker })
    const id = await add(lab, 'reader', { pages: 100, every: 20 })
    const reached = (attempt: number, page: number) =>
      waitFor(`page ${page}`, async () =>
        (await pages()).some((line) => {
          const [, by, at] = line.split(' ').map(Number)
          return by === attempt && at >= page
        })
      )
    await reached(1, 10)
    await first.stop('SIGKILL')

    const second = await startProcess(lab, { worker })
    await reached(2, 25)
    second.child.kill('SIGSTOP')
    const third = await startProcess(lab, { worker: { ...worker, grace: '100ms' } })
    await reached(3, 35)
    /** It writes one more page, whose checkpoint is refused. */
    second.child.kill('SIGCONT')
    await third.stop('SIGTERM')

    const fourth = await startProcess(lab, { worker })
    const job = await lab.ended(id, 'default', 30_000)
    assert.deepEqual([job.state, job.ats], ['completed', '4'])
    assert.isAbove(JSON.parse(job.returnvalue).from, 30)
    const lines = (await pages()).map((line) => line.split(' ').slice(1).map(Number))
    const done = [1, 2, 3, 4].map((attempt) =>
      lines.filter(([by]) => by === attempt).map(([, page]) => page)
    )
    for (const [index, list] of done.entries()) {
      const from = index === 0 ? 0 : Math.max(...done[index - 1].filter((page) => page < list[0]))
      /** At the page after the last checkpoint; what was done and not yet kept is done again. */
      assert.equal(list[0], from + 1)
    }
    assert.deepEqual([...new Set(lines.map(([, page]) => page))].length, 100)
    assert.isBelow(lines.length, 106)
    await Promise.all([second.stop(), fourth.stop()])
  }).timeout(60_000)

  test('fails the attempt whose code threw where nobody could catch it, or ended the process, and ends when the others have', async ({
    assert,
  }) => {
    const said = {
      timer: /^\[UNCAUGHT_ERROR\] .*gone wrong in a timer/,
      promise: /^\[UNCAUGHT_ERROR\] .*gone wrong in a promise/,
      exit: /^\[EXIT_CALLED\] Its code called process\.exit\(0\)/,
    }
    for (const [how, reason] of Object.entries(said)) {
      const only = await startProcess(lab, { worker, settings: { concurrency: 2 } })
      const other = await add(lab, 'short', { ms: 500 })
      await waitFor('it to run', async () => (await starts(lab)).includes(`${other} 1`))
      const careless = await add(lab, 'careless', { how }, { attempts: 1 })
      const waiting = await add(lab, 'short', { ms: 60_000 })

      assert.equal((await only.exited).code, 1, only.output())
      const job = await lab.ended(careless)
      assert.match(job.failedReason, reason)
      assert.match(job.stacktrace, /worker_process/)
      assert.deepInclude(await lab.ended(other), { state: 'completed', ats: '1' })
      assert.equal(await lab.transport.state('default', waiting), 'waiting', how)
      await lab.transport.cancel('default', waiting, { by: 'ann', reason: 'seen' })
    }
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
