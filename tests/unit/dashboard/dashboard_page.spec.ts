import { test } from '@japa/runner'
import { statistics, usage } from '../../../src/dashboard/presenters/dashboard_page.ts'
import { worker } from '../../browser/stage/worker_samples.ts'

const of = (host: string, age: number) =>
  worker(0, { host, age, cpu: 1, cores: 4, memory: { used: 100, limit: 1_000 } })

test.group('Dashboard page | what hosts use', () => {
  test('is summed over workers, with each host once', ({ assert }) => {
    const workers = [of('a', 0), of('a', 10_500), of('b', 3)]
    assert.deepEqual(usage(workers), { cpu: 3 / 8, memory: { used: 300, limit: 2_000 } })
  })

  test('leaves out a worker that was killed, beside the one that replaced it', ({ assert }) => {
    const workers = [of('a', 16_000), of('a', 4_000)]
    assert.deepEqual(usage(workers), { cpu: 1 / 4, memory: { used: 100, limit: 1_000 } })
    assert.equal(statistics({ counts: null, workers }).activeWorkers, 2, 'suspect after 30 s only')
  })

  test('is not known while no worker reports', ({ assert }) => {
    const unknown = { cpu: null, memory: null }
    assert.deepEqual(usage([of('a', 30_001)]), unknown)
    assert.deepEqual(usage([]), unknown)
    assert.deepEqual(usage(null), unknown)
  })
})
