import { test } from '@japa/runner'
import type { AppProcess } from '#tests/helpers/app'
import { redisServer } from '#tests/helpers/servers'
import { waitFor } from '#tests/helpers/wait'
import { WorkerLab } from '../../functional/worker/lab.ts'
import type { Watched } from '../../functional/worker/watched_jobs.ts'
import { add, startProcess } from './processes.ts'

const worker = { lease: '1s', grace: '500ms' }

test.group('A worker that is stopped for longer than its leases', (group) => {
  let lab: WorkerLab
  let first: AppProcess
  let second: AppProcess | undefined
  group.each.setup(async () => {
    lab = new WorkerLab((await redisServer()).url)
    first = await startProcess(lab, { worker })
    return async () => {
      first.child.kill('SIGCONT')
      await Promise.all([first.stop(), second?.stop()])
      second = undefined
      await lab.close()
    }
  })

  const lines = () => lab.redis.lrange(`${lab.prefix}~watched`, 0, -1)
  const said = (line: string) => waitFor(line, async () => (await lines()).includes(line))

  const begin = (type: string, payload: Partial<Watched>) =>
    add(lab, type, { url: lab.url, list: `${lab.prefix}~watched`, ...payload })

  /** Stops the worker as soon as a job has said something, and starts another one. */
  async function stopAt(line: string, type: string, payload: Partial<Watched>): Promise<string> {
    const id = await begin(type, payload)
    await said(line)
    first.child.kill('SIGSTOP')
    second = await startProcess(lab, { worker })
    return id
  }

  for (const type of ['watched', 'watched-apart']) {
    test(`does not begin the code of a job that another has meanwhile: ${type}`, async ({
      assert,
    }) => {
      const id = await stopAt('checks', type, { checks: 500, ms: 1_500 })
      await said('begins 2')
      first.child.kill('SIGCONT')
      const job = await lab.ended(id)
      assert.deepEqual([job.state, job.returnvalue], ['completed', '"attempt 2"'])
      assert.equal((await first.stop()).code, 0)
      assert.deepEqual(await lines(), ['checks', 'checks', 'begins 2', 'returns 2'])
    })
  }

  test('leaves none that runs in a process of its own behind', async ({ assert }) => {
    const id = await stopAt('begins 1', 'watched-apart', { ms: 3_000 })
    await said('begins 2')
    await lab.ended(id)
    const wanted = ['begins 1', 'hears LEASE_LOST 1', 'begins 2', 'returns 2']
    assert.deepEqual(await lines(), wanted)
  })

  test('leaves none there that never looks at its signal', async ({ assert }) => {
    const id = await stopAt('begins 1', 'watched-apart', { ms: 4_000, deaf: true })
    await lab.ended(id)
    const seen = await lines()
    assert.sameMembers(seen, ['begins 1', 'hears LEASE_LOST 1', 'begins 2', 'returns 2'])
  })

  test('goes on for as long as it is not stopped', async ({ assert }) => {
    const id = await begin('watched-apart', { ms: 3_000, deaf: true })
    await lab.ended(id)
    assert.deepEqual(await lines(), ['begins 1', 'returns 1'])
  })
})
