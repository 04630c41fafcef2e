import { test } from '@japa/runner'
import type { ChartedHost } from '../../../src/dashboard/metrics.ts'
import { Clock } from '../../../src/dashboard/presenters/format.ts'
import { hostCharts, usageJson } from '../../../src/dashboard/presenters/host_charts.ts'

const MINUTE = 60_000
const FROM = Date.UTC(2026, 0, 5, 10)

test.group('Host charts', () => {
  const clock = new Clock('UTC', FROM + 60 * MINUTE)
  const charted = (minutes: number[]): ChartedHost => ({
    now: FROM + 60 * MINUTE,
    usage: {
      from: FROM,
      to: FROM + 60 * MINUTE,
      step: MINUTE,
      unit: 'minute',
      points: minutes.map((minute) => ({
        at: FROM + minute * MINUTE,
        samples: 6,
        cpu: { mean: 0.5, most: 1 },
        memory: { mean: 200_000_000, most: 300_000_000, limit: 2_000_000_000 },
      })),
    },
  })

  test('draw means and the highest, with gaps where nobody reported', ({ assert }) => {
    const { cpu, memory } = hostCharts('web-1', charted([0, 1, 30, 31]), '1h', clock)
    const mean = cpu.shapes.find(({ kind }) => kind === 'ln ln-run')!.path
    assert.equal(mean, 'M0 64L10.2 64M305.1 64L315.3 64')
    assert.equal(cpu.shapes.find(({ kind }) => kind === 'ln ln-wait')!.path.slice(0, 4), 'M0 0')
    assert.deepEqual(
      memory.lines.map(({ label }) => label),
      ['0', '100 MB', '200 MB', '300 MB']
    )
    assert.equal(
      memory.label,
      'Memory of all workers on web-1 in the last hour: latest 200 MB, highest 300 MB of 2.0 GB'
    )
    assert.deepEqual(memory.table.rows[0].cells, ['200 MB', '300 MB', '2.0 GB'])
    assert.lengthOf(cpu.table.rows, 4)
  })

  test('say so when there is nothing to draw', ({ assert }) => {
    const { cpu, memory } = hostCharts('web-1', charted([]), '1h', clock)
    assert.equal(cpu.empty, 'No worker of web-1 reported in the last hour')
    assert.notMatch(JSON.stringify([cpu, memory]), /NaN|Infinity|null,null/)
    assert.deepEqual(usageJson(charted([])).data, [])
  })
})
