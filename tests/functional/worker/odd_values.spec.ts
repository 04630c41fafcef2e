import { test } from '@japa/runner'
import { Job } from '../../../src/jobs/job.ts'
import { redisServer } from '#tests/helpers/servers'
import { hurriedClock } from './hurried_clock.ts'
import { WorkerLab } from './lab.ts'

function refusing(): object {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}

const circle: Record<string, unknown> = {}
circle.self = circle

/** What a job may return, by name, and what becomes of it: the JSON kept, or the code of the failure. */
const RESULTS: Record<string, [result: () => unknown, expected: string]> = {
  'nothing': [() => undefined, 'null'],
  'a date': [() => ({ at: new Date(0) }), '{"at":"1970-01-01T00:00:00.000Z"}'],
  'an invalid date': [() => new Date(Number.NaN), 'RESULT_NOT_SERIALISABLE'],
  'toJSON without an answer': [() => ({ toJSON: () => undefined }), 'null'],
  'keys of prototypes': [
    () => JSON.parse('{"__proto__":{"a":1},"constructor":2}'),
    '{"__proto__":{"a":1},"constructor":2}',
  ],
  'half a surrogate': [() => '\ud800', '"\\ud800"'],
  'NaN': [() => Number.NaN, 'RESULT_NOT_SERIALISABLE'],
  'a BigInt': [() => ({ n: 10n }), 'RESULT_NOT_SERIALISABLE'],
  'a boxed BigInt': [() => Object(10n), 'RESULT_NOT_SERIALISABLE'],
  'a map': [() => new Map([[1, 2]]), 'RESULT_NOT_SERIALISABLE'],
  'a circle': [() => circle, 'RESULT_NOT_SERIALISABLE'],
  'a function': [() => () => 1, 'RESULT_NOT_SERIALISABLE'],
  'toJSON that throws': [
    () => ({
      toJSON: () => {
        throw new Error('no')
      },
    }),
    'RESULT_NOT_SERIALISABLE',
  ],
  'a getter that throws': [
    () => ({
      get value() {
        throw new Error('no')
      },
    }),
    'RESULT_NOT_SERIALISABLE',
  ],
  'a proxy that refuses': [() => ({ value: refusing() }), 'RESULT_NOT_SERIALISABLE'],
  'seventy megabytes': [() => 'x'.repeat(70 * 1_048_576), 'RESULT_TOO_LARGE'],
}

class Returns extends Job<{ name: string }, unknown> {
  static options = { name: 'returns', attempts: 3 }
  async execute() {
    return RESULTS[this.payload.name][0]()
  }
}

class Throws extends Job<{ hostile: boolean }, void> {
  static options = { name: 'throws' }
  heard = 0
  execute(): void {
    throw this.payload.hostile ? refusing() : new Error('an ordinary one')
  }
  async failed(error: Error) {
    heard.push(error.message)
  }
}

/** Its hook cannot even be read. */
class Unreadable extends Job<object, void> {
  static options = { name: 'unreadable' }
  execute(): void {
    throw new Error('an ordinary one')
  }
}
Object.defineProperty(Unreadable.prototype, 'failed', {
  get: () => {
    throw new Error('no')
  },
})

/** Its hook never returns. */
class Waits extends Job<object, void> {
  static options = { name: 'waits' }
  execute(): void {
    throw new Error('an ordinary one')
  }
  failed() {
    return new Promise<void>(() => {})
  }
}

let heard: string[] = []

/** Waits until the test lets it go. */
class Parent extends Job<object, string> {
  static options = { name: 'parent', attempts: 3 }
  async execute() {
    await gate
    return 'done'
  }
}

let gate: Promise<void>

test.group('Odd values', (group) => {
  let lab: WorkerLab
  const unhandled: unknown[] = []
  const note = (reason: unknown) => void unhandled.push(reason)

  group.each.setup(async () => {
    heard = []
    unhandled.length = 0
    process.on('unhandledRejection', note)
    const { url } = await redisServer()
    lab = new WorkerLab(url, [Returns, Throws, Unreadable, Waits, Parent])
    return async () => {
      process.off('unhandledRejection', note)
      await lab.close()
    }
  })

  test('returned by jobs are kept as JSON or fail the job by a code, at once', async ({
    assert,
  }) => {
    await lab.start()
    for (const [name, [, expected]] of Object.entries(RESULTS)) {
      const job = await lab.ended(await lab.dispatch(Returns, { name }))
      const found =
        job.state === 'completed' ? job.returnvalue : /^\[(\w+)\]/.exec(job.failedReason)?.[1]
      assert.equal(found, expected, name)
      assert.equal(job.ats, '1', name)
    }
    assert.deepEqual(unhandled, [])
  })

  test('thrown by jobs fail them, call failed() with an error, and leave the worker at work', async ({
    assert,
  }) => {
    await lab.start({ concurrency: 1 })
    for (const hostile of [true, false]) {
      const job = await lab.ended(await lab.dispatch(Throws, { hostile }))
      assert.equal(job.state, 'failed')
      assert.isNotEmpty(job.failedReason)
    }
    assert.equal((await lab.ended(await lab.dispatch(Unreadable))).state, 'failed')
    assert.lengthOf(heard, 2)
    assert.equal(heard[1], 'an ordinary one')
    assert.deepEqual(unhandled, [])
  })

  test('of a failed() that never returns hold the place of its job no longer than 90 seconds', async ({
    assert,
  }) => {
    lab.clock = hurriedClock(90_000)
    await lab.start({ concurrency: 1 })
    await lab.dispatch(Waits)
    const job = await lab.ended(await lab.dispatch(Returns, { name: Object.keys(RESULTS)[0] }))
    assert.equal(job.state, 'completed')
    assert.isTrue(lab.warnings.some((line) => line.includes('has not returned within 90000 ms')))
  })

  test('written into the options by other producers neither hold a job nor repeat it for ever', async ({
    assert,
  }) => {
    await lab.start()
    const options = [
      { attempts: 2, backoff: { type: 'fixed', delay: 'soon' }, qd: { timeout: 'long' } },
      { attempts: 2, backoff: 7, qd: { tags: 'x', user: {} } },
      { attempts: 2, backoff: { type: 'fixed', delay: -5, jitter: 40 } },
    ]
    for (const opts of options) {
      const id = crypto.randomUUID()
      const data = '{"hostile":false}'
      const job = { queue: 'default', id, name: 'throws', data }
      await lab.transport.add([{ ...job, opts: { timestamp: Date.now(), ...opts } } as never])
      const ended = await lab.ended(id)
      assert.deepEqual([ended.state, ended.ats], ['failed', '2'], JSON.stringify(opts))
    }
  })

  test('of moments before 1970 let a job run at once, whoever wrote them', async ({ assert }) => {
    await lab.start()
    const ours = await lab.dispatch(Returns, { name: 'nothing' }, { at: new Date('0001-01-01') })
    const theirs = crypto.randomUUID()
    const job = { queue: 'default', id: theirs, name: 'returns', data: '{"name":"nothing"}' }
    const opts = { timestamp: Date.now(), delay: 1, qd: { at: -1_000 } }
    await lab.transport.add([{ ...job, opts }])
    for (const id of [ours, theirs]) assert.equal((await lab.ended(id)).state, 'completed')
  })

  test('of a parent whose children have not ended fail it, saying so', async ({ assert }) => {
    let open!: () => void
    gate = new Promise((resolve) => (open = resolve))
    await lab.start()
    const id = await lab.dispatch(Parent)
    await lab.running(id)
    await lab.redis.sadd(`${lab.transport.keys.job('default', id)}:dependencies`, 'other:child')
    open()
    const job = await lab.ended(id)
    assert.deepEqual([job.state, job.ats], ['failed', '1'])
    assert.match(job.failedReason, /^\[CHILDREN_UNFINISHED\] /)
  })
})
