import { setTimeout as pause } from 'node:timers/promises'
import { test } from '@japa/runner'
import { readBulkRequest } from '../../../src/operations/bulk/begin_bulk.ts'
import { EnqueueLost } from '../../../src/operations/enqueue_lost.ts'
import { Reader } from '../../../src/records/reader.ts'
import type { Actor } from '../../../src/types.ts'
import { waitFor } from '#tests/helpers/wait'
import { ForeignLab } from './lab.ts'

const ADA: Actor = { id: '7', name: 'Ada', via: 'command' }

test.group('Foreign queues | what Redis lets go of while the mirror is behind', (group) => {
  let foreign: ForeignLab

  group.each.setup(async () => {
    foreign = await ForeignLab.open()
    return () => foreign.close()
  })

  const operation = async () => {
    const { transport, lab } = foreign
    const records = await lab.app.container.make('queuedeck.records')
    return new EnqueueLost({ reader: records.reader, transport, records })
  }
  /** Jobs that have records, and that BullMQ removes from Redis when they have completed. */
  const add = async (name: string, count: number) => {
    const jobs = Array.from({ length: count }, () => ({
      ...{ name: 'mail.send', data: {} },
      opts: { removeOnComplete: true },
    }))
    const added = await foreign.queue(name).addBulk(jobs)
    await foreign.row(name, added.at(-1)!.id!)
  }

  test('is not enqueued again as lost when it has ended', async ({ assert }) => {
    const lost = await operation()
    await add('mails', 3)
    const goOn = await foreign.withoutMirror()
    let ran = 0
    foreign.worker('mails', async () => void ran++)
    await waitFor('them to run', async () => ran === 3)
    await waitFor('Redis to forget them', async () => {
      const states = ['1', '2', '3'].map((id) => foreign.transport.state('mails', id))
      return (await Promise.all(states)).every((state) => state === 'missing')
    })

    const looked = await lost.look()
    assert.deepEqual([looked.count, { ...looked.behind }], [0, { mails: 3 }])
    const { enqueued, refused, refusals } = await lost.handle(ADA)
    assert.deepEqual([enqueued, refused], [0, 3])
    assert.match(refusals[0].reason, /^The mirror is behind in queue "mails"/)

    /** It is waited for when it comes in time. */
    const [late] = await Promise.all([lost.look(), pause(200).then(() => goOn())])
    assert.deepEqual([late.count, { ...late.behind }], [0, {}])
    assert.equal(ran, 3)
  })

  test('has not failed for those that wait for it again', async ({ assert }) => {
    const { container } = foreign.lab.app
    const { cancelJob, restartJob } = await container.make('queuedeck.dashboard')
    await add('mails', 1)
    const { id } = await foreign.row('mails', '1')
    const queue = await container.make('queuedeck')
    const { jobId } = await queue.dispatch('tests.echo', {}).waitFor(id)
    await foreign.lab.record(jobId, 'blocked')
    await cancelJob.handle(jobId, ADA)
    await foreign.lab.record(jobId, 'cancelled')
    const goOn = await foreign.withoutMirror()
    foreign.worker('mails', async () => {})
    const state = () => foreign.transport.state('mails', '1')
    await waitFor('Redis to forget it', async () => (await state()) === 'missing')

    const restart = () => restartJob.handle(jobId, { ...ADA, bulk: 'all' })
    const refused = await restart().catch((error) => error)
    assert.deepEqual([refused.status, refused.code], [503, 'E_MIRROR_BEHIND'])
    assert.equal(await foreign.transport.state('tests', jobId), 'failed')
    goOn()
    assert.equal((await restart()).outcome, 'done')
    assert.equal(await foreign.transport.state('tests', jobId), 'waiting')
  })

  test('is waited for once, however many jobs restart together, and by nobody else', async ({
    assert,
  }) => {
    const { container } = foreign.lab.app
    const { cancelJob, beginBulk } = await container.make('queuedeck.dashboard')
    const { reader, bulk } = await container.make('queuedeck.records')
    await add('mails', 1)
    const { id } = await foreign.row('mails', '1')
    const queue = await container.make('queuedeck')
    const ids: string[] = []
    for (let n = 0; n < 8; n++) {
      const { jobId } = await queue.dispatch('tests.echo', {}).waitFor(id)
      await foreign.lab.record(jobId, 'blocked')
      await cancelJob.handle(jobId, ADA)
      await foreign.lab.record(jobId, 'cancelled')
      ids.push(jobId)
    }
    const { jobId: another } = await queue.dispatch('tests.echo', {})
    await foreign.lab.record(another, 'pending')
    const goOn = await foreign.withoutMirror()
    foreign.worker('mails', async () => {})
    const state = () => foreign.transport.state('mails', '1')
    await waitFor('Redis to forget it', async () => (await state()) === 'missing')

    let looks = 0
    let since = 0
    reader.cursor = (name) => {
      since ||= performance.now()
      looks++
      return Reader.prototype.cursor.call(reader, name)
    }
    ;(await container.make('queuedeck.bulk.service')).start()
    const request = readBulkRequest({ action: 'restart', ids })
    const begun = await beginBulk.handle(request, ADA, async () => true)
    await waitFor('the restarts to wait', async () => looks > 2 * ids.length)
    await pause(500)
    const waited = performance.now() - since
    assert.isAtMost(looks, 2 * ids.length + waited / 19, 'two looks each, then one every 20 ms')

    const end = (of: string) => async () => {
      const found = await bulk.find(of)
      return found?.endedAt !== null && found
    }
    const cancel = readBulkRequest({ action: 'cancel', ids: [another] })
    const other = await beginBulk.handle(cancel, ADA, async () => true)
    const cancelled = await waitFor('one that waits for no mirror to end', end(other.id))
    assert.deepInclude(cancelled.counts, { done: 1 })

    goOn()
    const ended = await waitFor('the operation to end', end(begun.id))
    assert.deepInclude(ended.counts, { done: ids.length })
    for (const one of ids) {
      assert.equal(await foreign.transport.state('tests', one), 'waiting')
    }
  })

  test('is enqueued again without a mirror where Redis was emptied', async ({ assert }) => {
    const lost = await operation()
    await add('mails', 250)
    await foreign.withoutMirror()
    await foreign.redis.del(...(await foreign.redis.keys(`${foreign.transport.keys.prefix}*`)))
    const { enqueued, refused } = await lost.handle(ADA)
    assert.deepEqual([enqueued, refused], [250, 0])
  })
})
