import { test } from '@japa/runner'
import type { RedisOptions } from 'ioredis'
import { Mirror } from '../../../src/mirror/mirror.ts'
import { StreamReader } from '../../../src/mirror/stream_reader.ts'
import type { Records } from '../../../src/records/records.ts'
import { createDatabase } from '#tests/helpers/databases'
import { redisServer } from '#tests/helpers/servers'
import { waitFor } from '#tests/helpers/wait'
import { Lab } from './lab.ts'
import { emptyTables, openRecords } from './records.ts'

test.group('Mirror | catching up', (group) => {
  let lab: Lab
  let records: Records

  group.each.setup(async () => {
    const { url } = await redisServer()
    lab = new Lab(url)
    records = openRecords(await emptyTables({ kind: 'sqlite', create: createDatabase }))
    return async () => {
      records.writer.hook = undefined
      await lab.close()
      await records.close()
    }
  })

  test('takes nearly whole batches of a queue that is behind, though others have a little each', async ({
    assert,
  }) => {
    const small = Array.from({ length: 10 }, (_, index) => `small${index}`)
    await lab.transport.registerQueues(['big', ...small])
    await lab.transport.add(Array.from({ length: 2_000 }, () => lab.job('big')))
    const last = await lab.add('big')
    let batches = 0
    records.writer.hook = (point) => {
      if (point !== 5) return
      batches++
      void lab.transport.add(small.map((queue) => lab.job(queue))).catch(() => {})
    }
    lab.mirror(records, { batch: 200 })
    await waitFor('the last job of the queue', () => records.reader.find(last))
    /** Ten of them are whole; the others begin, or move cursors for the comparison of each queue. */
    assert.isAtMost(batches, 40)
  })

  test('hurries while it is behind, and else writes few jobs at a time', async ({
    assert,
    cleanup,
  }) => {
    const { writer } = records
    const apply = writer.apply.bind(writer)
    const seen: { isUnhurried: boolean; parts: number[] }[] = []
    writer.apply = (batch, fold) => {
      if (batch.jobs.length === 0) return apply(batch, fold)
      const parts: number[] = []
      seen.push({ isUnhurried: batch.isUnhurried ?? false, parts })
      return apply(batch, function* (stored) {
        for (const part of fold(stored)) {
          if (part.jobs.length > 0) parts.push(part.jobs.length)
          yield part
        }
      })
    }
    const written = () => seen.flatMap(({ parts }) => parts).reduce((sum, jobs) => sum + jobs, 0)
    await lab.transport.registerQueues(['big'])
    await lab.transport.add(Array.from({ length: 540 }, () => lab.job('big')))
    /** Without the comparison at its start, which waits for it and makes it hurry too. */
    const redis = lab.transport.connections.open('mirror')
    const logger = { debug() {}, info() {}, warn() {}, error() {} }
    const reader = new StreamReader(async () => redis.options as RedisOptions)
    const mirror = new Mirror({ transport: lab.transport, writer, redis, logger }, reader, {
      batch: 200,
    })
    const stopping = new AbortController()
    await records.ready()
    await mirror.watch(['big'])
    const running = mirror.run(stopping.signal)
    cleanup(async () => {
      stopping.abort()
      await running
    })
    await waitFor('the jobs', () => written() === 540)
    const id = await lab.add('big')
    await waitFor('the last job', () => records.reader.find(id))
    assert.deepEqual(seen, [
      { isUnhurried: false, parts: [200] },
      { isUnhurried: false, parts: [200] },
      { isUnhurried: true, parts: [100, 40] },
      { isUnhurried: true, parts: [1] },
    ])
  })
})
