import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { test } from '@japa/runner'
import { hostClient } from '#tests/helpers/redis_address'
import { redisNode } from '#tests/helpers/redis_groups'
import type { PrivateServer } from '#tests/helpers/servers'
import { stopwatch } from '#tests/helpers/stopwatch'
import { waitFor } from '#tests/helpers/wait'
import { Connections } from '../../../src/transport/connections.ts'
import { hangUp } from '../../../src/transport/hang_up.ts'
import { throughThePages } from './through_the_pages.ts'

const run = promisify(execFile)
const USER = 'queuedeck'
const PASSWORD = 'with "quotes" and spaces'

/** A CA and a certificate for 127.0.0.1 that it signed. */
async function certificates(folder: string) {
  const path = (name: string) => join(folder, name)
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1']
  await run('openssl', [
    ...['req', '-x509', ...key, '-subj', '/CN=test CA'],
    ...['-keyout', path('ca.key'), '-out', path('ca.crt')],
  ])
  await run('openssl', [
    ...['req', '-x509', ...key, '-subj', '/CN=redis', '-addext', 'subjectAltName=IP:127.0.0.1'],
    ...['-CA', path('ca.crt'), '-CAkey', path('ca.key')],
    ...['-keyout', path('redis.key'), '-out', path('redis.crt')],
  ])
  return { ca: path('ca.crt'), cert: path('redis.crt'), key: path('redis.key') }
}

test.group('Redis with TLS, a user and a password', (group) => {
  let server: PrivateServer
  let connection: Record<string, unknown>
  group.setup(async () => {
    const folder = mkdtempSync(join(tmpdir(), 'queuedeck-tls-'))
    const files = await certificates(folder)
    const tls = { ca: readFileSync(files.ca, 'utf8') }
    const rights = '~* &* +@all'
    server = await redisNode({
      settings: {
        'port': '0',
        'tls-cert-file': files.cert,
        'tls-key-file': files.key,
        'tls-ca-cert-file': files.ca,
        'tls-auth-clients': 'no',
        'user default': 'off',
        [`user ${USER}`]: `on "${'>' + PASSWORD.replaceAll('"', '\\"')}" ${rights}`,
      },
      tls,
      client: { tls, username: USER, password: PASSWORD },
    })
    connection = { host: '127.0.0.1', port: server.port, tls, username: USER, password: PASSWORD }
    return async () => {
      await server.stop()
      rmSync(folder, { recursive: true, force: true })
    }
  })

  test('takes jobs, limits, cancels, restarts, pages, live changes and cleanup', async ({
    assert,
  }) => {
    await throughThePages(assert, connection)
  })

  const refusals: [what: string, change: object, reason: RegExp][] = [
    ['the password is wrong', { password: 'no' }, /it refuses the user or the password/],
    ['there is neither', { username: undefined, password: undefined }, /it wants a password/],
    ['nobody vouches for the certificate', { tls: {} }, /its certificate is not trusted/],
    ['the certificate is for another host', { host: 'localhost' }, /is for another host/],
    ['our side uses no TLS', { tls: undefined }, /only one side uses TLS/],
  ]

  /** A second goes by before a producer gives up: all at once. */
  test('says clearly why not', async ({ assert }) => {
    const refused = async ([what, change, reason]: (typeof refusals)[number]) => {
      const host = hostClient(JSON.stringify({ ...connection, ...change }))
      const connections = new Connections(() => ({ ioConnection: host }) as never)
      try {
        const asked = stopwatch()
        const error = await connections
          .produce('the job was not dispatched', (client) => client.ping())
          .then(
            () => undefined,
            (thrown: Error & { code: string }) => thrown
          )
        assert.equal(error?.code, 'E_REDIS_UNAVAILABLE', what)
        assert.match(error!.message, reason, what)
        assert.notInclude(error!.message, PASSWORD)
        assert.isBelow(asked(), 4_000, what)
      } finally {
        await connections.closeAll()
        hangUp(host)
      }
    }
    await Promise.all(refusals.map(refused))
  })

  test('lets go of connections that are still shaking hands with a server that nobody vouches for', async ({
    assert,
  }) => {
    const thrown: string[] = []
    const listen = (error: Error) => thrown.push(error.message)
    process.on('uncaughtExceptionMonitor', listen)
    const letGo = async (milliseconds: number) => {
      const host = hostClient(JSON.stringify({ ...connection, tls: {} }))
      const connections = new Connections(() => ({ ioConnection: host }) as never)
      const connecting = connections.worker.connect().catch(() => {})
      await pause(milliseconds)
      await connections.closeAll()
      hangUp(host)
      await connecting
      await waitFor('the end of it', () => host.status === 'end')
    }
    /** An alert of the server that nobody listens for would end the process. */
    for (let round = 0; round < 5; round++) {
      const moments = Array.from({ length: 16 }, (_, n) => n / 2)
      await Promise.all(moments.map(letGo))
    }
    process.off('uncaughtExceptionMonitor', listen)
    assert.deepEqual(thrown, [])
  })
})
