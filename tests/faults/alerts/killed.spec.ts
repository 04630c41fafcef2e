import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from '@japa/runner'
import { spawnNode } from '#tests/helpers/app'
import { createDatabase } from '#tests/helpers/databases'
import { redisServer } from '#tests/helpers/servers'
import { waitFor } from '#tests/helpers/wait'
import { only } from '../../functional/alerts/lab.ts'
import { Lab } from '../../functional/mirror/lab.ts'
import { migrate, openRecords } from '../../functional/mirror/records.ts'
import { readPastAlerts } from '../../../src/records/alerts/alert_rows.ts'
import type { AlertProcessOptions } from './alert_process.ts'

test.group('Messages of an alert whose process is killed', () => {
  test('before it sends them, and while it does, are sent by the next, with the same id, and then no more', async ({
    assert,
    cleanup,
  }) => {
    const got: { id: string; event: string }[] = []
    let onMessage = () => {}
    let answers = false
    const hook = createServer(async (request, response) => {
      let body = ''
      for await (const piece of request) body += piece
      got.push(JSON.parse(body))
      onMessage()
      if (answers) response.end()
    })
    await new Promise<void>((resolve) => hook.listen(0, '127.0.0.1', resolve))
    const { port } = hook.address() as AddressInfo
    cleanup(() => {
      hook.closeAllConnections()
      hook.close()
    })
    const { url } = await redisServer()
    const { connection } = await createDatabase()
    await migrate(connection)
    const lab = new Lab(url)
    const records = openRecords(connection)
    cleanup(async () => {
      await lab.close()
      await records.close()
    })
    const begin = (more: Partial<AlertProcessOptions> = {}) => {
      const options: AlertProcessOptions = {
        redis: url,
        prefix: lab.transport.keys.prefix,
        connection,
        alerts: {
          every: 1_000,
          rules: only({ noWorker: { for: 0 } }),
          webhooks: [
            {
              url: `http://127.0.0.1:${port}/`,
              secret: 'sixteen letters and more',
              allowPrivate: true,
            },
          ],
        },
        ...more,
      }
      const script = 'tests/faults/alerts/alert_process.ts'
      const begun = spawnNode(['--import=./bin/typescript.js', script, JSON.stringify(options)], {
        NODE_ENV: 'test',
      })
      cleanup(() => void begun.child.kill('SIGKILL'))
      return begun
    }

    await lab.add('mails')
    const first = begin({ diesAtRecord: true })
    assert.equal((await first.exited).signal, 'SIGKILL', first.output())
    assert.lengthOf(got, 0)

    const second = begin()
    onMessage = () => void second.child.kill('SIGKILL')
    await second.exited
    assert.lengthOf(got, 1)

    onMessage = () => {}
    answers = true
    const third = begin()
    await waitFor('it to be sent again', () => got.length > 1)
    await lab.transport.queueControl.pause('mails')
    await waitFor('the end to be sent', () => got.length > 2)
    assert.deepEqual(
      got.map(({ event }) => event),
      ['opened', 'opened', 'cleared']
    )
    assert.equal(got[0].id, got[1].id)
    await waitFor('that to be noted', async () => {
      const [{ delivery, dueAt }] = await readPastAlerts(records.db, { limit: 1 })
      return dueAt === null && delivery.every(({ state }) => state === 'sent')
    })
    assert.lengthOf(await readPastAlerts(records.db, { limit: 5 }), 1)
    assert.equal((await third.stop()).code, 0, third.output())
    assert.lengthOf(got, 3)
  })
})
