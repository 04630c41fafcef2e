import { createHmac } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from '@japa/runner'
import { Webhook, type Resolve } from '../../../src/alerts/webhook.ts'
import { readOpenAlerts, readPastAlerts } from '../../../src/records/alerts/alert_rows.ts'
import { createDatabase } from '#tests/helpers/databases'
import { hostApp } from '#tests/helpers/host'
import { redisServer } from '#tests/helpers/servers'
import { waitFor } from '#tests/helpers/wait'
import { stopwatch } from '#tests/helpers/stopwatch'
import { Lab } from '../mirror/lab.ts'
import { migrate, openRecords } from '../mirror/records.ts'
import { AlertLab, only } from './lab.ts'

const SECRET = 'sixteen letters and more'
const MINUTE = 60_000

type Got = { headers: IncomingMessage['headers']; body: string; json: any }

/** A receiver that answers as a test says. */
async function receiver(answer: (response: ServerResponse, count: number) => void) {
  const got: Got[] = []
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const piece of request) body += piece
    got.push({ headers: request.headers, body, json: JSON.parse(body) })
    answer(response, got.length)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    got,
    port,
    url: `http://127.0.0.1:${port}/hook`,
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

const MESSAGE = {
  id: 'alert-1',
  event: 'opened' as const,
  alert: { rule: 'noWorker', openedAt: 0, seenAt: 0, clearedAt: null } as never,
}

const never = new AbortController().signal

const settings = (url: string, more = {}) => ({
  url,
  secret: SECRET,
  allowPrivate: true,
  timeout: 5_000,
  ...more,
})

test.group('Webhooks', () => {
  test('post what is signed, and read of the answer only its status', async ({
    assert,
    cleanup,
  }) => {
    const endless = await receiver((response) => {
      response.writeHead(200)
      const write = () => {
        while (!response.destroyed && response.write(Buffer.alloc(1_000_000)));
      }
      response.on('drain', write)
      write()
    })
    cleanup(endless.close)
    const begun = stopwatch()
    await new Webhook(settings(endless.url)).send(MESSAGE, never)
    assert.isBelow(begun(), 2_000)
    const [{ headers, body, json }] = endless.got
    const signed = `${headers['x-queuedeck-timestamp']}.${body}`
    assert.equal(
      headers['x-queuedeck-signature'],
      `sha256=${createHmac('sha256', SECRET).update(signed).digest('hex')}`
    )
    assert.containSubset(json, { id: 'alert-1', event: 'opened', alert: { rule: 'noWorker' } })
  })

  test('wait for no answer longer than their time', async ({ assert, cleanup }) => {
    const slow = await receiver(() => {})
    const dripping = await receiver((response) => {
      const timer = setInterval(() => response.socket?.write('H'), 20)
      response.on('close', () => clearInterval(timer))
    })
    cleanup(slow.close)
    cleanup(dripping.close)
    for (const { url } of [slow, dripping]) {
      const begun = stopwatch()
      await assert.rejects(
        () => new Webhook(settings(url, { timeout: 200 })).send(MESSAGE, never),
        /200 ms|Parse Error/
      )
      assert.isBelow(begun(), 2_000)
    }
    const lost: Resolve = () => {}
    await assert.rejects(
      () => new Webhook(settings('http://a.test', { timeout: 200 }), lost).send(MESSAGE, never),
      /200 ms/
    )
  })

  test('follow no redirect, and try again where it may help', async ({ assert, cleanup }) => {
    let status = 302
    const inside = await receiver((response) => response.end())
    const hook = await receiver((response) =>
      response.writeHead(status, { location: inside.url }).end()
    )
    cleanup(inside.close)
    cleanup(hook.close)
    const send = () => new Webhook(settings(hook.url)).send(MESSAGE, never)
    const finals: Record<number, boolean> = { 302: true, 404: true, 429: false, 500: false }
    for (const [code, final] of Object.entries(finals)) {
      status = Number(code)
      await assert.rejects(send, new RegExp(`answered ${code}`))
      await send().catch((error) => assert.equal(error.final, final, code))
    }
    assert.lengthOf(inside.got, 0)
  })

  test('reach no private address, however it is written or resolved', async ({
    assert,
    cleanup,
  }) => {
    const inside = await receiver((response) => response.end())
    cleanup(inside.close)
    const mixed: Resolve = (_host, done) =>
      done(null, [
        { address: '2606:4700:4700::1111', family: 6 },
        { address: '127.0.0.1', family: 4 },
      ])
    const attempts: [string, Resolve?][] = [
      [`http://127.0.0.1:${inside.port}`],
      [`http://localhost:${inside.port}`],
      [`http://0x7f.1:${inside.port}`],
      [`http://2130706433:${inside.port}`],
      [`http://[::1]:${inside.port}`],
      [`http://[::ffff:127.0.0.1]:${inside.port}`],
      [`http://0:${inside.port}`],
      [`http://public.test:${inside.port}`, mixed],
    ]
    for (const [url, resolve] of attempts) {
      const webhook = new Webhook(settings(url, { allowPrivate: false }), resolve)
      await assert.rejects(() => webhook.send(MESSAGE, never), /is not public: set allowPrivate/)
    }
    assert.lengthOf(inside.got, 0)
  })

  test('connect to the address that was checked: the name is asked for once', async ({
    assert,
    cleanup,
  }) => {
    const hook = await receiver((response) => response.end())
    cleanup(hook.close)
    const asked: string[] = []
    const resolve: Resolve = (host, done) => {
      asked.push(host)
      done(null, [{ address: '127.0.0.1', family: 4 }])
    }
    await new Webhook(settings(`http://name.test:${hook.port}`), resolve).send(MESSAGE, never)
    assert.deepEqual(asked, ['name.test'])
    assert.lengthOf(hook.got, 1)
  })
})

test.group('Delivery of alerts', () => {
  async function open(config: object) {
    const { url } = await redisServer()
    const { connection } = await createDatabase()
    await migrate(connection)
    const lab = new Lab(url)
    const records = openRecords(connection)
    const alerts = new AlertLab(lab, records, {
      alerts: { every: 1_000, rules: only({ noWorker: {} }), ...config },
    })
    const close = async () => {
      await alerts.close()
      await lab.close()
      await records.close()
    }
    return { lab, records, alerts, close }
  }

  test('tries again until it is taken, tells of the end after the beginning, and holds nobody up', async ({
    assert,
    cleanup,
  }) => {
    const hook = await receiver((response, count) =>
      response.writeHead(count < 3 ? 503 : 204).end()
    )
    const silent = await receiver(() => {})
    cleanup(hook.close)
    cleanup(silent.close)
    const { lab, records, alerts, close } = await open({
      webhooks: [settings(hook.url), settings(silent.url, { timeout: 300 })],
      mail: { to: 'ops@example.com', from: 'jobs@example.com', mailer: 'smtp' },
    })
    cleanup(close)
    const mails: Record<string, unknown>[] = []
    const mailer = {
      async send(write: (message: never) => void) {
        const mail: Record<string, unknown> = {}
        const set = (name: string) => (value: unknown) => (mail[name] = value)
        const names = ['to', 'from', 'subject', 'text', 'html']
        write(Object.fromEntries(names.map((name) => [name, set(name)])) as never)
        mails.push(mail)
      },
    }
    alerts.mail = {
      ...mailer,
      use: (name) => (assert.equal(name, 'smtp'), mailer),
    }
    const deliverer = alerts.deliverer({ backoff: 20 })
    await lab.add('mails')
    await alerts.look()
    await alerts.look(2 * MINUTE)
    await lab.transport.queueControl.pause('mails')
    await alerts.look()
    assert.deepEqual(alerts.told, ['opened noWorker mails', 'cleared noWorker mails'])
    const now = () => Date.now() + alerts.ahead
    await waitFor('both to be taken', async () => {
      await deliverer.run(now, never)
      return hook.got.length >= 4 && mails.length === 2
    })
    assert.deepEqual(
      hook.got.map(({ json }) => json.event),
      ['opened', 'opened', 'opened', 'cleared']
    )
    assert.lengthOf(new Set(hook.got.slice(0, 3).map(({ json }) => json.id)), 1)
    assert.deepInclude(mails[0], { to: 'ops@example.com', from: 'jobs@example.com' })
    assert.match(mails[0].subject as string, /^Alert: No worker for a queue: mails$/)
    assert.match(mails[1].subject as string, /^Over: /)
    const [{ delivery, dueAt }] = await readPastAlerts(records.db, { limit: 1 })
    assert.deepEqual(
      delivery.filter(({ state }) => state === 'sent').map(({ event }) => event),
      ['opened', 'opened', 'cleared', 'cleared']
    )
    const waiting = delivery.filter(({ state }) => state === 'due')
    assert.deepEqual(
      waiting.map(({ event, attempts }) => [event, attempts > 0]),
      [
        ['opened', true],
        ['cleared', false],
      ]
    )
    assert.match(waiting[0].error!, /not answered within 300 ms/)
    assert.isNotNull(dueAt)
  })

  test('keeps no newer alert behind those whose messages cannot be sent', async ({
    assert,
    cleanup,
  }) => {
    const down = await receiver((response) => response.writeHead(503).end())
    const up = await receiver((response) => response.writeHead(204).end())
    cleanup(down.close)
    cleanup(up.close)
    const { lab, alerts, close } = await open({
      webhooks: [settings(down.url), settings(up.url)],
    })
    cleanup(close)
    const deliverer = alerts.deliverer()
    const now = () => Date.now() + alerts.ahead
    const queues = Array.from({ length: 8 }, (_, at) => `queue-${at}`)
    for (const queue of queues) await lab.add(queue)
    await alerts.look()
    await alerts.look(2 * MINUTE)
    await deliverer.run(now, never)
    for (const queue of queues) await lab.transport.queueControl.pause(queue)
    await alerts.look()
    await deliverer.run(now, never)
    await lab.add('important')
    await alerts.look()
    await alerts.look(2 * MINUTE)
    await deliverer.run(now, never)
    await deliverer.run(now, never)
    assert.include(
      up.got.map(({ json }) => json.alert.subject),
      'important'
    )
  })

  test('sends again what a process took that died, and once what many ask for', async ({
    assert,
    cleanup,
  }) => {
    const hook = await receiver((response, count) => count > 1 && response.end())
    cleanup(hook.close)
    const { lab, records, alerts, close } = await open({ webhooks: [settings(hook.url)] })
    cleanup(close)
    await lab.add('mails')
    await alerts.look()
    await alerts.look(2 * MINUTE)
    const now = () => Date.now() + alerts.ahead
    const dying = new AbortController()
    const first = alerts.deliverer({ claim: 300 }).run(now, dying.signal)
    await waitFor('the first to send', () => hook.got.length === 1)
    dying.abort()
    await first
    const others = Array.from({ length: 4 }, () => alerts.deliverer())
    await waitFor('another to send', async () => {
      await Promise.all(others.map((one) => one.run(now, never)))
      return hook.got.length > 1
    })
    await Promise.all(others.map((one) => one.run(now, never)))
    assert.lengthOf(hook.got, 2)
    assert.equal(hook.got[0].json.id, hook.got[1].json.id)
    const [{ delivery, dueAt }] = await readOpenAlerts(records.db)
    assert.deepEqual(
      delivery.map(({ state }) => state),
      ['sent']
    )
    assert.isNull(dueAt)
  })

  test('tries nothing again while it is muted, and of what is over by then sends the end', async ({
    assert,
    cleanup,
  }) => {
    const hook = await receiver((response, count) =>
      response.writeHead(count < 3 ? 503 : 204).end()
    )
    cleanup(hook.close)
    const { lab, alerts, close } = await open({ webhooks: [settings(hook.url)] })
    cleanup(close)
    const book = alerts.alerts()
    const actor = { id: 'ada', via: 'code' as const }
    const sent = () => hook.got.map(({ json: { event, alert } }) => `${event} ${alert.subject}`)
    const deliverer = alerts.deliverer()
    const deliver = (later = 0) => {
      alerts.ahead += later
      return deliverer.run(() => Date.now() + alerts.ahead, never)
    }
    await lab.add('a')
    await lab.add('b')
    await alerts.look()
    await alerts.look(2 * MINUTE)
    await deliver()
    const tried = sent()
    assert.sameMembers(tried, ['opened a', 'opened b'])
    await book.mute('noWorker', 'a', 20 * MINUTE, actor)
    await book.mute('noWorker', 'b', null, actor)
    await deliver(MINUTE)
    await lab.transport.queueControl.pause('b')
    await alerts.look()
    for (let minute = 0; minute < 18; minute++) await deliver(MINUTE)
    assert.deepEqual(sent().slice(2), ['cleared b'])
    await deliver(2 * MINUTE)
    assert.deepEqual(sent().slice(2), ['cleared b', 'opened a'])
    assert.isNull(hook.got[3].json.alert.mute)
  })

  test('tries again what no record keeps, until it is over', async ({ assert, cleanup }) => {
    const hook = await receiver((response, count) =>
      response.writeHead(count < 3 ? 503 : 204).end()
    )
    cleanup(hook.close)
    const away = await receiver((response) => response.writeHead(503).end())
    cleanup(away.close)
    const webhooks = [settings(hook.url), settings(away.url)]
    const { alerts, close } = await open({ webhooks })
    cleanup(close)
    const over = new AbortController()
    const { alert } = MESSAGE
    const sending = alerts.deliverer({ backoff: 20 }).sendNow('opened', alert, over.signal)
    await waitFor('both to be tried', () => hook.got.length === 3 && away.got.length > 3)
    over.abort()
    await sending
    const tried = away.got.length
    await new Promise((resolve) => setTimeout(resolve, 300))
    assert.deepEqual([hook.got.length, away.got.length], [3, tried])
  })

  test('refuses to start where mails are to be sent and nothing can send them', async ({
    assert,
  }) => {
    await assert.rejects(
      () => hostApp({ queuedeck: { alerts: { mail: { to: 'ops@example.com' } } } }),
      /"alerts\.mail" needs @adonisjs\/mail: install it/
    )
  })
})
