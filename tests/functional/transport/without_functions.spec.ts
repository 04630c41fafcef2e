import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from '@japa/runner'
import { Job } from '../../../src/jobs/job.ts'
import type { PrivateServer } from '#tests/helpers/servers'
import { redisServer } from '#tests/helpers/servers'
import { waitFor } from '#tests/helpers/wait'
import { WorkerLab } from '../worker/lab.ts'

/** Every command that came with Redis 7: on 6.2 they are unknown. */
const SINCE_7 = [
  ...['FUNCTION', 'FCALL', 'FCALL_RO', 'EVAL_RO', 'EVALSHA_RO', 'LMPOP', 'BLMPOP', 'ZMPOP'],
  ...['BZMPOP', 'SINTERCARD', 'ZINTERCARD', 'EXPIRETIME', 'PEXPIRETIME', 'LCS', 'SPUBLISH'],
  ...['SSUBSCRIBE', 'SUNSUBSCRIBE'],
]

async function likeRedis6(): Promise<PrivateServer> {
  const folder = await mkdtemp(join(tmpdir(), 'queuedeck-like-6-'))
  const include = join(folder, 'renamed.conf')
  await writeFile(include, SINCE_7.map((command) => `rename-command ${command} ""\n`).join(''))
  const server = await redisServer({ own: true, settings: { include } })
  await rm(folder, { recursive: true })
  return server
}

async function forbidden(): Promise<PrivateServer> {
  const server = await redisServer({ own: true })
  const lab = new WorkerLab(server.url)
  await lab.redis.acl('SETUSER', 'default', '-fcall', '-function')
  await lab.close()
  return server
}

class Flaky extends Job<{ failures: number }, number> {
  static options = { name: 'flaky', attempts: 3, backoff: { type: 'fixed' as const, delay: 1 } }
  async execute() {
    await this.progress(50, { stage: 'half' })
    this.log.info('attempt %d', this.attempt)
    if (this.attempt <= this.payload.failures) throw new Error('not yet')
    return this.attempt
  }
}

class Deaf extends Job<object, void> {
  static options = { name: 'deaf' }
  async execute() {
    await new Promise((resolve) => this.signal.addEventListener('abort', resolve, { once: true }))
  }
}

for (const [what, start] of [
  ['that has none, as 6.2', likeRedis6],
  ['whose user may not use them', forbidden],
] as const) {
  test.group(`A Redis without functions | ${what}`, (group) => {
    let server: PrivateServer
    let lab: WorkerLab
    group.setup(async () => {
      server = await start()
      return () => server.stop()
    })
    group.each.setup(() => {
      lab = new WorkerLab(server.url, [Flaky, Deaf])
      return () => lab.close()
    })

    test('is found out by itself, with the first calls coming together', async ({ assert }) => {
      await Promise.all(Array.from({ length: 20 }, () => lab.dispatch(Flaky, { failures: 0 })))
      assert.equal(lab.transport.delivery.mode, 'eval')
      const { default: depths } = await lab.transport.depths(['default'])
      assert.equal(depths.pending, 20)
    })

    test('takes many jobs in one pipeline, and its scripts again after it lost them', async ({
      assert,
    }) => {
      const many = () =>
        lab.manager.dispatchMany(
          Array.from({ length: 600 }, () => ({ type: Flaky, payload: { failures: 0 } }))
        )
      await many()
      await lab.redis.script('FLUSH')
      await many()
      assert.equal((await lab.transport.depths(['default'])).default.pending, 1_200)
    })

    test('has jobs run, repeated, cancelled and restarted, each step in the stream', async ({
      assert,
    }) => {
      await lab.start()
      const flaky = await lab.ended(await lab.dispatch(Flaky, { failures: 2 }))
      assert.deepEqual([flaky.state, flaky.returnvalue, flaky.ats], ['completed', '3', '3'])

      const deaf = await lab.dispatch(Deaf)
      await lab.running(deaf)
      const cancel = await lab.transport.cancel('default', deaf, { by: 'test', reason: 'enough' })
      assert.equal(cancel.outcome, 'requested')
      assert.match((await lab.ended(deaf)).failedReason, /^\[CANCELLED\]/)

      const later = await lab.dispatch(Flaky, { failures: 0 }, { delay: '1h', priority: 3 })
      const answer = await lab.transport.cancel('default', later, { by: 'test', reason: 'no' })
      assert.equal(answer.outcome, 'done')
      const { name, data } = await lab.job(later)
      const job = { queue: 'default', id: later, name, data, opts: { timestamp: Date.now() } }
      const restart = await lab.transport.restart('default', later, { by: 'test', job, run: 2 })
      assert.deepEqual(restart, { outcome: 'done', run: 2 })
      await waitFor('the second run', async () => (await lab.job(later)).returnvalue === '1')

      const events = await lab.entries(deaf)
      assert.includeMembers(events, ['added', 'active', 'cancel-requested', 'failed'])
      assert.deepEqual(lab.warnings, [])
    })

    test('keeps workers, leases and notices', async ({ assert }) => {
      const pool = await lab.start()
      const client = lab.connections.worker
      const [worker] = await waitFor('the report', async () => {
        const list = await lab.transport.workers.list()
        return list.length > 0 && list
      })
      assert.equal(worker.id, pool.id)
      const lease = lab.transport.lease('x', 'me', { milliseconds: 5_000, client })
      assert.isTrue(await lease.acquire())
      const other = lab.transport.lease('x', 'other', { milliseconds: 5_000, client })
      assert.isFalse(await other.acquire())
      const notices: number[] = []
      const stop = await lab.transport.changes.subscribe(({ revision }) => notices.push(revision))
      await lab.transport.changes.publish({ changed: [], more: true } as never)
      await waitFor('the notice', () => notices.length === 1)
      stop()
    })
  })
}
