import { fork } from 'node:child_process'
import { once } from 'node:events'
import { randomUUID } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { test } from '@japa/runner'
import { BeginBulk, readBulkRequest } from '../../../src/operations/bulk/begin_bulk.ts'
import { BeginDrain } from '../../../src/operations/bulk/begin_drain.ts'
import { BulkService } from '../../../src/operations/bulk/bulk_service.ts'
import { StopBulk } from '../../../src/operations/bulk/stop_bulk.ts'
import type { BulkOperation } from '../../../src/records/bulk/bulk_rows.ts'
import type { Records } from '../../../src/records/records.ts'
import type { Actor, JobView } from '../../../src/types.ts'
import { eachDatabase, type TestDatabase } from '#tests/helpers/databases'
import { redisServer } from '#tests/helpers/servers'
import { waitFor } from '#tests/helpers/wait'
import { Lab, silent } from '../mirror/lab.ts'
import { migrate, openRecords } from '../mirror/records.ts'
import type { BulkProcessSettings } from './bulk_process.ts'

const SCRIPT = fileURLToPath(new URL('./bulk_process.ts', import.meta.url))
const ADA: Actor = { id: '7', name: 'Ada', via: 'page' }

eachDatabase(({ label, create }) => {
  test.group(`Bulk operations | ${label}`, (group) => {
    let lab: Lab
    let records: Records
    let url: string
    let connection: TestDatabase['connection']
    let services: BulkService[] = []

    group.setup(async () => {
      const [redis, database] = await Promise.all([redisServer(), create()])
      url = redis.url
      connection = database.connection
      await migrate(connection)
      lab = new Lab(url)
      records = openRecords(connection)
      lab.mirror(records)
      return async () => {
        await lab.close()
        await records.close()
      }
    })
    group.each.teardown(async () => {
      await Promise.all(services.splice(0).map((service) => service.stop()))
    })

    /** Until it is killed. */
    const workUntilKilled = async (
      when: Pick<BulkProcessSettings, 'killAfter' | 'killAfterSteps'>
    ) => {
      const { prefix } = lab.transport.keys
      const settings: BulkProcessSettings = { redis: url, prefix, connection, ...when }
      const child = fork(SCRIPT, [JSON.stringify(settings)], {
        execArgv: ['--import=./bin/typescript.js'],
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      })
      const [, signal] = await once(child, 'exit')
      return signal
    }
    const work = (options: { onActed?: () => Promise<void>; onDrained?: () => void } = {}) => {
      const { transport } = lab
      const rest = { logger: silent, lease: 1_000, look: 50, ...options }
      const service = new BulkService({ transport, records, ...rest })
      services.push(service)
      service.start()
      return service
    }
    const begin = (
      action: string,
      ids: string[],
      may: (job: JobView) => Promise<boolean> = async () => true,
      priority?: number
    ) =>
      new BeginBulk({
        reader: records.reader,
        transport: lab.transport,
        bulk: records.bulk,
      }).handle(readBulkRequest({ action, ids, priority }), ADA, may)
    const add = async (count: number, queue = 'mail') => {
      const jobs = Array.from({ length: count }, () => lab.job(queue))
      await lab.transport.add(jobs)
      await lab.mirrored()
      return jobs.map(({ id }) => id)
    }
    const ended = ({ id }: BulkOperation) =>
      waitFor('the operation to end', async () => {
        const operation = await records.bulk.find(id)
        return operation?.endedAt !== null && operation
      })
    const results = async ({ seq }: BulkOperation) =>
      (await records.bulk.items(seq, { after: -1, limit: 1_000 })).map(
        ({ outcome, reason }) => `${outcome}${reason ? `: ${reason}` : ''}`
      )

    test('act on each job, and say of each what came of it', async ({ assert }) => {
      const [one, two, three, theirs] = await add(4)
      work()
      const unknown = randomUUID()
      const may = async ({ id }: JobView) => id !== theirs
      const cancelling = await begin('cancel', [one, two, unknown, theirs, one], may)
      assert.equal(cancelling.total, 4)
      const { counts } = await ended(cancelling)
      assert.deepEqual(counts, { done: 2, requested: 0, too_late: 0, refused: 2 })
      assert.deepEqual(await results(cancelling), [
        'done',
        'done',
        'refused: There is no such job',
        'refused: You may not act on this job',
      ])
      const moving = await ended(await begin('priority', [three, one], undefined, 4))
      assert.deepEqual(await results(moving), [
        'done',
        'too_late: The job is cancelled already: it has no place in line any more',
      ])
      const deleting = await ended(await begin('delete', [two, three]))
      assert.deepEqual(await results(deleting), [
        'done',
        'refused: The job is pending: only jobs that have ended can be deleted. Cancel it first',
      ])
      assert.isNull(await records.reader.find(two))
      const restarting = await ended(await begin('restart', [one, three]))
      assert.deepEqual(await results(restarting), [
        'done',
        'too_late: The job is pending: it has not ended',
      ])
      assert.equal((await records.reader.find(one))!.run, 2)
      assert.equal((await records.reader.find(three))!.priority, 4)
      const lines = await waitFor('the audit', async () => {
        const found = await records.audit.list({ target: cancelling.id }, { limit: 5 })
        return found[0]?.outcome === 'done' && found
      })
      assert.lengthOf(lines, 1)
      assert.deepEqual(lines[0].detail, { action: 'cancel', jobs: 4, done: 2, refused: 2 })
      const [line] = await records.audit.list({ target: one, action: 'cancel' }, { limit: 5 })
      assert.deepEqual(line.actor, { ...ADA, bulk: cancelling.id })
    })

    test('are finished by another process when one is killed in the middle, each job once', async ({
      assert,
    }) => {
      const ids = await add(30, 'killed')
      await ended(await (work(), begin('cancel', ids)))
      await services.pop()!.stop()
      await lab.mirrored()
      const operation = await begin('restart', ids)
      assert.equal(await workUntilKilled({ killAfter: 12 }), 'SIGKILL')
      const half = (await records.bulk.find(operation.id))!
      assert.isNull(half.endedAt)
      assert.equal(half.counts.done, 8)
      work()
      const { counts } = await ended(operation)
      assert.deepEqual(counts, { done: 30, requested: 0, too_late: 0, refused: 0 })
      await lab.mirrored()
      const rows = await records.reader.rowsById(ids)
      assert.deepEqual(
        [...new Set(rows.map(({ run, status }) => `${run} ${status}`))],
        ['2 pending']
      )
    })

    test('drain a queue: another process goes on when one is killed, and whoever asks can stop it', async ({
      assert,
    }) => {
      const { transport } = lab
      const { reader } = records
      const drain = () =>
        new BeginDrain({ reader, transport, bulk: records.bulk }).handle('drained', ADA, {
          scheduled: false,
          patience: 0,
        })
      await lab.transport.registerQueues(['drained'])
      await lab.add('drained', { delay: 3_600_000 })
      const ids = await add(230, 'drained')
      const begun = await drain()
      assert.deepEqual([begun.outcome, begun.cancelled], ['requested', 0])
      const [late] = await add(1, 'drained')
      assert.equal(await workUntilKilled({ killAfterSteps: 2 }), 'SIGKILL')
      const half = (await records.bulk.find(begun.operation!))!
      assert.containSubset(half, { action: 'drain', endedAt: null, total: 230 })
      assert.equal((await transport.depths(['drained'])).drained.pending, 131)
      work()
      const { counts, total, stopped } = await ended(half)
      assert.deepEqual([counts.done, counts.requested, total, stopped], [230, 0, 230, false])
      await lab.mirrored()
      const rows = await reader.rowsById(ids)
      assert.deepEqual([...new Set(rows.map(({ status }) => status))], ['cancelled'])
      assert.equal((await reader.find(late))!.status, 'pending')
      const lines = await waitFor('the audit', async () => {
        const found = await records.audit.list({ target: 'drained' }, { limit: 5 })
        return found[0]?.outcome === 'done' && found
      })
      assert.lengthOf(lines, 1)
      assert.deepEqual(lines[0].detail, { scheduled: false, cancelled: 230, requested: 0 })

      await services.pop()!.stop()
      const more = await add(130, 'drained')
      const again = await drain()
      /** What a process that died had done, and not noted. */
      await lab.redis.hset(transport.keys.draining(again.operation!), 'done', 3)
      const stop = new StopBulk({ transport, bulk: records.bulk })
      await stop.handle(again.operation!, ADA)
      work()
      const cut = await ended((await records.bulk.find(again.operation!))!)
      assert.deepEqual([cut.stopped, cut.counts.done, cut.total], [true, 3, 131])
      assert.equal((await reader.rowsById(more))[0].status, 'pending')
      assert.deepEqual(await lab.redis.keys(`${transport.keys.prefix}~draining:*`), [])
    })

    test('do no job again whose run has moved on meanwhile', async ({ assert }) => {
      const ids = await add(2, 'moved')
      await ended(await (work(), begin('cancel', ids)))
      await services.pop()!.stop()
      await lab.mirrored()
      const operation = await begin('restart', ids)
      await lab.transport.restart('moved', ids[0], { by: 'x', job: lab.job('moved'), run: 2 })
      await lab.transport.cancel('moved', ids[0], { by: 'x', reason: 'x' })
      await lab.mirrored()
      work()
      await ended(operation)
      assert.deepEqual(await results(operation), [
        'too_late: The job was restarted meanwhile',
        'done',
      ])
      assert.equal((await records.reader.find(ids[0]))!.run, 2)
    })

    test('stop when asked to, and leave the rest alone', async ({ assert }) => {
      const ids = await add(30, 'stopped')
      const stop = new StopBulk({ transport: lab.transport, bulk: records.bulk })
      let acted = 0
      const holder: { id?: string } = {}
      const operation = await begin('cancel', ids)
      holder.id = operation.id
      work({
        onActed: async () => {
          if (++acted === 10) await stop.handle(holder.id!, ADA)
        },
      })
      const { counts, stopped, total } = await ended(operation)
      assert.isTrue(stopped)
      assert.equal(total, 30)
      assert.equal(counts.done, 16)
      assert.equal((await stop.handle(operation.id, ADA)).outcome, 'too_late')
      await lab.mirrored()
      const rows = await records.reader.rowsById(ids)
      assert.lengthOf(
        rows.filter(({ status }) => status === 'pending'),
        14
      )
    })

    test('go with the audit when their time is over, while open ones stay', async ({ assert }) => {
      const [id] = await add(1, 'old')
      const open = await begin('cancel', [id])
      const eraser = records.eraser()
      const { countOperations, eraseOperations } =
        await import('../../../src/records/bulk/bulk_rows.ts')
      const later = Date.now() + 60_000
      const there = await eraser.read((session) => countOperations(session, later))
      assert.isAbove(there, 3)
      const gone = await eraser.transaction((session) => eraseOperations(session, later, 1_000))
      await eraser.close()
      assert.equal(gone, there)
      assert.equal((await records.bulk.find(open.id))!.total, 1)
      assert.lengthOf(await results(open), 1)
    })
  })
})
