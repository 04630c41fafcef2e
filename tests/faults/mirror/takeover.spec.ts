import { test } from '@japa/runner'
import { Lab } from '../../functional/mirror/lab.ts'
import { migrate, openRecords } from '../../functional/mirror/records.ts'
import { createDatabase } from '#tests/helpers/databases'
import { redisServer } from '#tests/helpers/servers'
import { waitFor } from '#tests/helpers/wait'
import { MirrorProcess } from './victims.ts'

test.group('Mirror | lead', () => {
  test('passes to another process within seconds when the leader is killed', async ({ assert }) => {
    const { url: redis } = await redisServer()
    const lab = new Lab(redis)
    const { connection } = await createDatabase('sqlite')
    await migrate(connection)
    const records = openRecords(connection)
    const settings = { redis, prefix: lab.transport.keys.prefix, connection }
    const [first, second] = [new MirrorProcess(settings), new MirrorProcess(settings)]
    try {
      await waitFor('one of them to lead', () => first.leads ?? second.leads)
      const [leader, other] = first.leads ? [first, second] : [second, first]
      await other.ready()
      assert.isUndefined(other.leads)
      await leader.kill()
      const killedAt = Date.now()
      const id = await lab.add('a')
      await waitFor('the record', async () => (await records.reader.find(id))?.status === 'pending')
      assert.isBelow(Date.now() - killedAt, 10_000)
      assert.isDefined(other.leads)
    } finally {
      await Promise.all([first.kill(), second.kill()])
      await lab.close()
      await records.close()
    }
  })
})
