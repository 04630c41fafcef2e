import { randomUUID } from 'node:crypto'
import { test } from '@japa/runner'
import { AuditMover } from '../../../src/mirror/audit_mover.ts'
import { CancelJob } from '../../../src/operations/cancel_job.ts'
import { ChangeLimit } from '../../../src/operations/change_limit.ts'
import { PauseQueue } from '../../../src/operations/pause_queue.ts'
import type { AuditRow } from '../../../src/records/audit/audit_log.ts'
import type { Records } from '../../../src/records/records.ts'
import type { Actor } from '../../../src/types.ts'
import { eachDatabase } from '#tests/helpers/databases'
import { redisServer } from '#tests/helpers/servers'
import { waitFor } from '#tests/helpers/wait'
import { Lab } from '../mirror/lab.ts'
import { migrate, openRecords } from '../mirror/records.ts'

const ADA: Actor = { id: '7', name: 'Ada Ünal', via: 'page' }
const BOT: Actor = { id: 'deploy_bot', via: 'api' }

eachDatabase(({ label, create }) => {
  test.group(`Audit | ${label}`, (group) => {
    let lab: Lab
    let records: Records

    group.setup(async () => {
      const [{ url }, { connection }] = await Promise.all([redisServer(), create()])
      await migrate(connection)
      lab = new Lab(url)
      records = openRecords(connection)
      return async () => {
        await lab.close()
        await records.close()
      }
    })

    const move = () => new AuditMover(lab.transport, records.audit, lab.redis).run()
    const list = (filter = {}, limit = 50) => records.audit.list(filter, { limit })
    const short = ({ actor, action, target, outcome }: AuditRow) =>
      [actor.name ?? actor.id, action, target.id, outcome].join(' ')

    test('tells who did what to what, and what came of it', async ({ assert }) => {
      const { trail } = lab.transport
      const job = randomUUID()
      const before = await lab.transport.time(lab.redis)
      await trail.act(
        {
          actor: ADA,
          action: 'cancel',
          target: { kind: 'job', id: job },
          detail: { said: 'no\0' },
        },
        async () => ({ outcome: 'requested', reason: 'soon 😀' })
      )
      await trail.act(
        { actor: BOT, action: 'dispatch', target: { kind: 'queue', id: 'mail' } },
        async () => ({ jobId: job }),
        ({ jobId }) => ({ target: { kind: 'job', id: jobId }, detail: { queue: 'mail' } })
      )
      await assert.rejects(
        () =>
          trail.act({ actor: ADA, action: 'drain', target: { kind: 'queue', id: 'mail' } }, () =>
            Promise.reject(new Error('it broke'))
          ),
        'it broke'
      )
      await move()
      const rows = await list()
      assert.deepEqual(rows.map(short), [
        'Ada Ünal drain mail failed',
        `deploy_bot dispatch ${job} done`,
        `Ada Ünal cancel ${job} requested`,
      ])
      const [drained, dispatched, cancelled] = rows
      assert.equal(drained.reason, 'it broke')
      assert.deepEqual(dispatched.detail, { queue: 'mail' })
      assert.deepEqual(dispatched.target, { kind: 'job', id: job })
      assert.deepEqual(cancelled.actor, ADA)
      assert.equal(cancelled.reason, 'soon 😀')
      assert.isTrue(cancelled.at >= before && cancelled.at <= drained.at)
      assert.equal(await lab.redis.xlen(lab.transport.keys.auditTrail), 0)
    })

    test('keeps an action whose process died in the middle, and learns its end from elsewhere', async ({
      assert,
    }) => {
      const { trail } = lab.transport
      const entry = await trail.begin({
        actor: ADA,
        action: 'pause',
        target: { kind: 'queue', id: 'late' },
      })
      await move()
      const target = { target: 'late' }
      assert.deepEqual((await list(target)).map(short), ['Ada Ünal pause late unknown'])
      await trail.end(entry, { outcome: 'done' })
      await move()
      assert.deepEqual((await list(target)).map(short), ['Ada Ünal pause late done'])
    })

    test('neither loses nor doubles what is moved again', async ({ assert }) => {
      const { trail } = lab.transport
      await trail.act(
        { actor: BOT, action: 'resume', target: { kind: 'queue', id: 'again' } },
        async () => ({ outcome: 'done' })
      )
      await lab.redis.xadd(lab.transport.keys.auditTrail, '*', 'entry', '{"id":7}')
      /** Killed between the commit and the removal, at every entry. */
      const waiting = await trail.waiting(10, lab.redis)
      const entries = waiting.flatMap((one) => (one.entry === null ? [] : [one]))
      for (const one of entries) await records.audit.write([one])
      const [first] = await list({ target: 'again' })
      await Promise.all([move(), move()])
      assert.equal(await lab.redis.xlen(lab.transport.keys.auditTrail), 0)
      assert.deepEqual(await list({ target: 'again' }), [first])
      assert.equal(first.outcome, 'done')
    })

    test('filters by who, what, target and time, in pages', async ({ assert }) => {
      const all = await list()
      assert.isAbove(all.length, 4)
      assert.lengthOf(await list({ who: 'ada ünal' }), 3)
      assert.lengthOf(await list({ who: 'ADA*' }), 3)
      assert.lengthOf(await list({ who: '7' }), 3)
      assert.lengthOf(await list({ who: 'deploy_*' }), 2)
      assert.lengthOf(await list({ who: 'deploy%' }), 0)
      assert.lengthOf(await list({ who: 'ADA*', action: 'pause' }), 1)
      const middle = all[2].at
      const early = await list({ to: middle })
      const late = await list({ from: middle })
      assert.lengthOf([...early, ...late], all.length)
      const found: AuditRow[] = []
      for (;;) {
        const page = await records.audit.list({}, { limit: 2, after: found.at(-1) })
        if (page.length === 0) break
        found.push(...page)
      }
      assert.deepEqual(found, all)
    })

    test('is written by operations through the mirror', async ({ assert }) => {
      lab.mirror(records)
      const from = await lab.transport.time(lab.redis)
      const id = await lab.add('mail')
      await lab.mirrored()
      const dependencies = { reader: records.reader, transport: lab.transport }
      await new CancelJob(dependencies).handle(id, ADA, 'a mistake')
      await new CancelJob(dependencies).handle(id, BOT)
      await new PauseQueue(dependencies).pause('mail', ADA)
      await new ChangeLimit(lab.transport).handle({ kind: 'queue', queue: 'mail' }, 4, ADA)
      const { workers } = lab.transport
      await workers.report('host:1:x', {}, lab.redis)
      await lab.redis.zadd(lab.transport.keys.workers, 1, 'host:1:x')
      await workers.removeSilent('host:1:x', 1_000, lab.redis)
      const rows = await waitFor('the audit', async () => {
        const found = await list({ from })
        return found.length === 5 && found.every(({ outcome }) => outcome !== 'unknown') && found
      })
      assert.deepEqual(rows.map(short), [
        'queuedeck remove_worker host:1:x done',
        'Ada Ünal limit queue mail done',
        'Ada Ünal pause mail done',
        `deploy_bot cancel ${id} too_late`,
        `Ada Ünal cancel ${id} done`,
      ])
      assert.equal(rows[4].detail.said, 'a mistake')
      assert.isAbove(rows[0].detail.silent as number, 1_000)
    })
  })
})

test.group('Audit', () => {
  test('takes note while Redis is full, so that people can still act', async ({ assert }) => {
    const redis = await redisServer({ own: true, settings: { 'maxmemory-policy': 'noeviction' } })
    const full = new Lab(redis.url)
    try {
      const id = await full.add('a')
      await full.redis.config('SET', 'maxmemory', '1mb')
      await assert.rejects(() => full.add('a'), /full/)
      const answer = await full.transport.trail.act(
        { actor: ADA, action: 'cancel', target: { kind: 'job', id } },
        () => full.transport.cancel('a', id, { by: 'ada', reason: 'full' })
      )
      assert.equal(answer.outcome, 'done')
      const noted = await full.transport.trail.waiting(10, full.redis)
      assert.deepEqual(
        noted.map(({ entry }) => entry?.outcome),
        ['unknown', 'done']
      )
    } finally {
      await full.close()
      await redis.stop()
    }
  })
})
