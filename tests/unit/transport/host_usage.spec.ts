import { test } from '@japa/runner'
import { MetricsUpkeep } from '../../../src/mirror/metrics_upkeep.ts'
import type { HostSample } from '../../../src/records/metrics/metric_types.ts'
import { usageReports } from '../../../src/transport/host_usage.ts'
import type { SeenWorker } from '../../../src/transport/worker_registry.ts'

function seen(id: string, age: number, more: Partial<SeenWorker> = {}) {
  const usage = { cpu: 1, cores: 4, memory: { used: 100, limit: 1_000 } }
  return { id, host: id.split(':')[0], age, ...usage, ...more } as SeenWorker
}

test.group('What a host uses', () => {
  test('is told by {name}')
    .with([
      {
        name: 'all workers that report',
        reports: { 'a:1': 0, 'a:2': 10_500, 'b:1': 3 },
        told: ['a:1', 'a:2', 'b:1'],
      },
      {
        name: 'those that report beside one that was killed',
        reports: { 'a:killed': 16_000, 'a:2': 4_000 },
        told: ['a:2'],
      },
      {
        name: 'the last reports of a host that is silent',
        reports: { 'a:1': 40_000, 'a:2': 49_000, 'b:1': 0 },
        told: ['a:1', 'a:2', 'b:1'],
      },
      {
        name: 'no worker that was killed before its host fell silent',
        reports: { 'a:killed': 90_000, 'a:2': 40_000 },
        told: ['a:2'],
      },
    ])
    .run(({ assert }, { reports, told }) => {
      const workers = Object.entries(reports).map(([id, age]) => seen(id, age))
      assert.deepEqual(
        usageReports(workers).map(({ id }) => id),
        told
      )
    })

  test('is drawn without a worker that was killed, and one that does not say', async ({
    assert,
  }) => {
    const workers = [seen('a:killed', 16_000), seen('a:1', 1_000), seen('a:2', 0, { cores: 0 })]
    const samples: HostSample[] = []
    const keeper = {
      sample: async (given: readonly HostSample[]) => void samples.push(...given),
      sumUp: async () => 0,
    }
    const transport = { workers: { seen: async () => workers }, time: async () => 0 }
    await new MetricsUpkeep(keeper, transport as never, {} as never).sample()
    assert.deepEqual(samples, [{ host: 'a', cpu: 0.25, memory: { used: 100, limit: 1_000 } }])
  })
})
