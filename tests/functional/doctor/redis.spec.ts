import { createServer, type AddressInfo, type Socket } from 'node:net'
import { test } from '@japa/runner'
import { Redis } from 'ioredis'
import { JobRegistry } from '../../../src/jobs/registry.ts'
import { Connections } from '../../../src/transport/connections.ts'
import { Transport } from '../../../src/transport/transport.ts'
import { freePort } from '#tests/helpers/ports'
import { stopwatch } from '#tests/helpers/stopwatch'
import { DoctorLab } from './lab.ts'

test.group('Doctor | Redis', (group) => {
  let lab: DoctorLab

  group.setup(async () => {
    lab = await DoctorLab.open()
    return () => lab.close()
  })

  const configure = (name: string, value: string | number) => lab.redis.config('SET', name, value)

  test('tells of an eviction policy, more urgently where there is a limit', async ({ assert }) => {
    assert.lengthOf(await lab.found('redis-eviction'), 0)
    await configure('maxmemory-policy', 'allkeys-lru')
    const [warning] = await lab.found('redis-eviction')
    assert.equal(warning.severity, 'warning')
    await configure('maxmemory', '500mb')
    const [problem] = await lab.found('redis-eviction')
    assert.equal(problem.severity, 'problem')
    assert.include(problem.remedy, `-p ${lab.server.port} config set maxmemory-policy noeviction`)
    assert.deepInclude(problem.measured, { policy: 'allkeys-lru', maxMemory: 500 * 1_048_576 })
    await configure('maxmemory-policy', 'noeviction')
    assert.lengthOf(await lab.found('redis-eviction'), 0)
  })

  test('tells when it is nearly full, and when it is full', async ({ assert }) => {
    await configure('maxmemory', 0)
    assert.lengthOf(await lab.found('redis-memory'), 0)
    const used = async () => Number(/used_memory:(\d+)/.exec(await lab.redis.info('memory'))![1])
    await configure('maxmemory', Math.round((await used()) / 0.8))
    assert.equal((await lab.found('redis-memory'))[0].severity, 'warning')
    await configure('maxmemory', Math.round((await used()) / 2))
    await lab.dispatch('tests.echo').then(
      () => assert.fail('a full Redis takes no jobs'),
      ({ code }) => assert.equal(code, 'E_REDIS_UNAVAILABLE')
    )
    const { healthy, findings, checks } = await lab.examine()
    const [full] = findings.filter(({ check }) => check === 'redis-memory')
    assert.isFalse(healthy)
    assert.equal(full.severity, 'problem')
    assert.match(full.title, /is full: it refuses new jobs/)
    /** All the others are made while it is full. */
    assert.deepEqual(
      checks.filter(({ outcome }) => outcome === 'skipped'),
      []
    )
    await configure('maxmemory', 0)
  })

  test("tells of other programs' data at the keys of queues, and of queues", async ({ assert }) => {
    const { keys } = lab.dependencies.transport
    await lab.dispatch('tests.echo', {}, { queue: 'theirs' })
    assert.lengthOf(await lab.found('redis-keys'), 0)
    const marker = `${keys.queue('theirs')}marker`
    await lab.redis.set(marker, 'text')
    const [finding] = await lab.found('redis-keys')
    assert.equal(finding.severity, 'problem')
    assert.deepEqual(finding.measured, { key: marker, holds: 'string', needs: 'zset' })
    await lab.redis.del(marker)
    await lab.redis.rename(keys.queues, 'kept')
    await lab.redis.set(keys.queues, 'text')
    assert.deepInclude((await lab.found('redis-keys'))[0].measured, { key: keys.queues })
    await lab.redis.rename('kept', keys.queues)
  })

  test('tells when jobs are in memory only', async ({ assert }) => {
    const [finding] = await lab.found('redis-persistence')
    assert.equal(finding.severity, 'warning')
    await configure('save', '3600 1')
    assert.lengthOf(await lab.found('redis-persistence'), 0)
    await configure('save', '')
    await configure('appendonly', 'yes')
    assert.lengthOf(await lab.found('redis-persistence'), 0)
    await configure('appendonly', 'no')
  })

  test('tells that a replica takes no jobs, and which user may not use functions', async ({
    assert,
  }) => {
    await lab.redis.call(
      'ACL',
      'SETUSER',
      'bare',
      'on',
      '>s',
      '~*',
      '&*',
      '+@all',
      '-function',
      '-fcall'
    )
    const host = new Redis({ port: lab.server.port, username: 'bare', password: 's' })
    const connections = new Connections(() => ({ ioConnection: host }) as never)
    const transport = new Transport(connections, { prefix: lab.dependencies.config.prefix })
    const [slow] = await lab.found('redis-version', { transport })
    assert.equal(slow.severity, 'info')
    assert.match(slow.detail, /may not use functions/)
    await connections.closeAll()
    host.disconnect()

    assert.lengthOf(await lab.found('redis-version'), 0)
    await lab.redis.replicaof('127.0.0.1', await freePort())
    const { findings } = await lab.examine()
    await lab.redis.replicaof('NO', 'ONE')
    const [replica] = findings.filter(({ check }) => check === 'redis-version')
    assert.match(replica.title, /is a replica: it takes no jobs/)
  })

  test('tells of each what it can while Redis may be asked little', async ({ assert }) => {
    const rules = ['on', '>s', '~*', '&*', '+@all', '-config', '-client|list']
    await lab.redis.call('ACL', 'SETUSER', 'hosted', ...rules)
    const host = new Redis({ port: lab.server.port, username: 'hosted', password: 's' })
    const connections = new Connections(() => ({ ioConnection: host }) as never)
    const transport = new Transport(connections, { prefix: lab.dependencies.config.prefix })
    await lab.dispatch('tests.echo', {}, { queue: 'hosted' })
    const { checks, findings } = await lab.examine({ transport })
    assert.deepEqual(
      checks.filter(({ outcome }) => outcome === 'skipped'),
      []
    )
    /** Whether another program serves it cannot be seen, so it may be all right. */
    const [unserved] = findings.filter(({ check }) => check === 'queues-unserved')
    assert.equal(unserved.severity, 'warning')
    assert.notExists(findings.find(({ check }) => check === 'redis-persistence'))
    await connections.closeAll()
    host.disconnect()
  })
})

test.group('Doctor | something is away', (group) => {
  let lab: DoctorLab

  group.setup(async () => {
    lab = await DoctorLab.open()
    return () => lab.close()
  })

  test('Redis is silent: it says so in time, and what the database knows', async ({
    assert,
    cleanup,
  }) => {
    const sockets = new Set<Socket>()
    const silent = createServer((socket) => void sockets.add(socket))
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    const host = new Redis({ port: (silent.address() as AddressInfo).port, lazyConnect: true })
    host.on('error', () => {})
    const connections = new Connections(() => ({ ioConnection: host }) as never)
    cleanup(async () => {
      await connections.closeAll()
      host.disconnect()
      sockets.forEach((socket) => socket.destroy())
      silent.close()
    })
    const began = stopwatch()
    const { healthy, findings, checks } = await lab.examine({
      transport: new Transport(connections, { prefix: '{x}' }),
    })
    assert.isBelow(began(), 13_000)
    assert.isFalse(healthy)
    assert.match(findings[0].detail, /accepts the connection but does not answer/)
    const outcomes = new Map(checks.map(({ name, outcome }) => [name, outcome]))
    assert.equal(outcomes.get('mirror'), 'skipped')
    assert.equal(outcomes.get('database'), 'passed')
    assert.equal(outcomes.get('job-types'), 'passed')
  })

  test('the database is away: it says so, and what Redis knows', async ({ assert }) => {
    const other = await DoctorLab.open({
      server: lab.server,
      database: {
        kind: 'pg',
        connection: { client: 'pg', connection: { host: '127.0.0.1', port: await freePort() } },
      } as never,
    })
    await other.dispatch('tests.echo', {}, { queue: 'lonely' })
    const { healthy, findings, checks } = await other.examine()
    await other.app.terminate()
    other.redis.disconnect()
    assert.isFalse(healthy)
    const [away] = findings.filter(({ check }) => check === 'database')
    assert.match(away.title, /The database does not answer/)
    const [lonely] = findings.filter(({ check }) => check === 'queues-unserved')
    assert.match(lonely.detail, /1 job pending, waiting since 20/)
    const { outcome, reason } = checks.find(({ name }) => name === 'job-types')!
    assert.deepEqual({ outcome, reason }, { outcome: 'skipped', reason: 'the database is away' })
  })

  test('tables are missing, older or newer', async ({ assert }) => {
    const set = async (version: number) => {
      const database = await lab.app.container.make('lucid.db')
      await database.rawQuery(`update queuedeck_meta set value = ${version} where name = 'schema'`)
    }
    const { records } = lab.dependencies
    const now = await records.version()
    await set(now - 1)
    assert.equal((await lab.found('database'))[0].remedy, 'node ace migration:run')
    const config = { ...lab.dependencies.config, database: 'history' }
    const [named] = await lab.found('database', { config })
    assert.include(named.remedy, "createQueuedeckTables(db.connection('history'))")
    await set(now + 1)
    assert.equal((await lab.found('database'))[0].severity, 'warning')
    await set(now)
    assert.lengthOf(await lab.found('database'), 0)
    const { createDatabase } = await import('#tests/helpers/databases')
    const empty = await DoctorLab.open({ server: lab.server, database: await createDatabase() })
    const [missing] = await empty.found('database')
    await empty.app.terminate()
    empty.redis.disconnect()
    assert.equal(missing.title, 'The tables of Queuedeck are missing')
  })

  test('job files are broken', async ({ assert }) => {
    const folder = new URL('../../fixtures/jobs/', import.meta.url).pathname
    const broken = await lab.found('job-files', { registry: new JobRegistry(`${folder}broken`) })
    assert.include(
      broken.map(({ title }) => title),
      'The job file throws.ts gives no job type'
    )
    const [doubled] = await lab.found('job-names', {
      registry: new JobRegistry(`${folder}doubled`),
    })
    assert.equal(doubled.severity, 'problem')
  })
})
