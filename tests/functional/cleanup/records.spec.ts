import { setTimeout as pause } from 'node:timers/promises'
import { test } from '@japa/runner'
import { Cleanup } from '../../../src/cleanup/cleanup.ts'
import { RestartJob } from '../../../src/operations/restart_job.ts'
import type { Records } from '../../../src/records/records.ts'
import type { JobStatus } from '../../../src/statuses.ts'
import { eachDatabase } from '#tests/helpers/databases'
import { redisServer } from '#tests/helpers/servers'
import { waitFor } from '#tests/helpers/wait'
import { Lab } from '../mirror/lab.ts'
import { emptyTables, openRecords } from '../mirror/records.ts'
import { add, countsAndTruth, newKey } from '../records/lab.ts'
import { CleanupLab, DAY } from './lab.ts'

const ACTOR = { trigger: 'command', actor: 'a test' } as const

eachDatabase((database) => {
  test.group(`Cleanup of records | ${database.label}`, (group) => {
    let lab: Lab
    let records: Records
    let cleaning: CleanupLab
    const now = Date.now()

    group.each.setup(async () => {
      const { url } = await redisServer()
      lab = new Lab(url)
      records = openRecords(await emptyTables(database))
      cleaning = new CleanupLab(lab, records)
      return async () => {
        await lab.close()
        await records.close()
      }
    })

    /** Jobs of one status that were made and ended so many days ago, with everything that belongs to jobs. */
    const jobs = async (count: number, status: JobStatus, days: number, user = 'ada') => {
      const keys = Array.from({ length: count }, () => newKey(`q${count % 3}`))
      const at = now - days * DAY
      await cleaning.write(keys, (job, out, index) => {
        add(job, { status, user, worker: 'host:1:x', createdAt: at - 1_000 })
        if (['completed', 'failed', 'cancelled'].includes(status)) job.finishedAt = at
        out.bodies.push({ job, payload: '{}', options: '{}' })
        const attempt = { job, run: 1, attempt: 1, worker: job.worker, startedAt: at - 500 }
        const ending = { finishedAt: at, errorCode: null, error: null, stack: null }
        out.attempts.push({ ...attempt, ...ending, outcome: 'completed' })
        out.events.push({
          job,
          version: 1n,
          list: [
            [at, 1, 0, 'added', null],
            [at, 1, 1, 'stage', { percent: 50, stage: 'a ,"stage", b' }],
          ],
        })
        out.logs.push({
          job,
          version: 2n,
          run: 1,
          attempt: 1,
          lines: [
            [at, 30, 'one'],
            [at, 30, 'two'],
          ],
        })
        out.tags.push({ job, tags: index % 2 ? ['a', 'b'] : ['a'] })
      })
      return keys
    }

    const exact = async (assert: any) => {
      const { kept, truth, staleTags } = await countsAndTruth(records)
      assert.deepEqual(kept, truth)
      assert.equal(staleTags, 0)
    }

    test('deletes each status by its own clock, with all that belongs to it, and keeps counts exact', async ({
      assert,
    }) => {
      await jobs(40, 'completed', 31)
      await jobs(7, 'completed', 29)
      await jobs(30, 'failed', 91)
      await jobs(20, 'cancelled', 91)
      await jobs(5, 'failed', 20)
      await jobs(4, 'cancelled', 20)
      for (const status of ['pending', 'scheduled', 'blocked', 'running'] as const) {
        await jobs(3, status, 400)
      }
      const before = await cleaning.rows()
      const { counts, error } = await cleaning.cleanup().run(ACTOR)
      assert.isNull(error)
      assert.containSubset(counts, {
        completedRecords: 40,
        failedRecords: 30,
        cancelledRecords: 20,
        logLines: 180,
      })
      const after = await cleaning.rows()
      assert.deepEqual(
        Object.fromEntries(Object.entries(before).map(([table, n]) => [table, n - after[table]])),
        { jobs: 90, bodies: 90, attempts: 90, runs: 0, events: 90, logs: 180, tags: 90 + 45 }
      )
      const left = await records.reader.counts()
      assert.containSubset(left, { completed: 7, failed: 5, cancelled: 4, running: 3, pending: 3 })
      await exact(assert)
    })

    test('says before what would go, and removes nothing then', async ({ assert }) => {
      await jobs(12, 'completed', 31)
      await jobs(5, 'failed', 40)
      await jobs(10, 'failed', 91)
      const before = await cleaning.rows()
      const cleanup = cleaning.cleanup()
      const dry = await cleanup.run({ ...ACTOR, dryRun: true })
      assert.deepEqual(await cleaning.rows(), before)
      assert.containSubset(dry.counts, {
        completedRecords: 12,
        failedRecords: 10,
        logLines: 24 + 10 + 20,
        progressReports: 5,
        names: 0,
      })
      const real = await cleanup.run(ACTOR)
      assert.isAbove(real.counts.names, 0)
      assert.deepEqual({ ...real.counts, names: 0 }, dry.counts)
      assert.deepEqual(
        (await cleanup.runs({ limit: 5 })).map(({ id, dryRun, trigger, actor, counts }) => [
          id,
          dryRun,
          trigger,
          actor,
          counts.completedRecords,
        ]),
        [
          [2, false, 'command', 'a test', 12],
          [1, true, 'command', 'a test', 12],
        ]
      )
    })

    test('takes logs and progress of records that stay, and leaves what else happened', async ({
      assert,
    }) => {
      const [key] = await jobs(1, 'failed', 31)
      const [young] = await jobs(1, 'failed', 29)
      const { counts } = await cleaning.cleanup().run(ACTOR)
      assert.containSubset(counts, { logLines: 2, progressReports: 1, failedRecords: 0 })
      const details = await records.reader.find(key.id)
      assert.deepEqual(
        details!.events.map(({ kind }) => kind),
        ['added']
      )
      assert.lengthOf((await records.reader.find(young.id))!.events, 2)
      assert.lengthOf((await records.reader.logs(key.id, { limit: 10 })).lines, 0)
      assert.lengthOf((await records.reader.logs(young.id, { limit: 10 })).lines, 2)
    })

    test('deletes a job with very long logs in pieces', async ({ assert }) => {
      const [key] = await jobs(1, 'completed', 31)
      for (let version = 10n; version < 40n; version++) {
        await cleaning.write([key], (job, out) => {
          const lines = Array.from({ length: 400 }, (_, n) => [now, 30, `line ${n}`] as never)
          out.logs.push({ job, version, run: 1, attempt: 1, lines })
        })
      }
      const held: number[] = []
      const { counts } = await cleaning
        .cleanup()
        .run({ ...ACTOR, onHeld: (milliseconds) => held.push(milliseconds) })
      assert.equal(counts.logLines, 12_002)
      assert.equal(counts.completedRecords, 1)
      assert.isAbove(held.length, 3)
      assert.deepEqual(Object.values(await cleaning.rows()), [0, 0, 0, 0, 0, 0, 0])
    })

    test('leaves a job whose restart has not reached its record', async ({ assert }) => {
      lab.worker('alive', () => {
        throw new Error('no')
      })
      lab.mirror(records)
      const id = await lab.add('alive', {}, {})
      await waitFor('its failure', async () => (await records.reader.find(id))?.finishedAt)
      await lab.mirrored()
      await lab.stopWorkers()
      await lab.stopMirrors()
      cleaning.ahead = 100 * DAY
      const job = lab.job('alive', {}, { id })
      await lab.transport.restart('alive', id, { by: 'me', run: 2, job })
      const { counts } = await cleaning.cleanup().run(ACTOR)
      assert.equal(counts.failedRecords, 0)
      assert.equal((await records.reader.find(id))!.status, 'failed')
      lab.mirror(records)
      await waitFor('run 2', async () => (await records.reader.find(id))?.run === 2)
    })

    test('leaves what ended in a queue whose mirror is behind, and says so', async ({ assert }) => {
      const keys = await jobs(3, 'completed', 31)
      await jobs(3, 'failed', 91)
      await lab.add(keys[0].queue)
      const { counts, error } = await cleaning.cleanup().run(ACTOR)
      assert.containSubset(counts, { completedRecords: 0, failedRecords: 0 })
      assert.containSubset(counts, { logLines: 0, progressReports: 0 })
      assert.match(error!, /The mirror is behind in "q0"/)
      lab.mirror(records)
      await lab.mirrored()
      const later = await cleaning.cleanup().run(ACTOR)
      assert.containSubset(later.counts, { completedRecords: 3, failedRecords: 3, logLines: 12 })
      assert.isNull(later.error)
      await exact(assert)
    })

    test('waits for the mirror once, however many queues it is behind in', async ({ assert }) => {
      for (const count of [3, 4, 5]) {
        const [{ queue }] = await jobs(count, 'completed', 31)
        await lab.add(queue)
      }
      const cleanup = new Cleanup({ ...cleaning.dependencies(), patience: 1_500 })
      const begun = performance.now()
      const { counts, error } = await cleanup.run(ACTOR)
      assert.equal(counts.completedRecords, 0)
      assert.match(error!, /The mirror is behind in "q\d", "q\d", "q\d"/)
      assert.isBelow(performance.now() - begun, 3_000)
    })

    test('refuses a restart while the record is deleted', async ({ assert }) => {
      const [key] = await jobs(1, 'failed', 91)
      const operation = new RestartJob({ reader: records.reader, transport: lab.transport })
      const dependencies = cleaning.dependencies()
      const answers: unknown[] = []
      const cleanup = new Cleanup({
        ...dependencies,
        records: {
          ready: () => records.ready(),
          writer: records.writer,
          db: records.db,
          eraser() {
            const eraser = records.eraser()
            const read = eraser.read.bind(eraser)
            let isAsked = false
            /** Between the claim and the deletion. */
            eraser.read = async (action) => {
              const claimed = await lab.redis.scard(lab.transport.keys.erasing)
              if (claimed === 1 && !isAsked) {
                isAsked = true
                const actor = { id: 'me', via: 'code' } as const
                answers.push(await operation.handle(key.id, actor))
              }
              return read(action)
            }
            return eraser
          },
        },
      })
      const { counts } = await cleanup.run(ACTOR)
      assert.equal(counts.failedRecords, 1)
      assert.lengthOf(answers, 1)
      assert.containSubset(answers[0], { outcome: 'too_late' })
      assert.match((answers[0] as any).reason, /being deleted/)
      assert.equal(await lab.redis.exists(lab.transport.keys.erasing), 0)
      assert.equal(await lab.redis.exists(lab.transport.keys.job(key.queue, key.id)), 0)
    })

    test('waits for others who write, and lets them in between', async ({ assert }) => {
      await jobs(300, 'completed', 31)
      const eraser = records.eraser()
      let isHeld = false
      const holding = eraser.locked(async () => {
        isHeld = true
        await pause(700)
        isHeld = false
      })
      await waitFor('the lock', () => isHeld, { every: 1 })
      const held: boolean[] = []
      const cleaned = cleaning.cleanup().run({ ...ACTOR, onHeld: () => held.push(isHeld) })
      /** A mirror writes meanwhile. */
      const written = jobs(5, 'pending', 0)
      const [{ counts, error }] = await Promise.all([cleaned, written, holding])
      await eraser.close()
      assert.isNull(error)
      assert.equal(counts.completedRecords, 300)
      assert.isFalse(held.includes(true))
      assert.equal((await records.reader.counts()).pending, 5)
      await exact(assert)
    })

    test('forgets names that no job has any more, and mirrors give them anew', async ({
      assert,
    }) => {
      await jobs(3, 'completed', 31, 'gone')
      await jobs(2, 'completed', 1, 'here')
      const { counts } = await cleaning.cleanup().run(ACTOR)
      assert.isAbove(counts.names, 0)
      assert.deepEqual(await records.reader.names('user', '', 10), ['here'])
      const [key] = await jobs(1, 'completed', 1, 'gone')
      assert.equal((await records.reader.find(key.id))!.user, 'gone')
      await exact(assert)
      const zero = await records.db.all('select count(*) as n from queuedeck_cube where n = 0')
      assert.equal(Number(zero[0].n), 0)
    })
  })
})
