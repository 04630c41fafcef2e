import { setTimeout as pause } from 'node:timers/promises'
import { test } from '@japa/runner'
import { identify, lives } from '../../../bin/start/process_identity.ts'
import { isListening, waitFor } from '#tests/helpers/wait'
import { StartLab } from './start_lab.ts'

/** One folder, started, killed and started again: what one test leaves running or behind, the next begins with. */
test.group('npm start', (group) => {
  let lab: StartLab
  /** Jobs sent beside those of the first start. */
  let added = 0
  /** Those that sleep longer than any test waits: cancelled in the end. */
  const asleep: string[] = []
  group.setup(async () => {
    lab = await StartLab.create()
    return () => lab.end()
  })

  const sleep = (ms: number) => {
    added++
    return lab.sleep(ms)
  }
  const sleepLong = async () => {
    const job = await sleep(600_000)
    asleep.push(job)
    await waitFor('the job to run', () => lab.status(job) === 'running', { within: 60_000 })
  }

  test('brings pages and documents, once from a folder', async ({ assert }) => {
    const start = await lab.whole()
    const { address, processes } = lab.running!
    assert.equal(address, `http://127.0.0.1:${lab.port}/admin/queue`)
    assert.include(start.output(), address)
    assert.equal((await fetch(address)).status, 200)
    assert.sameMembers(
      processes.map(({ name }) => name),
      ['web server', 'worker', 'redis']
    )

    const second = lab.start({ PORT: String(lab.port + 1) })
    assert.equal((await second.exited).code, 1)
    assert.equal(
      second.stderr().trim(),
      `Queuedeck runs from this folder already: ${address}. Stop it first, or set QUEUEDECK_FOLDER and PORT for a second one.`
    )
    assert.isTrue(processes.every(lives))
  })

  test('starts a worker again that was killed', async ({ assert }) => {
    const start = await lab.whole()
    const worker = () => lab.running!.processes.find(({ name }) => name === 'worker')!
    const first = worker()
    process.kill(first.pid, 'SIGKILL')
    await waitFor('another worker', () => worker().pid !== first.pid && identify(worker().pid))
    const job = await sleep(1)
    await waitFor('it to work', () => lab.status(job) === 'completed', { within: 60_000 })
    assert.include(start.output(), 'The worker ended by itself (SIGKILL): starting it again')
  })

  test('stops in order, waits for running jobs unless it is told twice, and goes on', async ({
    assert,
  }) => {
    const start = await lab.whole()
    const { processes, redis } = lab.running!
    const job = await sleep(600_000)
    await waitFor('the job to run', () => lab.status(job) === 'running', { within: 60_000 })

    // As a terminal and npm send it: one Ctrl-C.
    start.child.kill('SIGINT')
    start.child.kill('SIGINT')
    await waitFor('it to stop', () => start.output().includes('Stopping'))
    await pause(700)
    assert.notInclude(start.output(), 'Not waiting')
    start.child.kill('SIGINT')
    const told = performance.now()
    assert.equal((await start.exited).code, 0)
    // Less than the grace period, for which it would wait otherwise.
    assert.isBelow(performance.now() - told, 25_000)
    assert.include(start.output(), 'Not waiting for running jobs')
    assert.isFalse(processes.some(lives))
    assert.isNull(lab.running)
    assert.isFalse(await isListening(redis.port))
    assert.oneOf(lab.status(job), ['running', 'pending', 'scheduled'])

    const before = lab.history()
    assert.isAbove(before.size, 100)
    await lab.startWhole()
    const after = lab.history()
    for (const [id, row] of before) assert.equal(after.get(id), row)
    await waitFor('the job to run again', () => lab.status(job) === 'running', { within: 60_000 })
    await lab.cancel(job)
    await waitFor('it to be cancelled', () => lab.status(job) === 'cancelled', { within: 60_000 })
  })

  test('leaves nothing behind when it is killed', async ({ assert }) => {
    const killed = await lab.whole()
    const { processes, redis } = lab.running!
    await sleepLong()
    killed.child.kill('SIGKILL')
    await waitFor('the children to end', () => !processes.some(lives), { within: 60_000 })
    assert.isFalse(await isListening(redis.port))
  })

  test('clears up after everything was killed but Redis, at once', async ({ assert }) => {
    const killed = await lab.whole()
    const { processes } = lab.running!
    await sleepLong()
    killed.child.kill('SIGSTOP')
    for (const { name, pid } of processes) if (name !== 'redis') process.kill(pid, 'SIGSTOP')
    killed.child.kill('SIGKILL')
    for (const { name, pid } of processes) if (name !== 'redis') process.kill(pid, 'SIGKILL')
    await killed.exited

    await lab.startWhole()
    assert.isFalse(processes.some(lives))
  })

  test('has lost no job by all of this, and sent its own once', async ({ assert }) => {
    const start = await lab.whole()
    const [, sent, documents] = /sent (\d+) jobs: (\d+) documents/.exec(lab.firstOutput)!
    assert.isAtLeast(Number(sent), 200)
    assert.isAtLeast(Number(documents), 80)
    for (const job of asleep) await lab.cancel(job)
    const { total } = await lab.allEnded()
    assert.equal(total, Number(sent) + added)
    const { processes } = lab.running!
    assert.equal((await start.stop('SIGTERM', 60_000)).code, 0)
    assert.isFalse(processes.some(lives))
    assert.isNull(lab.running)
  })
})
