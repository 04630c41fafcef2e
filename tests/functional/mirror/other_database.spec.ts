import { test } from '@japa/runner'
import { OtherDatabase } from '../../../src/mirror/other_database.ts'
import { writeMirrorStatus } from '../../../src/mirror/mirror_status.ts'
import { redisServer } from '#tests/helpers/servers'
import { Lab } from './lab.ts'

test.group('Mirror | two applications with one prefix', (group) => {
  let lab: Lab
  let said: string[]
  let other: OtherDatabase

  group.each.setup(async () => {
    lab = new Lab((await redisServer()).url)
    said = []
    const logger = { warn: (_: object, message: string) => said.push(message) }
    other = new OtherDatabase(lab.transport, lab.redis, logger as never)
    return () => lab.close()
  })

  test('says once that another database has the records, on taking the lead and without it', async ({
    assert,
  }) => {
    await other.leads('1')
    await other.leads('1')
    await other.follows('1')
    assert.deepEqual(said, [])
    await lab.redis.set(other.key, '2')
    await other.leads('1')
    assert.match(said[0], /were recorded in another database until now/)
    await writeMirrorStatus(lab.transport, { owner: 'b:1:x', database: '3' } as never, lab.redis)
    await other.follows('1')
    await other.follows('1')
    assert.lengthOf(said, 2)
    assert.match(said[1], /^Mirror: b:1:x records .* a "prefix" of its own/)
  })
})
