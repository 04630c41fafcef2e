import { test } from '@japa/runner'
import { Cleanup } from '../../../src/cleanup/cleanup.ts'
import { CleanupService } from '../../../src/cleanup/cleanup_service.ts'
import { insertAlert } from '../../../src/records/alerts/alert_rows.ts'
import type { Records } from '../../../src/records/records.ts'
import { createDatabase } from '#tests/helpers/databases'
import { redisServer } from '#tests/helpers/servers'
import { waitFor } from '#tests/helpers/wait'
import { Lab } from '../mirror/lab.ts'
import { migrate, openRecords } from '../mirror/records.ts'
import { CleanupLab } from './lab.ts'

const MINUTE = 60_000

test.group('Cleanup service', (group) => {
  let lab: Lab
  let records: Records
  let cleaning: CleanupLab
  let services: CleanupService[] = []

  group.each.setup(async () => {
    const { url } = await redisServer()
    const { connection } = await createDatabase()
    await migrate(connection)
    lab = new Lab(url)
    records = openRecords(connection)
    cleaning = new CleanupLab(lab, records)
    services = []
    return async () => {
      await Promise.all(services.map((service) => service.stop()))
      await lab.close()
      await records.close()
    }
  })

  const start = (options: { lease?: number } = {}) => {
    const dependencies = cleaning.dependencies()
    const cleanup = new Cleanup(dependencies)
    const service = new CleanupService({ ...dependencies, cleanup, look: 10, ...options })
    services.push(service)
    service.start()
    return service
  }

  const triggers = async () =>
    (await cleaning.cleanup().runs({ limit: 50 })).map(({ trigger }) => trigger).reverse()

  const ended = (count: number) =>
    waitFor(`${count} runs`, async () => {
      const runs = await cleaning.cleanup().runs({ limit: 50 })
      return runs.length >= count && runs.every(({ endedAt }) => endedAt !== null)
    })

  test('runs at the start and then every ten minutes, in one of all processes', async ({
    assert,
  }) => {
    const [one, other] = [start(), start()]
    await ended(1)
    assert.equal([one, other].filter(({ isLeader }) => isLeader).length, 1)
    const status = await cleaning.cleanup().status()
    assert.equal(status.next, status.last!.startedAt + 10 * MINUTE)
    cleaning.ahead += 10 * MINUTE - 5_000
    const looks = await lab.redis.info('commandstats')
    await waitFor('some looks', async () => (await lab.redis.info('commandstats')) !== looks)
    assert.deepEqual(await triggers(), ['start'])
    cleaning.ahead += 5_000
    await ended(2)
    cleaning.ahead += 10 * MINUTE
    await ended(3)
    assert.deepEqual(await triggers(), ['start', 'schedule', 'schedule'])
  })

  test('hands over when it stops, and whoever takes over goes on when the next run is due', async ({
    assert,
  }) => {
    const first = start({ lease: 1_000 })
    await ended(1)
    const second = start({ lease: 1_000 })
    /** Long enough beside a leader to be no new start. */
    const begun = performance.now()
    await waitFor('the start to be over', () => performance.now() - begun > 2_100)
    await first.stop()
    await waitFor('the other to lead', () => second.isLeader)
    assert.deepEqual(await triggers(), ['start'])
    cleaning.ahead += 10 * MINUTE
    await ended(2)
    assert.deepEqual(await triggers(), ['start', 'schedule'])
  })

  test('lets one run at a time, and says who may not', async ({ assert }) => {
    const cleanup = cleaning.cleanup()
    const owner = lab.transport.lease('cleanup-run', 'another', {
      milliseconds: 60_000,
      client: lab.redis,
    })
    await owner.acquire()
    const options = { trigger: 'command', actor: 'a test' } as const
    await assert.rejects(() => cleanup.run(options), /running already/)
    assert.lengthOf(await cleanup.runs({ limit: 5 }), 0)
    await cleanup.run({ ...options, dryRun: true })
    await owner.release()
    await cleanup.run(options)
    assert.lengthOf(await cleanup.runs({ limit: 5 }), 2)
  })

  test('tells no next run while no process cleans up by itself', async ({ assert }) => {
    const cleanup = cleaning.cleanup()
    assert.deepEqual(await cleanup.status(), { last: null, running: null, next: null })
    const run = await cleanup.run({ trigger: 'command', actor: 'a test' })
    const status = await cleanup.status()
    assert.equal(status.last!.id, run.id)
    assert.isNull(status.next)
  })

  test('ends the record of a run whose process did not, and of one that is stopped', async ({
    assert,
  }) => {
    const cleanup = cleaning.cleanup()
    const stopping = new AbortController()
    stopping.abort(new Error('enough'))
    const options = { trigger: 'command', actor: 'a test' } as const
    await assert.rejects(() => cleanup.run({ ...options, signal: stopping.signal }), /enough/)
    const eraser = records.eraser()
    await eraser.transaction((session) =>
      session.run('update queuedeck_cleanups set ended_at = null, error = null')
    )
    await eraser.close()
    assert.equal((await cleanup.status()).running!.id, 1)
    await cleanup.run(options)
    const runs = await cleanup.runs({ limit: 5 })
    assert.lengthOf(runs, 2)
    assert.match(runs[1].error!, /ended in the middle/)
    assert.isNotNull(runs[1].endedAt)
    assert.isNull((await cleanup.status()).running)
  })

  test('ends the record of a dry run whose process did not, an hour after it began', async ({
    assert,
  }) => {
    const cleanup = cleaning.cleanup()
    const options = { trigger: 'command', actor: 'a test' } as const
    const { startedAt } = await cleanup.run({ ...options, dryRun: true })
    const eraser = records.eraser()
    await eraser.transaction((session) =>
      session.run('update queuedeck_cleanups set ended_at = null')
    )
    await eraser.close()
    const dry = async () => (await cleanup.runs({ limit: 5 })).at(-1)!
    cleaning.ahead = 59 * MINUTE
    await cleanup.run(options)
    assert.isNull((await dry()).endedAt)
    cleaning.ahead = 61 * MINUTE
    await cleanup.run(options)
    const { endedAt, error } = await dry()
    assert.isAtLeast(endedAt!, startedAt + 60 * MINUTE)
    assert.match(error!, /after an hour/)
  })

  test('forgets runs and alerts of long ago, and says so before', async ({ assert }) => {
    const options = { trigger: 'command', actor: 'a test' } as const
    await cleaning.cleanup().run(options)
    const at = Date.now()
    const facts = { value: 1, threshold: 1, text: 'It was so' }
    const alert = { rule: 'cpu', subject: 'web-1', openedAt: at, seenAt: at, facts } as const
    await records.ledger.transaction('a test', (session) =>
      insertAlert(session, alert, { clearedAt: at })
    )
    cleaning.ahead = 91 * 24 * 60 * MINUTE
    assert.containSubset(await cleaning.cleanup().count(), { cleanups: 1, alerts: 1 })
    const { counts } = await cleaning.cleanup().run(options)
    assert.containSubset(counts, { cleanups: 1, alerts: 1 })
    assert.lengthOf(await cleaning.cleanup().runs({ limit: 5 }), 1)
  })
})
