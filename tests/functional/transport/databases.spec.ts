import { Worker } from 'bullmq'
import { test } from '@japa/runner'
import { plainWorkers } from '../../../src/transport/server_facts.ts'
import { redisServer } from '#tests/helpers/servers'
import { waitFor } from '#tests/helpers/wait'
import { WorkerLab } from '../worker/lab.ts'

const NOTICE = { changed: [], more: false, progress: [], lag: 0 }

test.group('Two databases of one Redis, one prefix', (group) => {
  let first: WorkerLab
  let second: WorkerLab
  group.setup(async () => {
    const { url } = await redisServer()
    first = new WorkerLab(url)
    second = new WorkerLab(`${url}/1`, [], {}, first.prefix)
    return () => Promise.all([first.close(), second.close()]).then(() => {})
  })

  test('tell and count changes apart', async ({ assert }) => {
    const heard: number[] = []
    const stop = await first.transport.changes.subscribe(({ revision }) => heard.push(revision))
    for (const expected of [1, 2, 3]) {
      assert.equal(await second.transport.changes.publish(NOTICE), expected)
    }
    await first.transport.changes.publish(NOTICE)
    await waitFor('the notice to be heard', async () => heard.length > 0)
    stop()
    assert.deepEqual(heard, [1])
  })

  test('ask their own workers, and count their own plain ones', async ({ assert, cleanup }) => {
    const pool = await second.start()
    const plain = new Worker('plain', async () => {}, {
      connection: second.redis as never,
      prefix: second.prefix,
    })
    plain.on('error', () => {})
    cleanup(() => plain.close(true))
    const heard: string[] = []
    const stops = await Promise.all(
      [first, second].map(({ transport }, database) =>
        transport.control.subscribe(({ kind }) => heard.push(`${database} ${kind}`))
      )
    )
    await waitFor('the worker to be known', () => second.transport.workers.ask(pool.id, 'quiet'))
    await waitFor('the request to be heard', async () => heard.length > 0)
    stops.forEach((stop) => stop())
    assert.deepEqual([...new Set(heard)], ['1 quiet'])
    const count = async ({ transport }: WorkerLab) =>
      (await plainWorkers(transport, ['plain']))!.get('plain') ?? 0
    await waitFor('the plain worker to wait', async () => (await count(second)) === 1)
    assert.equal(await count(first), 0)
  })
})
