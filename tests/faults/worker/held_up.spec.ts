import type { Assert } from '@japa/assert'
import { test } from '@japa/runner'
import { redisServer } from '#tests/helpers/servers'
import { TcpProxy } from '#tests/helpers/tcp_proxy'
import { waitFor } from '#tests/helpers/wait'
import { WorkerLab } from '../../functional/worker/lab.ts'
import { add, starts, startProcess } from './processes.ts'

const worker = { lease: '1s', grace: '10s' }

test.group('Workers that are held up for longer than their lease', (group) => {
  let lab: WorkerLab
  let proxy: TcpProxy
  group.each.setup(async () => {
    const { url, host, port } = await redisServer()
    lab = new WorkerLab(url)
    proxy = await TcpProxy.to({ host, port })
    return async () => {
      await proxy.close()
      await lab.close()
    }
  })

  const started = (times: number) =>
    waitFor(`start ${times}`, async () => (await starts(lab)).length === times)

  /** When the first attempt saw what, epoch ms. */
  async function seen(): Promise<Map<string, number>> {
    const lines = await lab.redis.lrange(`${lab.prefix}~seen`, 0, -1)
    return new Map(
      lines.map((line) => {
        const [, what, at] = /^(.*) (\d+)$/.exec(line)!
        return [what, Number(at)]
      })
    )
  }

  async function assertSecondCounts(assert: Assert, id: string) {
    const job = await lab.ended(id)
    assert.deepEqual([job.state, job.ats, job.returnvalue], ['completed', '2', '"attempt 2"'])
    assert.lengthOf(await starts(lab), 2)
    const entries = (await lab.entriesOf()).filter(({ jobId }) => jobId === id)
    const endings = entries.filter(({ event }) => event === 'completed' || event === 'failed')
    assert.lengthOf(endings, 1)
    const reports = entries.filter(({ event }) => event === 'progress' || event === 'log')
    assert.deepEqual(reports, [])
  }

  test('lose the job whose code blocked their event loop to another worker', async ({ assert }) => {
    const both = await Promise.all([1, 2].map(() => startProcess(lab, { worker })))
    const id = await add(lab, 'held-up', { spin: 2_500, then: 1_000 })
    await assertSecondCounts(assert, id)
    const what = await waitFor('the signal', async () => {
      const found = await seen()
      return found.has('LEASE_LOST') && found
    })
    assert.isBelow(what.get('LEASE_LOST')! - what.get('goes on')!, 950)
    for (const process of both) {
      assert.equal((await process.stop()).code, 0)
      assert.notInclude(process.output(), 'unhandled')
    }
  })

  test('run the job again themselves beside its first attempt, which has no say', async ({
    assert,
  }) => {
    const only = await startProcess(lab, { worker })
    const id = await add(lab, 'held-up', { spin: 2_500, then: 2_000 })
    await started(1)
    await assertSecondCounts(assert, id)
    assert.equal((await only.stop()).code, 0)
    assert.notInclude(only.output(), 'unhandled')
  })

  test('lose their jobs while the network keeps them from Redis', async ({ assert }) => {
    const first = await startProcess(lab, { worker }, `redis://127.0.0.1:${proxy.port}`)
    const id = await add(lab, 'held-up', { spin: 0, then: 3_000 })
    await waitFor('its report', async () => (await lab.entries(id)).includes('progress'))
    proxy.cut()
    await lab.redis.del(lab.transport.keys.events('default'))
    const second = await startProcess(lab, { worker })
    await started(2)
    assert.isFalse((await seen()).has('LEASE_LOST'))
    const healed = Date.now()
    proxy.heal()
    const what = await waitFor('the signal', async () => {
      const found = await seen()
      return found.has('LEASE_LOST') && found
    })
    assert.isBelow(what.get('LEASE_LOST')! - healed, 2_000)
    await assertSecondCounts(assert, id)
    for (const process of [first, second]) {
      assert.equal((await process.stop()).code, 0)
      assert.notInclude(process.output(), 'unhandled')
    }
  })
})
