import assert from 'node:assert/strict'
import { waitFor } from '#tests/helpers/wait'
import type { Scenario } from './scenario.ts'

export const rolling: Scenario = {
  name: 'one worker after the other is stopped by SIGTERM and replaced',
  async run({ fleet, size }) {
    let starting = fleet.again(0)
    for (const at of fleet.workers.keys()) {
      const next = await starting
      if (at + 1 < fleet.workers.length) starting = fleet.again(at + 1)
      await fleet.dispatch(Math.ceil(size.jobs / 2), 100)
      const worker = fleet.workers[at]
      await waitFor('it to run something', async () => (await fleet.runs(worker)) > 0)
      const { code } = await worker.stop()
      assert.equal(code, 0, worker.output())
      fleet.workers[at] = next
    }
  },
}
