import { test } from '@japa/runner'
import { WorkerSweep } from '../../../src/mirror/worker_sweep.ts'

test.group('Worker sweep', () => {
  test('removes workers after five minutes of silence, each once, and says so', async ({
    assert,
  }) => {
    let now = 1_000_000
    const reported = new Map([
      ['live', now],
      ['silent', now],
      ['elsewhere', now],
    ])
    const registry = {
      list: async () => [...reported].map(([id, at]) => ({ id, age: now - at, report: null })),
      /** Another process is quicker with one of them. */
      removeSilent: async (id: string) => reported.delete(id) && id !== 'elsewhere',
    }
    const said: unknown[] = []
    const warn = (bindings: object) => void said.push(bindings)
    const logger = { debug: warn, info: warn, error: warn, warn }
    const sweep = new WorkerSweep(registry as never, logger, {} as never)

    now += 299_999
    assert.deepEqual(await sweep.run(), [])
    now += 1
    reported.set('live', now)
    assert.deepEqual(await sweep.run(), ['silent'])
    assert.deepEqual(said, [{ worker: 'silent', silent: 300_000 }])
    assert.deepEqual(await sweep.run(), [])
    assert.deepEqual([...reported.keys()], ['live'])
  })
})
