import { test } from '@japa/runner'
import { Queue } from 'bullmq'
import { LOST } from '../../../src/mirror/comparison.ts'
import { recordId } from '../../../src/records/ids.ts'
import { MemoryWriter } from '../../unit/mirror/memory_writer.ts'
import { redisServer } from '#tests/helpers/servers'
import { waitFor } from '#tests/helpers/wait'
import { Lab } from './lab.ts'

test.group('Mirror | jobs that leave Redis without a word', (group) => {
  let lab: Lab
  let queue: Queue
  let writer: MemoryWriter

  group.each.setup(async () => {
    const { url } = await redisServer()
    lab = new Lab(url)
    writer = new MemoryWriter()
    lab.mirror({ ready: async () => {}, writer })
    const { prefix } = lab.transport.keys
    queue = new Queue('plain', { connection: { url }, prefix })
    return async () => {
      await queue.close()
      await lab.close()
    }
  })

  const record = (id: string) => writer.jobs.get(recordId('plain', id))
  const recorded = (id: string, status: string) =>
    waitFor(`${id} to be ${status}`, () => record(id)?.status === status)

  test('those of a scheduler that plain BullMQ changes, and of a queue that it drains', async ({
    assert,
  }) => {
    await lab.transport.registerQueues(['another'])
    const other = await queue.add('work', {}, { delay: 3_600_000 })
    await recorded(other.id!, 'scheduled')
    await lab.mirrored()
    /** Never due at the same moment: a job of that moment would take the place of the other with its id. */
    const first = await queue.upsertJobScheduler('nightly', { every: 3_600_000, offset: 60_000 })
    const next = await queue.upsertJobScheduler('nightly', { every: 7_200_000, offset: 120_000 })
    const waiting = await queue.add('work', {})
    await recorded(next!.id!, 'scheduled')
    await recorded(first!.id!, 'failed')
    assert.equal(record(first!.id!)!.errorCode, LOST)
    await recorded(waiting.id!, 'pending')
    await queue.drain()
    await recorded(waiting.id!, 'failed')
    assert.equal(record(next!.id!)!.status, 'scheduled')
  })
})
