import type { RedisQueueBackend } from 'bullmq'
import { test } from '@japa/runner'
import type { ClaimReply, ClaimScripts } from '../../../src/worker/claim_scripts.ts'
import { JobSource } from '../../../src/worker/job_source.ts'
import { RedisTrouble } from '../../../src/worker/redis_trouble.ts'
import { waitFor } from '#tests/helpers/wait'
import { FakeClock } from '../jobs/fake_clock.ts'

const NOTHING: ClaimReply = { values: null, id: '', limitedFor: 0, nextDue: 0 }

/**
 * A source whose waits end at once. `markers` are what they bring, `found` how many of the queue's keys hold something each time that
 * is asked; nothing more happens after the last marker.
 */
function setup(markers: (object | null)[], found: (number | Error)[], reply = NOTHING) {
  const asked: string[][] = []
  const logged: string[] = []
  const log = (_: object, line: string) => logged.push(line)
  const logger = { trace: log, debug: log, info: log, warn: log, error: log, fatal: log }
  const client = {
    async exists(...keys: string[]) {
      asked.push(keys)
      const answer = found.shift()
      if (answer instanceof Error) throw answer
      return answer
    },
  }
  const backend = {
    keys: { wait: 'q:wait', prioritized: 'q:prioritized', delayed: 'q:delayed' },
    client: Promise.resolve(client),
    minimumBlockTimeout: 0.001,
    waitForJob: () => (markers.length > 0 ? markers.shift() : new Promise(() => {})),
    async disconnectBlocking() {},
  } as unknown as RedisQueueBackend
  const scripts = { claim: async () => reply } as unknown as ClaimScripts
  const source = new JobSource(backend, scripts, new FakeClock(), new RedisTrouble(logger))
  return { source, asked, logged }
}

test.group('Waiting for jobs', () => {
  test('goes on while nothing says that there is a job, and the queue holds none', async ({
    assert,
  }) => {
    const { source, asked } = setup([null, null, {}], [0, 0])
    await source.wait()
    assert.deepEqual(asked, Array(2).fill(['q:wait', 'q:prioritized', 'q:delayed']))
  })

  test('ends for a look when there is a job though nothing said so', async ({ assert }) => {
    const { source, asked } = setup([null, null], [0, 1])
    await source.wait()
    assert.lengthOf(asked, 2)
  })

  test('ends for a look when a delayed job is due, without asking', async ({ assert }) => {
    const { source, asked } = setup([null], [], { ...NOTHING, nextDue: Date.now() + 60_000 })
    assert.isUndefined(await source.claim('token'))
    await source.wait()
    assert.lengthOf(asked, 0)
  })

  test('ends for a look, after a pause, when Redis cannot say', async ({ assert }) => {
    const { source, logged } = setup([null], [new Error('Connection is closed.')])
    await source.wait()
    assert.isAbove(logged.length, 0)
  })

  test('ends when no more jobs are wanted', async ({ assert }) => {
    const { source, asked } = setup([null], [0])
    await source.stop()
    /** Others would be told of a job. */
    assert.lengthOf(asked, 1)
    await source.wait()
    assert.lengthOf(asked, 1)
  })

  test('gives up a wait that never ends, begins its connection anew, and puts back what it brings late', async ({
    assert,
  }) => {
    const done: string[] = []
    const note = async (what: string) => void done.push(what)
    let bring!: (marker: object) => void
    const backend = {
      keys: { marker: 'q:marker' },
      client: Promise.resolve({ zadd: () => note('put back') }),
      blockingClient: Promise.resolve({
        disconnect: () => void note('disconnected'),
        connect: () => note('connected'),
      }),
      minimumBlockTimeout: 0.001,
      waitForJob: () => new Promise((resolve) => (bring = resolve)),
      /** Waits for an end that nobody tells of. */
      reconnectBlocking: () => new Promise(() => {}),
    } as unknown as RedisQueueBackend
    const clock = new FakeClock()
    const trouble = new RedisTrouble({ warn() {}, info() {} } as never)
    const scripts = { claim: async () => NOTHING } as unknown as ClaimScripts
    const source = new JobSource(backend, scripts, clock, trouble)
    const waiting = source.wait()
    /** Five seconds for the wait, four more until it is given up, five for its connection. */
    clock.advance(8_999)
    assert.equal(clock.waiting, 1)
    clock.advance(1)
    await waitFor('the connection to be waited for', () => clock.waiting === 1)
    clock.advance(5_000)
    await waiting
    assert.deepEqual(done, ['disconnected', 'connected'])
    bring({})
    await waitFor('the marker to be put back', () => done.includes('put back'))
  })
})
