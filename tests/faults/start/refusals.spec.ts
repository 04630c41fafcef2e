import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from '@japa/runner'
import { Redis } from 'ioredis'
import { DataFolder } from '../../../bin/start/data_folder.ts'
import { checkRedis } from '../../../bin/start/redis_check.ts'
import { PrivateRedis } from '../../../bin/start/private_redis.ts'
import { redisProgram } from '../../../bin/start/redis_program.ts'
import { readSettings } from '../../../bin/start/settings.ts'
import type { AppProcess } from '#tests/helpers/app'
import { freePort } from '#tests/helpers/ports'
import { findProgram, redisServer, redisToRun } from '#tests/helpers/servers'
import { answering, StartLab } from './start_lab.ts'

test.group('npm start | refusals', (group) => {
  let lab: StartLab
  group.each.setup(async () => {
    lab = await StartLab.create()
    return () => lab.end()
  })

  /** The one sentence that a start ended with. One of a kind is told by a start, the others by what it asks. */
  async function refusal(start: AppProcess): Promise<string> {
    const { code } = await start.exited
    if (code === 0) throw new Error(`It did not refuse:\n${start.output()}`)
    const lines = start.stderr().trim().split('\n')
    if (lines.length !== 1) throw new Error(`More than a sentence:\n${start.stderr()}`)
    return lines[0]
  }

  test('names a port that is taken', async ({ assert }) => {
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(lab.port, '127.0.0.1', resolve))
    assert.equal(
      await refusal(lab.start()),
      `Port ${lab.port} of 127.0.0.1 is taken by another program: stop that one, or set PORT to a free port.`
    )
    other.close()
  })

  test('names a port that is none', async ({ assert }) => {
    const says = (port: string) => `PORT cannot be "${port}": give a number from 1 to 65535.`
    assert.equal(await refusal(lab.start({ PORT: 'http' })), says('http'))
    for (const port of ['0', '70000', '-1', '80.5']) {
      assert.throws(() => readSettings({ PORT: port }), says(port))
    }
  })

  test('names a folder that cannot be made', async ({ assert }) => {
    const file = join(lab.folder, 'file')
    writeFileSync(file, '')
    assert.match(
      await refusal(lab.start({ QUEUEDECK_FOLDER: join(file, 'below') })),
      /^Cannot write to .*below \(ENOTDIR\): make it writable, or set QUEUEDECK_FOLDER/
    )
  })

  test('names a folder that cannot be written', async ({ assert }) => {
    // Not even root may write there.
    assert.throws(
      () => new DataFolder('/sys/queuedeck').open(),
      /^Cannot write to \/sys\/queuedeck \((EACCES|EPERM|EROFS)\): make it writable, or set QUEUEDECK_FOLDER/
    )
  })

  test('names the password that a Redis wants', async ({ assert }) => {
    const redis = await redisServer({ own: true, settings: { requirepass: 'secret' } })
    const { host, port } = redis
    const env = { REDIS_HOST: host, REDIS_PORT: String(port), REDIS_PASSWORD: 'wrong' }
    assert.match(await refusal(lab.start(env)), /refuses the password .*: set REDIS_PASSWORD\.$/)
    await assert.rejects(
      () => checkRedis({ host, port, password: '' }),
      /refuses the password .*: set REDIS_PASSWORD\.$/
    )
    await redis.stop()
  })

  test('says with what a Redis answers', async ({ assert }) => {
    const { port, server } = await answering('-ERR the moon is full')
    await assert.rejects(
      () => checkRedis({ host: '127.0.0.1', port, password: '' }),
      `The Redis at 127.0.0.1:${port} answers with an error: "ERR the moon is full".`
    )
    server.close()
  })

  test('says that a Redis takes no writes', async ({ assert }) => {
    const redis = await redisServer({ own: true, settings: { 'min-replicas-to-write': '1' } })
    await assert.rejects(
      () => checkRedis({ host: redis.host, port: redis.port, password: '' }),
      /answers with an error: "NOREPLICAS /
    )
    await redis.stop()
  })

  test('says that no Redis is there', async ({ assert }) => {
    await assert.rejects(
      () => checkRedis({ host: '127.0.0.1', port: 1, password: '' }),
      /^The Redis at 127\.0\.0\.1:1 cannot be used \(.*\): start it, or correct REDIS_HOST and REDIS_PORT\.$/
    )
  })

  test('says why the database cannot be migrated', async ({ assert }) => {
    const refused = await refusal(
      lab.start({ DB_CONNECTION: 'pg', DB_HOST: '127.0.0.1', DB_PORT: '1' })
    )
    assert.match(refused, /^The step "migration" failed: .*ECONNREFUSED.*; see /)
    assert.isNull(lab.running)
  })
})

test.group('npm start | a Redis of its own', (group) => {
  let folder: string
  group.each.setup(() => {
    folder = mkdtempSync(join(tmpdir(), 'queuedeck-redis-program-'))
    mkdirSync(join(folder, 'redis'))
    mkdirSync(join(folder, 'logs'))
    return () => rmSync(folder, { recursive: true, force: true })
  })

  test('says what to do where none is and none can be had', async ({ assert }) => {
    await assert.rejects(
      () => redisProgram(folder, { PATH: folder }),
      'No Redis was found: install redis-server or valkey-server (6.2 or newer), or set REDIS_HOST to a Redis that is there.'
    )
  })

  test('unpacks one of the distribution, which keeps its data', async ({ assert }) => {
    for (const name of ['apt-get', 'dpkg']) symlinkSync(findProgram(name)!, join(folder, name))
    const program = await redisProgram(folder, { PATH: folder })
    assert.isTrue(program.path.startsWith(folder))

    const server = await PrivateRedis.start(program, folder)
    await checkRedis(server.address)
    await server.stop()
    assert.isTrue(existsSync(join(folder, 'redis/appendonlydir')))
    // The second time it is there already.
    assert.deepEqual(await redisProgram(folder, { PATH: '' }), program)
  }).skip(!findProgram('apt-get') || !findProgram('dpkg'), 'this is no Debian or Ubuntu')

  test("takes another port where somebody was faster, and never somebody else's Redis", async ({
    assert,
  }) => {
    const program = await redisToRun()
    const other = await redisServer({ own: true })
    const redis = new Redis(other.port)
    const free = await freePort()
    const ports = [other.port, other.port, free]
    const server = await PrivateRedis.start(program, folder, async () => ports.shift()!)
    assert.equal(server.address.port, free)
    await checkRedis(server.address)
    await server.stop()
    await assert.rejects(
      () => PrivateRedis.start(program, folder, async () => other.port),
      /^The private Redis did not start .* it wrote: .*; see .*redis\.log\.$/
    )
    assert.equal(await redis.dbsize(), 0)
    redis.disconnect()
    await other.stop()
  })
})
