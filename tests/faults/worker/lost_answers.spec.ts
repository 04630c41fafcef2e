import { setTimeout as pause } from 'node:timers/promises'
import { test } from '@japa/runner'
import { Job } from '../../../src/jobs/job.ts'
import type { WorkerPool } from '../../../src/worker/worker_pool.ts'
import { hostClient } from '#tests/helpers/redis_address'
import { redisServer } from '#tests/helpers/servers'
import { TcpProxy } from '#tests/helpers/tcp_proxy'
import { waitFor } from '#tests/helpers/wait'
import { WorkerLab } from '../../functional/worker/lab.ts'

const ran: string[] = []

/** What commands have in them that claim a job, and that end one. */
const CLAIM = 'qd\n'
const RESULT = 'the result'

/** A job that was run once, and whose worker was never lost. */
const ONCE = ['completed', '1', undefined]

class Brief extends Job<{ name: string; line?: string; lasts?: number }, string> {
  static options = { name: 'brief' }
  async execute() {
    ran.push(this.payload.name)
    if (this.payload.line) {
      this.log.info(this.payload.line)
      await pause(300)
      this.log.info(this.payload.line)
    }
    await pause(this.payload.lasts ?? 50, undefined, { signal: this.signal })
    return RESULT
  }
}

class Failing extends Job<unknown, void> {
  static options = { name: 'failing' }
  async execute() {
    throw new Error('It fails')
  }

  async failed({ message }: Error) {
    ran.push(message)
  }
}

class Elsewhere extends Brief {
  static options = { name: 'elsewhere', queue: 'elsewhere' }
}

/** Long enough that nothing here is waited for as long as it lasts. */
const worker = { lease: '30s', maxLosses: 0 }

test.group('Answers that are lost with the connection', (group) => {
  let lab: WorkerLab
  let proxy: TcpProxy
  let pool: WorkerPool
  group.each.setup(async () => {
    ran.length = 0
    const { host, port } = await redisServer()
    proxy = await TcpProxy.to({ host, port })
    lab = new WorkerLab(`redis://127.0.0.1:${proxy.port}`, [Brief, Failing, Elsewhere], worker)
    return async () => {
      await lab.close()
      await proxy.close()
    }
  })

  const ending = async (id: string, queue?: string) => {
    const { state, atm, stc } = await lab.ended(id, queue, 10_000)
    return [state, atm, stc]
  }

  /** Ids of a job whose end was answered in vain, and of the one that this call claimed. */
  const claimedWithTheEnd = async (second: object = {}) => {
    const a = await lab.dispatch(Brief, { name: 'a' })
    const b = await lab.dispatch(Brief, { name: 'b', ...second })
    proxy.loseAnswerTo(RESULT)
    pool = await lab.start({ concurrency: 1, queues: ['default'] })
    await lab.ended(a)
    return [a, b]
  }

  test('leave no job behind that was claimed with the end of another', async ({ assert }) => {
    const ids = await claimedWithTheEnd()
    for (const id of ids) assert.deepEqual(await ending(id), ONCE)
    assert.isTrue(proxy.hasLostAnswer)
    assert.deepEqual(ran, ['a', 'b'])
    assert.deepEqual(await lab.entries(ids[1]), [
      'added',
      'active',
      'waiting',
      'active',
      'completed',
    ])
  })

  test('leave the failed() hook of a job to be called', async ({ assert }) => {
    const id = await lab.dispatch(Failing)
    proxy.loseAnswerTo('It fails')
    await lab.start({ concurrency: 1, queues: ['default'] })
    assert.deepEqual(await ending(id), ['failed', '1', undefined])
    assert.isTrue(proxy.hasLostAnswer)
    await waitFor('the hook', () => ran.length > 0)
    assert.deepEqual([ran, lab.warnings], [['It fails'], []])
  })

  test('leave the hook of a job that was removed meanwhile, once its record said how it ended', async ({
    assert,
    cleanup,
  }) => {
    const { keys } = lab.transport
    const beside = hostClient((await redisServer()).url)
    cleanup(() => beside.disconnect())
    const id = await lab.dispatch(Failing)
    proxy.loseAnswerTo('It fails')
    await lab.start({ concurrency: 1, queues: ['default'] })
    await waitFor('the answer to be lost', () => proxy.hasLostAnswer)
    proxy.cut()
    const failed = `${keys.queue('default')}failed`
    await waitFor('its end', async () => (await beside.zrem(failed, id)) === 1)
    await beside.del(keys.job('default', id))
    proxy.heal()
    await waitFor('the hook', () => ran.length > 0)
    assert.deepEqual([ran, lab.warnings], [['It fails'], []])
  })

  for (const [delay, wanted] of [
    [0, { state: 'failed', failed: '2' }],
    [60_000, { state: 'delayed', failed: '1' }],
  ] as const) {
    test(`leave a job its next attempt, after ${delay} ms`, async ({ assert }) => {
      const backoff = { type: 'fixed', delay } as const
      const id = await lab.dispatch(Failing, {}, { attempts: 2, backoff })
      proxy.loseAnswerTo('It fails')
      pool = await lab.start({ concurrency: 1, queues: ['default'] })
      await waitFor('its attempts', async () => (await lab.job(id)).atm === wanted.failed)
      await waitFor('the last one to be over', () => pool.running === 0)
      assert.isTrue(proxy.hasLostAnswer)
      assert.equal(await lab.transport.state('default', id), wanted.state)
      assert.deepEqual(lab.warnings, [])
    })
  }

  test('double no log lines', async ({ assert }) => {
    const id = await lab.dispatch(Brief, { name: 'a', line: 'a line' })
    await lab.start({ concurrency: 1, queues: ['default'] })
    await waitFor('its start', () => ran.length > 0)
    proxy.loseAnswerTo('a line')
    assert.deepEqual(await ending(id), ONCE)
    assert.isTrue(proxy.hasLostAnswer)
    const entries = (await lab.entriesOf()).filter(({ event }) => event === 'log')
    const lines = entries.flatMap((entry) => JSON.parse(entry.lines))
    assert.deepEqual(
      lines.map(([, , text]) => text),
      ['a line', 'a line']
    )
  })

  test('end one that was cancelled meanwhile', async ({ assert }) => {
    const [a, b] = await claimedWithTheEnd({ lasts: 20_000 })
    await lab.transport.cancel('default', b, { by: 'test', reason: 'no longer' })
    const { state, failedReason } = await lab.ended(b, 'default', 10_000)
    assert.deepEqual([state, /^\[CANCELLED\]/.test(failedReason)], ['failed', true])
    assert.equal((await lab.job(a)).returnvalue, `"${RESULT}"`)
  })

  test('are made good by a worker that stops', async ({ assert }) => {
    const [, b] = await claimedWithTheEnd({ lasts: 20_000 })
    pool.abort()
    assert.isTrue((await pool.ended).clean)
    assert.equal(await lab.transport.state('default', b), 'waiting')
  })

  test('leave none behind that was claimed by itself, in any queue', async ({ assert }) => {
    const places: [string, string][] = []
    for (const [Class, queue] of [
      [Brief, 'default'],
      [Elsewhere, 'elsewhere'],
    ] as const) {
      for (const name of ['a', 'b']) places.push([await lab.dispatch(Class, { name }), queue])
    }
    proxy.loseAnswerTo(CLAIM)
    await lab.start({ concurrency: 2, queues: ['default', 'elsewhere'] })
    for (const place of places) assert.deepEqual(await ending(...place), ONCE)
    assert.isTrue(proxy.hasLostAnswer)
    assert.deepEqual(ran.sort(), ['a', 'a', 'b', 'b'])
    assert.isAbove(lab.warnings.filter((text) => text.includes('handed back')).length, 0)
  })
})
