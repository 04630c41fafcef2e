import { test } from '@japa/runner'
import { applicationEnv, runAce, startWorker } from '#tests/helpers/app'
import { waitFor } from '#tests/helpers/wait'
import { openRecords } from '../mirror/records.ts'
import { answerOf, migratedDatabase } from './lab.ts'

test.group('Workers whose output nobody reads any more', () => {
  test('go on with their jobs, and end in order', async ({ assert, cleanup }) => {
    const database = await migratedDatabase()
    const env = await applicationEnv({ database })
    const records = openRecords(database.connection)
    const worker = startWorker({ ...env, LOG_LEVEL: 'info' })
    cleanup(async () => {
      worker.child.kill('SIGKILL')
      await records.close()
    })
    await waitFor('the worker', () => worker.output().includes('jobs at once'), { within: 60_000 })
    worker.child.stdout!.destroy()
    worker.child.stderr!.destroy()
    const args = ['queue:dispatch', 'demo.flaky', '{"failures":1}', '--json']
    const { json } = answerOf(args, await runAce(args, env))
    await waitFor(
      'the job to end',
      async () => (await records.reader.find(json.job.id))?.status === 'completed',
      { within: 60_000 }
    )
    worker.child.kill('SIGTERM')
    const [code, signal] = await new Promise<[number | null, string | null]>((resolve) =>
      worker.child.once('exit', (...ending) => resolve(ending))
    )
    assert.deepEqual([code, signal], [0, null])
  }).timeout(180_000)
})
