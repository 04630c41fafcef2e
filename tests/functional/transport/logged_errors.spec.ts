import { test } from '@japa/runner'
import { LoggerFactory } from '@adonisjs/core/factories/logger'
import { Redis } from 'ioredis'
import { withoutWhatWasSent } from '../../../src/logged_errors.ts'
import { Connections } from '../../../src/transport/connections.ts'
import { redisServer } from '#tests/helpers/servers'
import { waitFor } from '#tests/helpers/wait'

const SENT = 'sv-123x'

test.group('What Redis answers with an error', () => {
  test('is logged without what was sent', async ({ assert, cleanup }) => {
    const client = new Redis((await redisServer()).url)
    cleanup(() => client.disconnect())
    const error = await client.call('SET', 'a', SENT, 'no-option').catch((refused) => refused)
    const lines: string[] = []
    const factory = new LoggerFactory().merge({ enabled: true }).pushLogsTo(lines)
    const logger = factory.create()
    withoutWhatWasSent(logger).error({ err: error }, 'refused')
    const [line] = lines.map((text) => JSON.parse(text))
    assert.deepEqual(line.err.command, { name: 'SET' })
    assert.match(line.err.message, /syntax error/)
    assert.include(line.err.stack, 'ReplyError')
    assert.notInclude(lines[0], SENT)
  })

  test('is told to the host without the password', async ({ assert, cleanup }) => {
    const { url } = await redisServer({ own: true })
    const admin = new Redis(url)
    await admin.config('SET', 'requirepass', 'another')
    const host = new Redis(url, { password: SENT, lazyConnect: true })
    const told: any[] = []
    host.on('error', (error) => told.push(error))
    const connections = new Connections(() => ({ ioConnection: host }) as never)
    cleanup(async () => {
      await connections.closeAll()
      host.disconnect()
      admin.disconnect()
    })
    void connections.worker
    void host.connect().catch(() => {})
    await waitFor('the host to hear', () => told.some(({ message }) => /WRONGPASS/.test(message)))
    const { command } = told.find(({ message }) => /WRONGPASS/.test(message))
    assert.deepEqual(command, { name: 'auth' })
  })
})
