import { test } from '@japa/runner'
import { readWorkerRemoval, readWorkerReport } from '../../../src/transport/worker_report.ts'
import type { WorkerReport } from '../../../src/transport/worker_report.ts'

const ID = 'host-1:7:0123abcd'

const REPORT: WorkerReport = {
  id: ID,
  host: 'host-1',
  pid: 7,
  version: '1.0.0',
  queues: ['mail'],
  concurrency: 4,
  running: [{ id: 'a', queue: 'mail', type: 'mail.send', startedAt: 5 }],
  cpu: 0.5,
  cores: 2,
  memory: { used: 10, limit: 20 },
  loopDelay: 1.5,
  startedAt: 1,
  clock: 9,
  state: 'quiet',
}

/** What is said where a report says nothing. */
const NOTHING: WorkerReport = {
  id: ID,
  host: 'host-1',
  pid: 0,
  version: '',
  queues: [],
  concurrency: 0,
  running: [],
  cpu: 0,
  cores: 0,
  memory: { used: 0, limit: 0 },
  loopDelay: 0,
  startedAt: 0,
  clock: null,
  state: 'active',
}

test.group('Reports of workers', () => {
  test('are read as they were written', ({ assert }) => {
    assert.deepEqual(readWorkerReport(ID, JSON.stringify(REPORT)), REPORT)
    const ignored = { ...REPORT.running[0], signalIgnored: true }
    const running = [ignored]
    assert.deepEqual(readWorkerReport(ID, JSON.stringify({ ...REPORT, running }))!.running, running)
  })

  test('say nothing where they lack a field, or have another program’s in its place', ({
    assert,
  }) => {
    assert.deepEqual(readWorkerReport(ID, '{}'), NOTHING)
    for (const wrong of [null, -1, 1e300, 'text', ['list', 3], { more: [] }, true]) {
      const all = Object.fromEntries(Object.keys(REPORT).map((field) => [field, wrong]))
      const read = readWorkerReport(ID, JSON.stringify(all))!
      const { queues, host, version, clock, startedAt } = read
      const free = { queues, host, version, clock, startedAt }
      assert.deepEqual(read, { ...NOTHING, ...free }, JSON.stringify(wrong))
      assert.isTrue(queues.every((name) => typeof name === 'string'))
      assert.deepEqual([typeof host, typeof version], ['string', 'string'])
      assert.doesNotThrow(() => new Date(startedAt).toISOString())
      assert.doesNotThrow(() => new Date(clock ?? 0).toISOString())
    }
    const nested = { running: [null, 5, { id: 'a' }, REPORT.running[0]], memory: { used: 'much' } }
    const read = readWorkerReport(ID, JSON.stringify(nested))!
    assert.deepEqual(read.running, REPORT.running)
    assert.deepEqual(read.memory, { used: 0, limit: 0 })
  })

  test('tell what their worker uses, or nothing of it', ({ assert }) => {
    const { cpu, cores, memory } = NOTHING
    for (const part of [{ cpu: '1' }, { cores: null }, { memory: { used: 10 } }, { memory: 10 }]) {
      const read = readWorkerReport(ID, JSON.stringify({ ...REPORT, ...part }))
      assert.deepEqual(read, { ...REPORT, cpu, cores, memory }, JSON.stringify(part))
    }
    const idle = { ...REPORT, cpu: 0, memory: { used: 0, limit: 0 } }
    assert.deepEqual(readWorkerReport(ID, JSON.stringify(idle)), idle)
  })

  test('that are none count as none, and so do notes of removals', ({ assert }) => {
    for (const text of ['', '{', 'null', '5', '"text"', '[]']) {
      assert.isNull(readWorkerReport(ID, text), text)
      assert.isNull(readWorkerRemoval(text), text)
    }
    assert.isNull(readWorkerRemoval('{"id":"a","at":1e300}'))
    const removal = { id: 'a', at: 5, silent: 300_000, number: 1 }
    assert.deepEqual(readWorkerRemoval(JSON.stringify(removal)), removal)
  })
})
