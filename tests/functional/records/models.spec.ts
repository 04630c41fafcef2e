import { Adapter, BaseModel } from '@adonisjs/lucid/orm'
import { test } from '@japa/runner'
import { eachDatabase } from '#tests/helpers/databases'
import { JobRecord, statusCode } from '../../../src/records/models/main.ts'
import { migrate, openRecords } from '../mirror/records.ts'
import { add, HandMirror, lucidOn, newKey, NOW } from './lab.ts'

eachDatabase(({ label, create }) => {
  test.group(`Models | ${label}`, () => {
    test('show a job with its names, attempts and body, and refuse to be changed', async ({
      assert,
      cleanup,
    }) => {
      const { connection, drop } = await create()
      await migrate(connection)
      const records = openRecords(connection)
      const database = lucidOn(connection)
      const before = BaseModel.$adapter
      BaseModel.$adapter = new Adapter(database)
      cleanup(async () => {
        BaseModel.$adapter = before
        await Promise.all([records.close(), database.manager.closeAll()])
        await drop()
      })
      const key = newKey('mail')
      await new HandMirror(records).write([key], (job, out) => {
        add(job, { type: 'mail.send', user: '7', startedAt: NOW + 5, finishedAt: NOW + 30 })
        Object.assign(job, { status: 'failed', percent: 12.5, worker: 'h:1:x', sensitive: true })
        out.bodies.push({ job, payload: '{"n":1}', options: '{}' })
        const moments = { startedAt: NOW + 5, finishedAt: NOW + 30 }
        const error = { errorCode: null, error: 'no', stack: null }
        out.attempts.push({
          ...{ job, run: 1, attempt: 1, outcome: 'failed', worker: job.worker },
          ...moments,
          ...error,
        })
      })
      const job = await JobRecord.findJob(key.id.toUpperCase())
      assert.containsSubset(job?.$attributes, {
        id: key.id,
        status: 'failed',
        progress: 12.5,
        duration: 25,
        stopping: false,
        isSensitive: true,
        createdAt: new Date(NOW),
        dueAt: null,
      })
      await job!.load((loader) =>
        loader.load('type').load('queue').load('user').load('attemptList').load('body')
      )
      assert.equal(job!.type.name, 'mail.send')
      assert.equal(job!.queue.name, 'mail')
      assert.equal(job!.user.name, '7')
      assert.equal(job!.attemptList[0].outcome, 'failed')
      assert.equal(job!.body.payload, '{"n":1}')
      assert.lengthOf(await JobRecord.query().where('status', statusCode('failed')), 1)
      assert.isNull(await JobRecord.findJob('1'))
      job!.priority = 9
      await assert.rejects(() => job!.save(), /read-only/)
      await assert.rejects(() => job!.delete(), /read-only/)
    })
  })
})
