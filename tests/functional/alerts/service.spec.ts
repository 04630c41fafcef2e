import { setTimeout as pause } from 'node:timers/promises'
import { test } from '@japa/runner'
import { eraseAlerts } from '../../../src/records/alerts/alert_rows.ts'
import { createDatabase, eachDatabase } from '#tests/helpers/databases'
import { redisServer } from '#tests/helpers/servers'
import { waitFor } from '#tests/helpers/wait'
import { Lab } from '../mirror/lab.ts'
import { migrate, openRecords } from '../mirror/records.ts'
import { AlertLab, only } from './lab.ts'

const MINUTE = 60_000

const actor = (id: string) => ({ id, via: 'code' as const })

const WORKERS_ONLY = { alerts: { rules: only({ noWorker: {} }) } }

async function openLab(kind: Parameters<typeof createDatabase>[0], url: string, config = {}) {
  const { connection } = await createDatabase(kind)
  await migrate(connection)
  const records = openRecords(connection)
  const lab = new Lab(url)
  const alerts = new AlertLab(lab, records, config)
  const close = async () => {
    await alerts.close()
    await lab.close()
    await records.close()
  }
  return { lab, alerts, records, close }
}

eachDatabase(({ kind, label }) => {
  test.group(`Alerts | ${label}`, () => {
    test('are opened, told and closed once, whoever watches', async ({ assert, cleanup }) => {
      const { url } = await redisServer()
      const { lab, alerts, records, close } = await openLab(kind, url, WORKERS_ONLY)
      cleanup(close)
      await lab.add('a')
      await lab.add('b "quoted" <b>')
      const watches = Array.from({ length: 4 }, () => alerts.watch())
      const all = () => Promise.all(watches.map((watch) => watch.look(lab.redis)))
      await all()
      alerts.ahead += 2 * MINUTE
      await all()
      assert.sameMembers(alerts.told, ['opened noWorker a', 'opened noWorker b "quoted" <b>'])
      await all()
      assert.lengthOf(alerts.told, 2)

      const book = alerts.alerts()
      const [first] = await book.open()
      const answers = await Promise.all([
        book.acknowledge(first.id!, actor('ada')),
        book.acknowledge(first.id!, actor('bob')),
      ])
      assert.isTrue(answers.every(({ outcome }) => outcome === 'done'))
      assert.lengthOf(
        alerts.told.filter((line) => line.startsWith('acknowledged')),
        1
      )
      await assert.rejects(() => book.acknowledge(4_711, actor('ada')), /No alert "4711"/)

      await lab.transport.workers.report('w', { host: 'h', state: 'active', ...BUSY })
      await all()
      assert.deepEqual(await alerts.open(), [])
      assert.lengthOf(
        alerts.told.filter((line) => line.startsWith('cleared')),
        2
      )
      const past = await book.past({ limit: 5 })
      assert.deepEqual(past.map(({ acknowledged }) => acknowledged?.by).filter(Boolean), [
        answers[0].alert.acknowledged!.by,
      ])
      assert.lengthOf(await book.past({ limit: 5, below: past[0].id! }), 1)
      const late = past.find(({ acknowledged }) => acknowledged === null)!
      assert.equal((await book.acknowledge(late.id!, actor('eve'))).outcome, 'too_late')

      const eraser = records.eraser()
      const erase = (before: number) =>
        eraser.transaction((session) => eraseAlerts(session, before))
      assert.equal(await erase(past[0].clearedAt!), 0)
      assert.equal(await erase(past[0].clearedAt! + 1), 2)
      await eraser.close()
    })

    test('of what is muted are recorded, and told when the mute ends before they do', async ({
      assert,
      cleanup,
    }) => {
      const { url } = await redisServer()
      const { lab, alerts, close } = await openLab(kind, url, WORKERS_ONLY)
      cleanup(close)
      const book = alerts.alerts()
      await lab.add('a')
      await lab.add('b')
      await book.mute('noWorker', 'a', 10 * MINUTE, actor('ada'))
      await alerts.look()
      await alerts.look(2 * MINUTE)
      assert.sameMembers(await alerts.open(), ['noWorker a', 'noWorker b'])
      assert.deepEqual(alerts.told, ['opened noWorker b'])
      const muted = (await book.open()).find(({ subject }) => subject === 'a')!
      assert.deepInclude(muted.mute, { subject: 'a', by: 'ada' })
      await alerts.look(7 * MINUTE)
      assert.lengthOf(alerts.told, 1)
      await alerts.look(2 * MINUTE)
      assert.deepEqual(alerts.told, ['opened noWorker b', 'opened noWorker a'])
      assert.deepEqual(await book.mutes(), [])

      await book.mute('noWorker', null, null, actor('ada'))
      await book.mute('noWorker', null, null, actor('bob'))
      assert.deepEqual(
        (await book.mutes()).map(({ by, until }) => [by, until]),
        [['bob', null]]
      )
      await lab.add('c')
      await alerts.look()
      await alerts.look(2 * MINUTE)
      assert.lengthOf(alerts.told, 2)
      assert.isTrue(await book.unmute('noWorker', null, actor('ada')))
      assert.isFalse(await book.unmute('noWorker', null, actor('ada')))
      await alerts.look()
      assert.deepEqual(alerts.told.slice(2), ['opened noWorker c'])
      await assert.rejects(
        () => book.mute('nothing', null, null, actor('x')),
        /"nothing" is no rule/
      )
      const wrong = [0, 999, -1, 3_650 * 86_400_000 + 1, Number.NaN, Infinity, '5000' as never]
      for (const length of wrong) {
        await assert.rejects(
          () => book.mute('noWorker', null, length, actor('x')),
          /"for" must be a duration from 1s to 3650d/
        )
      }
      assert.deepEqual(await book.mutes(), [])
      const { at, until } = await book.mute('noWorker', null, MINUTE / 7, actor('ada'))
      assert.equal(until! - at, 8_571)
      assert.equal((await book.mutes())[0].until, until)
    })
  })
})

const BUSY = {
  queues: ['mails', 'a', 'b "quoted" <b>'],
  cpu: 0,
  cores: 1,
  memory: { used: 1, limit: 2 },
}

test.group('Alert service', () => {
  test('watches in one of all processes, hands over, and tells open pages', async ({
    assert,
    cleanup,
  }) => {
    const { url } = await redisServer()
    const rules = only({ noWorker: { for: 0 } })
    const config = { alerts: { every: 1_000, rules } }
    const { lab, alerts, close } = await openLab('sqlite', url, config)
    cleanup(close)
    const notices: unknown[] = []
    const end = await lab.transport.changes.subscribe(({ alerts: of }) => of && notices.push(...of))
    cleanup(end)
    const [one, other] = [alerts.service({ lease: 400 }), alerts.service({ lease: 400 })]
    await waitFor('one to lead', () => one.isLeader || other.isLeader)
    assert.equal([one, other].filter(({ isLeader }) => isLeader).length, 1)
    await lab.add('mails')
    await waitFor('the alert', async () => (await alerts.open()).length === 1)
    assert.deepEqual(alerts.told, ['opened noWorker mails'])
    await waitFor('pages to be told', () => notices.length > 0)
    assert.containSubset(notices, [{ level: 'error', title: 'No worker for a queue' }])
    const [leader, next] = one.isLeader ? [one, other] : [other, one]
    await leader.stop()
    await waitFor('the other to lead', () => next.isLeader)
    await lab.transport.workers.report('w', { host: 'h', state: 'active', ...BUSY })
    await waitFor('the end', async () => (await alerts.open()).length === 0)
  })

  test('tells that Redis is away and back, and that it is nearly full before it is', async ({
    assert,
    cleanup,
  }) => {
    const redis = await redisServer({ own: true })
    cleanup(() => redis.stop())
    const rules = only({ redisAway: { threshold: 1_000 }, redisMemory: {}, redisEviction: {} })
    const { lab, alerts, close } = await openLab('sqlite', redis.url, {
      alerts: { every: 1_000, rules },
    })
    cleanup(close)
    await lab.redis.config('SET', 'maxmemory-policy', 'allkeys-lru')
    assert.deepEqual(await alerts.look(), ['redisEviction redis'])
    await lab.redis.config('SET', 'maxmemory-policy', 'noeviction')
    assert.deepEqual(await alerts.look(), [])

    /** Filled with jobs, watched meanwhile: the alert is there before anything is refused. */
    const used = Number(/used_memory:(\d+)/.exec(await lab.redis.info('memory'))![1])
    await lab.redis.config('SET', 'maxmemory', String(used + 8_000_000))
    const payload = 'x'.repeat(100_000)
    let open: string[] = []
    let refused: Error | undefined
    for (let n = 0; n < 200 && !refused; n++) {
      open = await alerts.look()
      await lab
        .add('mails', {}, { data: JSON.stringify({ payload }) })
        .catch((error) => (refused = error))
    }
    assert.match(refused!.message, /full/)
    assert.deepEqual(open, ['redisMemory redis'])
    assert.deepEqual(await alerts.look(), open)
    await lab.redis.config('SET', 'maxmemory', '0')
    assert.deepEqual(await alerts.look(), [])
    await lab.redis.flushall()

    const [one, other] = [1, 2].map(() => alerts.service({ host: 'web-1' }))
    await waitFor('one to lead', () => one.isLeader || other.isLeader)
    await redis.halt()
    await waitFor('the alert', async () => (await alerts.open()).includes('redisAway web-1'))
    const [away] = await alerts.alerts().open()
    assert.match(away.text, /from host "web-1": .*refused/)
    assert.isTrue(Number.isInteger(away.value))
    await redis.start()
    await waitFor('its end', async () => (await alerts.open()).length === 0)
    assert.deepEqual(
      alerts.told.filter((line) => line.includes('redisAway')),
      ['opened redisAway web-1', 'cleared redisAway web-1']
    )
  })

  test('tells that Redis is away again and again, and soon that it is back, however seldom it looks', async ({
    assert,
    cleanup,
  }) => {
    const redis = await redisServer({ own: true })
    cleanup(() => redis.stop())
    const rules = only({ redisAway: { threshold: 1_000 } })
    const { alerts, close } = await openLab('sqlite', redis.url, { alerts: { every: '1h', rules } })
    cleanup(close)
    const service = alerts.service({ host: 'web-1', touch: 200 })
    await waitFor('it to lead', () => service.isLeader)
    await redis.halt()
    await waitFor('the alert', async () => (await alerts.open()).length === 1)
    /** Another host, which reaches its Redis, watches. */
    const { url } = await redisServer()
    const other = new Lab(url)
    cleanup(() => other.close())
    alerts.ahead += 3 * MINUTE
    await waitFor('it to be told again', async () => {
      const [{ seenAt }] = await alerts.alerts().open()
      return seenAt > Date.now() + 2 * MINUTE
    })
    await alerts.watch().look(other.redis)
    assert.deepEqual(await alerts.open(), ['redisAway web-1'])
    await redis.start()
    await waitFor('its end', async () => (await alerts.open()).length === 0)
    assert.deepEqual(alerts.told, ['opened redisAway web-1', 'cleared redisAway web-1'])
  })

  test('takes no silence for that of Redis while its own process was held up', async ({
    assert,
    cleanup,
  }) => {
    const { url } = await redisServer()
    const rules = only({ redisAway: { threshold: 1_000 } })
    const { alerts, close } = await openLab('sqlite', url, { alerts: { every: 1_000, rules } })
    cleanup(close)
    const service = alerts.service()
    await waitFor('it to lead', () => service.isLeader)
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3_000)
    await pause(500)
    assert.deepEqual(alerts.told, [])
  })
})
