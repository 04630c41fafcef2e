import { test } from '@japa/runner'
import { Redis } from 'ioredis'
import { applicationEnv, runAce } from '#tests/helpers/app'
import { redisServer } from '#tests/helpers/servers'
import { CommandLab } from './lab.ts'

test.group('Commands | queue:cleanup', (group) => {
  let lab: CommandLab

  group.setup(async () => {
    lab = await CommandLab.open()
    return () => lab.close()
  })

  test('says what it removed, and what it would', async ({ assert }) => {
    const dry = await lab.run('queue:cleanup', '--dry-run')
    assert.equal(dry.code, 0)
    assert.include(dry.output, 'Nothing would be removed')
    const { code, json } = await lab.ask('queue:cleanup')
    assert.equal(code, 0)
    const { cleanup } = json
    assert.containSubset(cleanup, { id: 2, trigger: 'command', dryRun: false, error: null })
    assert.equal(cleanup.counts.completedRecords, 0)
    assert.equal(Date.parse(cleanup.endedAt) - Date.parse(cleanup.startedAt), cleanup.duration)
  })

  test('is refused where its switch has a value that could be read as off', async ({ assert }) => {
    const env = await applicationEnv({ database: lab.database })
    for (const [given, code] of [
      ['--dry-run=yes', 1],
      ['--dry-run=true', 0],
    ] as const) {
      const ended = await runAce(['queue:cleanup', given], env)
      assert.equal(ended.code, code, ended.output)
      if (code === 1) assert.include(ended.output, '"--dry-run" takes no value')
      else assert.include(ended.output, 'Nothing would be removed')
    }
  })

  test('says when another cleanup runs', async ({ assert }) => {
    const client = new Redis((await redisServer()).url)
    try {
      await client.set(`${lab.prefix}~lease:cleanup-run`, 'another', 'PX', 60_000)
      const { code, json } = await lab.ask('queue:cleanup')
      assert.equal(code, 1)
      assert.equal(json.errors[0].code, 'E_CLEANUP_RUNNING')
    } finally {
      await client.quit()
    }
  })
})
