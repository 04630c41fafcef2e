import { test } from '@japa/runner'
import { Snapshots } from '../../../src/console/watch/snapshot.ts'

test('the rate of ended jobs is not told while records are deleted', async ({ assert }) => {
  let [now, completed] = [0, 5_000]
  const reader = {
    counts: async () => ({ completed, failed: 0, cancelled: 0 }),
    runningNow: async () => [],
  }
  const alerts = { open: async () => [] }
  const snapshots = new Snapshots({} as never, reader as never, alerts, () => now)
  const rateAfter = async (more: number) => {
    now += 2_000
    completed += more
    await snapshots.records.refresh()
    return snapshots.records.value!.rate
  }
  assert.isNull(await rateAfter(0))
  assert.equal(await rateAfter(200), 100)
  assert.isNull(await rateAfter(200 - 1_000))
  assert.equal(await rateAfter(200), 100)
})
