import { setTimeout as pause } from 'node:timers/promises'
import { test } from '@japa/runner'
import { Job } from '../../../src/jobs/job.ts'
import type { JobOptions } from '../../../src/types.ts'
import { ClaimScripts } from '../../../src/worker/claim_scripts.ts'
import { redisServer } from '#tests/helpers/servers'
import { stopwatch } from '#tests/helpers/stopwatch'
import { waitFor } from '#tests/helpers/wait'
import { WorkerLab } from './lab.ts'

class Obedient extends Job<object, void> {
  static options: JobOptions = { name: 'obedient', queue: 'q' }
  async execute() {
    await pause(60_000, undefined, { signal: this.signal })
  }
}

const BY = { by: 'ann', reason: 'not needed' }

test.group('A cancellation whose message misses the attempt', (group) => {
  let lab: WorkerLab
  group.each.setup(async () => {
    const { url } = await redisServer({ own: true })
    lab = new WorkerLab(url, [Obedient])
    return () => lab.close()
  })

  /** How long after its cancellation a job has ended, ms. */
  const cancelled = async (id: string) => {
    const asked = stopwatch()
    const { outcome } = await lab.transport.cancel('q', id, BY)
    const { failedReason = '' } = await lab.ended(id, 'q')
    return { outcome, failedReason, took: asked() }
  }

  test('stops it all the same when the answer to its claim comes after the message', async ({
    assert,
    cleanup,
  }) => {
    const heard = Promise.withResolvers<void>()
    const claim = ClaimScripts.prototype.claim
    cleanup(() => void (ClaimScripts.prototype.claim = claim))
    ClaimScripts.prototype.claim = async function (token) {
      const reply = await claim.call(this, token)
      if (reply.values !== null) await heard.promise
      return reply
    }
    await lab.transport.control.subscribe((message) => {
      /** After the worker, which listens on the same connection. */
      if (message.kind === 'cancel') setImmediate(heard.resolve)
    })
    await lab.start({ queues: ['q'], concurrency: 1 })
    const id = await lab.dispatch(Obedient)
    await lab.running(id, 'q')
    const { outcome, failedReason, took } = await cancelled(id)
    assert.equal(outcome, 'requested')
    assert.match(failedReason, /^\[CANCELLED\] not needed/)
    assert.isBelow(took, 1_000)
  })

  test('stops it as soon as the worker listens again whose subscription had broken', async ({
    assert,
  }) => {
    const pool = await lab.start({ queues: ['q'], concurrency: 1 })
    await lab.listens()
    const id = await lab.dispatch(Obedient)
    await waitFor('the job to run', () => pool.running === 1)
    await lab.redis.client('KILL', 'TYPE', 'pubsub')
    const { outcome, failedReason, took } = await cancelled(id)
    assert.equal(outcome, 'requested')
    assert.match(failedReason, /^\[CANCELLED\] not needed/)
    assert.isBelow(took, 1_000)
  })
})
