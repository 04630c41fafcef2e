import { equal } from 'node:assert/strict'
import { test } from '@japa/runner'
import { redisServer } from '#tests/helpers/servers'
import { waitFor } from '#tests/helpers/wait'
import type { WorkerView } from '../../../src/types.ts'
import { WorkerLab } from '../../functional/worker/lab.ts'
import { add, startProcess, starts } from './processes.ts'

/** A lab's worker's id, once it has reported itself. */
const idIn = (lab: WorkerLab, { pid }: { pid: number }) =>
  waitFor('the worker to report', async () => {
    const workers = await lab.transport.workers.list()
    return workers.find(({ report }) => report?.pid === pid)?.id
  })

const reportsIn = (lab: WorkerLab, id: string, state: WorkerView['state'], within = 5_000) =>
  waitFor(
    `the worker to report that it is ${state}`,
    async () => {
      const workers = await lab.transport.workers.list()
      return workers.find((worker) => worker.id === id)?.report?.state === state
    },
    { within }
  )

/** Workers that no message reaches learn from their reports, some seconds apart, what they were asked. */
async function obeyReports(): Promise<void> {
  const lab = new WorkerLab((await redisServer()).url)
  try {
    const [active, quiet] = await Promise.all([
      startProcess(lab),
      startProcess(lab, { settings: { queues: ['other'] } }),
    ])
    const [activeId, quietId] = await Promise.all([idIn(lab, active), idIn(lab, quiet)])
    await lab.transport.workers.ask(quietId, 'quiet')
    await reportsIn(lab, quietId, 'quiet')
    const job = await add(lab, 'short', { ms: 5 }, {}, 'other')

    await lab.redis.set(lab.transport.keys.wish(activeId), 'quiet')
    await lab.redis.set(lab.transport.keys.wish(quietId), 'resume')
    equal((await lab.ended(job, 'other', 15_000)).state, 'completed')
    await reportsIn(lab, activeId, 'quiet', 15_000)
    for (const worker of [active, quiet]) equal((await worker.stop()).code, 0)
  } finally {
    await lab.close()
  }
}

test.group('Workers asked from elsewhere', (group) => {
  let lab: WorkerLab
  let obeyed: Promise<void>

  /** It mostly waits: beside the other tests. */
  group.setup(() => {
    obeyed = obeyReports()
    obeyed.catch(() => {})
  })

  group.each.setup(async () => {
    const { url } = await redisServer()
    lab = new WorkerLab(url)
    return () => lab.close()
  })

  const idOf = (worker: { pid: number }) => idIn(lab, worker)
  const reports = (id: string, state: WorkerView['state']) => reportsIn(lab, id, state)

  const addMany = (count: number, ms: number) =>
    Promise.all(Array.from({ length: count }, () => add(lab, 'short', { ms })))

  /** Which workers ran these jobs, once they have ended. */
  const ranBy = async (ids: string[]) => {
    const ended = await Promise.all(ids.map((id) => lab.ended(id)))
    return [...new Set(ended.map(({ pb }) => pb))]
  }

  test('take no more jobs while quiet, finish what runs, and take jobs again', async ({
    assert,
  }) => {
    const settings = { concurrency: 3 }
    const quiet = await startProcess(lab, { settings })
    const id = await idOf(quiet)
    const running = await addMany(1, 1_500)
    await lab.running(running[0])
    assert.isTrue(await lab.transport.workers.ask(id, 'quiet'))
    await reports(id, 'quiet')

    const other = await startProcess(lab, { settings })
    const otherId = await idOf(other)
    assert.deepEqual(await ranBy(await addMany(30, 5)), [otherId])
    assert.deepEqual(await ranBy(running), [id])

    assert.isTrue(await lab.transport.workers.ask(otherId, 'quiet'))
    await reports(otherId, 'quiet')
    const waiting = await addMany(10, 5)
    const before = (await starts(lab)).length
    assert.equal((await lab.transport.depths(['default'])).default.pending, 10)
    assert.isTrue(await lab.transport.workers.ask(id, 'resume'))
    assert.deepEqual(await ranBy(waiting), [id])
    assert.equal((await starts(lab)).length, before + 10)
    await reports(id, 'active')
    for (const worker of [quiet, other]) assert.equal((await worker.stop()).code, 0)
  })

  test('end in order when asked to stop, also while quiet', async ({ assert }) => {
    const worker = await startProcess(lab)
    const id = await idOf(worker)
    const [running] = await addMany(1, 1_500)
    await lab.running(running)
    await lab.transport.workers.ask(id, 'quiet')
    await reports(id, 'quiet')
    assert.isTrue(await lab.transport.workers.ask(id, 'stop'))
    const { code } = await worker.exited
    assert.equal(code, 0)
    const job = await lab.ended(running)
    assert.deepEqual([job.state, job.ats], ['completed', '1'])
    assert.isFalse(await lab.transport.workers.ask(id, 'resume'))
    assert.deepEqual(await lab.redis.keys(`${lab.prefix}~wish:*`), [])
  })

  test('cannot be asked when they are not there', async ({ assert }) => {
    assert.isFalse(await lab.transport.workers.ask('nobody:1:00', 'stop'))
    assert.deepEqual(await lab.redis.keys(`${lab.prefix}~wish:*`), [])
  })

  test('obey with their next report when the message was lost', () => obeyed)
})
