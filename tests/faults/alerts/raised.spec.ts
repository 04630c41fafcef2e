import { availableParallelism } from 'node:os'
import { test } from '@japa/runner'
import type { AlertRule } from '../../../src/alert_rules.ts'
import type { AlertRuleConfig } from '../../../src/types.ts'
import { memoryLimit } from '../../../src/worker/memory_limit.ts'
import { createDatabase, eachDatabase, type TestDatabase } from '#tests/helpers/databases'
import { redisServer } from '#tests/helpers/servers'
import { waitFor } from '#tests/helpers/wait'
import { AlertLab, only } from '../../functional/alerts/lab.ts'
import { Lab } from '../../functional/mirror/lab.ts'
import { migrate, openRecords } from '../../functional/mirror/records.ts'
import { ownDatabase } from '../mirror/victims.ts'
import { startProcess } from '../worker/processes.ts'

const MINUTE = 60_000

async function openLab(
  connection: TestDatabase['connection'],
  rules: Partial<Record<AlertRule, AlertRuleConfig>>
) {
  const { url } = await redisServer()
  await migrate(connection)
  const lab = new Lab(url)
  const records = openRecords(connection)
  const alerts = new AlertLab(lab, records, { alerts: { every: 1_000, rules: only(rules) } })
  const close = async () => {
    await alerts.close()
    await lab.close()
    await records.close()
  }
  const { prefix } = lab.transport.keys
  return { lab, alerts, close, way: { url, prefix } }
}

test.group('Alerts of a worker', () => {
  test('that comes, is frozen and wakes: each is told, and is over by itself', async ({
    assert,
    cleanup,
  }) => {
    const { connection } = await createDatabase()
    const { lab, alerts, close, way } = await openLab(connection, {
      noWorker: {},
      staleWorker: { threshold: 12_000, clear: 11_000 },
    })
    cleanup(close)
    await lab.add('default', {}, { name: 'short', data: JSON.stringify({ ms: 1 }) })
    await alerts.look()
    assert.deepEqual(await alerts.look(2 * MINUTE), ['noWorker default'])
    const worker = await startProcess(way)
    cleanup(() => void worker.child.kill('SIGKILL'))
    await waitFor('its first report', async () => (await alerts.look()).length === 0)

    worker.child.kill('SIGSTOP')
    const [open] = await waitFor(
      'its silence to be told',
      async () => {
        const found = await alerts.look()
        return found.length > 0 && found
      },
      { every: 500 }
    )
    const [{ id }] = await lab.transport.workers
      .list(lab.redis)
      .then((list) => list.map(({ report }) => report!))
    assert.equal(open, `staleWorker ${id}`)
    const [alert] = await alerts.alerts().open()
    assert.match(alert.text, new RegExp(`process id ${worker.pid} .* not reported for \\d+ s`))
    worker.child.kill('SIGCONT')
    await waitFor('its end', async () => (await alerts.look()).length === 0, { every: 200 })
    assert.deepEqual(alerts.told, [
      'opened noWorker default',
      'cleared noWorker default',
      `opened staleWorker ${id}`,
      `cleared staleWorker ${id}`,
    ])
    assert.equal((await worker.stop()).code, 0, worker.output())
  })
})

test.group('Alerts of a host', () => {
  test('whose isolated jobs use its processors and memory, until they are cancelled', async ({
    assert,
    cleanup,
  }) => {
    const limit = memoryLimit()
    /** A busy machine gives a job that spins only a part of a processor; a worker without jobs needs nearly nothing. */
    const cpu = Math.max(1, Math.floor(15 / availableParallelism()))
    /** More than a worker and its processes have without such a job. */
    const memory = Math.floor((600_000_000 / limit) * 100) + 1
    const { connection } = await createDatabase()
    const { lab, alerts, close, way } = await openLab(connection, {
      cpu: { threshold: cpu, clear: cpu },
      memory: { threshold: memory, clear: memory },
    })
    cleanup(close)
    const worker = await startProcess(way, { worker: { grace: '200ms' } })
    cleanup(() => void worker.child.kill('SIGKILL'))
    const { workers } = lab.transport
    const [{ report }] = await workers.list(lab.redis)
    const { id, host } = report!
    /** Workers report at once what they are asked to do. */
    let wish: 'quiet' | 'resume' = 'quiet'
    const look = async () => {
      wish = wish === 'quiet' ? 'resume' : 'quiet'
      await workers.ask(id, wish)
      return (await alerts.look()).sort().join()
    }
    const bytes = Math.ceil((limit * memory) / 100)
    const payload = { does: 'hog', bytes, ms: 60_000 }
    const job = await lab.add('default', {}, { name: 'isolated', data: JSON.stringify(payload) })
    await waitFor('both alerts', async () => (await look()) === `cpu ${host},memory ${host}`, {
      every: 500,
    })
    await lab.transport.cancel('default', job, { by: 'Ada', reason: 'enough' })
    await waitFor('their end', async () => (await look()) === '', { every: 500 })
    assert.includeMembers(alerts.told, [`cleared cpu ${host}`, `cleared memory ${host}`])
  })
})

eachDatabase(
  ({ kind, label }) => {
    test.group(`Alerts of a database that was stopped | ${label}`, () => {
      test('are told once while it is away, end with it, and have their record then', async ({
        assert,
        cleanup,
      }) => {
        const database = await ownDatabase(kind)
        cleanup(() => database.stop())
        const { alerts, close } = await openLab(database.connection, {
          databaseAway: { threshold: 2_000, clear: 2_000 },
        })
        cleanup(close)
        const [one, other] = [alerts.service({ lease: 1_000 }), alerts.service({ lease: 1_000 })]
        await waitFor('one to watch', () => one.isLeader || other.isLeader)
        await database.away()
        await waitFor('the alert', () => alerts.told.length > 0)
        const shown = await alerts.alerts().databaseAway()
        assert.deepInclude(shown, { rule: 'databaseAway', clearedAt: null })
        assert.isAtLeast(shown!.value, 2_000)
        /** Whoever watches next tells nothing anew. */
        await (one.isLeader ? one : other).stop()
        await waitFor('another to watch', () => one.isLeader || other.isLeader)
        await database.back()
        await waitFor('its end', () => alerts.told.length > 1)
        assert.deepEqual(alerts.told, [
          'opened databaseAway database',
          'cleared databaseAway database',
        ])
        assert.isNull(await alerts.alerts().databaseAway())
        const [past] = await alerts.alerts().past({ limit: 5 })
        assert.deepInclude(past, { rule: 'databaseAway', openedAt: shown!.openedAt })
        assert.isNotNull(past.clearedAt)
        assert.isEmpty(await alerts.open())
      })
    })
  },
  ['pg', 'mysql']
)
