import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { test } from '@japa/runner'
import { type MirrorStatus, writeMirrorStatus } from '../../../src/mirror/mirror_status.ts'
import { applicationEnv, ROOT, spawnNode } from '#tests/helpers/app'
import { findProgram, redisServer } from '#tests/helpers/servers'
import { waitFor } from '#tests/helpers/wait'
import { Lab } from '../mirror/lab.ts'
import { CommandLab, migratedDatabase } from './lab.ts'

test.group('queue:status', () => {
  test('counts workers that report, and tells of what the mirror has not written', async ({
    assert,
    cleanup,
  }) => {
    const lab = await CommandLab.open()
    cleanup(() => lab.close())
    const transport = await lab.app.container.make('queuedeck.transport')
    const { keys, connections } = transport
    for (const id of ['lives', 'gone']) await transport.workers.report(id, { id })
    await connections.producer.zincrby(keys.workers, -60_000, 'gone')
    const behind = { position: '1-0', behind: 3_600_000, audit: null, gap: null }
    const [counts, up] = [
      { entries: 1, repaired: 0, lost: 0 },
      { since: null, error: null },
    ]
    const status = { lag: 12, queues: { mails: behind }, counts, sql: up, redis: up }
    await writeMirrorStatus(transport, status as unknown as MirrorStatus, connections.producer)
    const { output } = await lab.run('queue:status')
    assert.include(output, '1 worker, and 1 that may be gone')
    assert.include(output, 'mirror: lag 3600000 ms')
    const mirror = await lab.run('queue:mirror', '--status')
    assert.include(mirror.output, '1 entries of 1 queues written, lag 3600000 ms')
    const { json } = await lab.ask('queue:status')
    assert.equal(json.statistics.activeWorkers, 1)
  })
})

test.group('queue:status --watch', () => {
  test('shows everything live in a terminal, survives Redis going away, and ends with q', async ({
    assert,
    cleanup,
  }) => {
    const script = findProgram('script')!
    const redis = await redisServer({ own: true })
    const env = await applicationEnv({ redisPort: redis.port, database: await migratedDatabase() })
    const lab = new Lab(redis.url, '{queuedeck}')
    await lab.add('demo')
    await lab.close()
    const command = `stty cols 90 rows 30; ${process.execPath} ace.js queue:status --watch`
    const child = spawn(script, ['-qec', command, '/dev/null'], {
      cwd: fileURLToPath(ROOT),
      env: { PATH: process.env.PATH, HOME: process.env.HOME, NO_COLOR: '1', ...env },
    })
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
    cleanup(async () => {
      child.kill('SIGKILL')
      await redis.stop()
    })
    const shows = (pattern: RegExp) =>
      waitFor(
        `the screen to show ${pattern}`,
        () => pattern.test(output.split('\u001b[H').at(-1)!),
        {
          within: 40_000,
        }
      ).catch((error) => assert.fail(`${error.message}\n${output.slice(-3_000)}`))
    await shows(/demo +1 +0 +0 .* none/)
    await shows(/No mirror runs/)
    assert.notInclude(output, '\u001b[1m')
    await redis.halt()
    await shows(/Redis away for .*the connection is refused/)
    await redis.start()
    await shows(/Redis up/)
    child.stdin.write('q')
    assert.equal(await ended, 0)
    assert.isTrue(output.includes('\u001b[?1049h') && output.includes('\u001b[?25h\u001b[?1049l'))
  }).timeout(150_000)

  test('prints again and again where there is no terminal, until it is told to stop', async ({
    assert,
  }) => {
    const env = await applicationEnv({ database: await migratedDatabase() })
    const watch = spawnNode(['ace.js', 'queue:status', '--watch'], env)
    await waitFor('two answers', () => watch.stdout().split('0 jobs: ').length > 2, {
      within: 60_000,
    })
    assert.notInclude(watch.stdout(), '\u001b[?1049h')
    assert.equal((await watch.stop('SIGTERM')).code, 0)
  })

  test('ends when nobody reads it any more', async ({ assert }) => {
    const env = await applicationEnv({ database: await migratedDatabase() })
    const watch = spawnNode(['ace.js', 'queue:status', '--watch'], env)
    await waitFor('an answer', () => watch.stdout().includes('0 jobs: '), { within: 60_000 })
    watch.child.stdout!.destroy()
    const { code } = await watch.exited
    assert.equal(code, 0)
    assert.equal(watch.stderr(), '')
  })
})
