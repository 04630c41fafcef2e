import { setTimeout as pause } from 'node:timers/promises'
import vine from '@vinejs/vine'
import { test } from '@japa/runner'
import { Job } from '../../../src/jobs/job.ts'
import type { JobOptions } from '../../../src/types.ts'
import { redisServer } from '#tests/helpers/servers'
import { waitFor } from '#tests/helpers/wait'
import { WorkerLab } from './lab.ts'

const heard: Error[] = []
const order: string[] = []

class Echo extends Job<any, any> {
  static options: JobOptions = { name: 'echo' }
  async execute() {
    order.push(this.payload.name)
    if (this.payload.ms) await pause(this.payload.ms)
    if (this.payload.failures >= this.attempt) throw new Error(`attempt ${this.attempt}`)
    return this.payload
  }
}

class Obedient extends Job<any, void> {
  static options: JobOptions = { name: 'obedient' }
  async execute() {
    await pause(60_000, undefined, { signal: this.signal })
  }
}

class Throws extends Job<{ what: number }, void> {
  static options: JobOptions = { name: 'throws' }
  execute(): Promise<void> {
    const round: Error & { cause?: unknown } = new Error('goes round')
    round.cause = round
    const secret = Object.defineProperty(new Error('x'), 'message', {
      get() {
        throw new Error('not readable')
      },
    })
    if (this.payload.what === 3) return Promise.reject({ code: 7 })
    throw ['plain text', null, undefined, null, round, secret][this.payload.what]
  }
  failed(error: Error) {
    heard.push(error)
  }
}

/** Its code fails before it hears that it is to stop. */
class Deaf extends Job<object, void> {
  static options: JobOptions = { name: 'deaf' }
  static ask: (id: string) => Promise<unknown>
  async execute() {
    await Deaf.ask(this.jobId)
    throw new Error('of its own')
  }
  failed(error: Error) {
    heard.push(error)
  }
}

class BigIntResult extends Job<any, any> {
  static options: JobOptions = { name: 'big' }
  execute() {
    return { value: 1n }
  }
}

class Checked extends Job<{ id: number }, void> {
  static options: JobOptions = { name: 'checked' }
  static payload = vine.create({ id: vine.number() })
  execute() {
    order.push('checked ran')
  }
}

const classes = [Echo, Obedient, Throws, Deaf, BigIntResult, Checked]

test.group('Running jobs', (group) => {
  let lab: WorkerLab
  group.each.setup(async () => {
    heard.length = 0
    order.length = 0
    const { url } = await redisServer()
    lab = new WorkerLab(url, classes, { grace: '5s' })
    return () => lab.close()
  })

  test('completes a job with its result and writes each step to the stream', async ({ assert }) => {
    await lab.start()
    const id = await lab.dispatch(Echo, { name: 'a' })
    const job = await lab.ended(id)
    assert.equal(job.state, 'completed')
    assert.deepEqual(JSON.parse(job.returnvalue), { name: 'a' })
    assert.deepEqual(await lab.entries(id), ['added', 'active', 'completed'])
  })

  test('works several queues with one concurrency', async ({ assert }) => {
    const ids = await Promise.all(
      ['q1', 'q2', 'q3'].map((queue) =>
        lab.dispatch(Echo, { name: queue, ms: 50 }, { queue }).then((id) => [id, queue])
      )
    )
    await lab.start({ queues: ['q1', 'q2', 'q3'], concurrency: 1 })
    for (const [id, queue] of ids) assert.equal((await lab.ended(id, queue)).state, 'completed')
    const spans = (await Promise.all(ids.map(([id, queue]) => lab.job(id, queue)))).map((job) => [
      Number(job.processedOn),
      Number(job.finishedOn),
    ])
    spans.sort((a, b) => a[0] - b[0])
    for (let at = 1; at < spans.length; at++) assert.isAtLeast(spans[at][0], spans[at - 1][1] - 2)
  })

  test('repeats a failed job after its backoff, as scheduled', async ({ assert }) => {
    await lab.start()
    const id = await lab.dispatch(
      Echo,
      { name: 'r', failures: 2 },
      { attempts: 3, backoff: { type: 'fixed', delay: 300 } }
    )
    await waitFor(
      'the backoff',
      async () => (await lab.transport.state('default', id)) === 'delayed'
    )
    const job = await lab.ended(id)
    assert.equal(job.state, 'completed')
    assert.deepEqual(order, ['r', 'r', 'r'])
    const delayed = (await lab.entriesOf()).filter(({ event }) => event === 'delayed')
    assert.deepEqual(
      delayed.map(({ err }) => err),
      ['attempt 1', 'attempt 2']
    )
  })

  test('fails a job after its last attempt', async ({ assert }) => {
    await lab.start()
    const id = await lab.dispatch(
      Echo,
      { name: 'r', failures: 9 },
      { attempts: 2, backoff: { type: 'fixed', delay: 10 } }
    )
    const job = await lab.ended(id)
    assert.deepEqual([job.state, job.failedReason, job.ats], ['failed', 'attempt 2', '2'])
  })

  test('gives every thrown thing a message, calls failed() and goes on', async ({ assert }) => {
    await lab.start({ concurrency: 1 })
    const reasons: string[] = []
    for (let what = 0; what < 6; what++) {
      const job = await lab.ended(await lab.dispatch(Throws, { what }))
      assert.equal(job.state, 'failed')
      reasons.push(job.failedReason)
    }
    assert.isTrue(reasons.every((reason) => reason.length > 0))
    assert.equal(reasons[0], 'plain text')
    assert.include(reasons[3], '7')
    await waitFor('the hooks', () => heard.length === 6)
    const seventh = await lab.ended(await lab.dispatch(Echo, { name: 'seventh' }))
    assert.equal(seventh.state, 'completed')
  })

  test('does not call failed() of a job that ends as cancelled', async ({ assert }) => {
    const request = JSON.stringify({ reason: 'not needed', by: 'Ada' })
    Deaf.ask = (id) => lab.redis.hset(lab.transport.keys.job('default', id), 'cr', request)
    await lab.start({ concurrency: 1 })
    const { cr, failedReason } = await lab.ended(await lab.dispatch(Deaf))
    assert.deepEqual([cr, failedReason], [request, 'of its own'])
    await lab.dispatch(Throws, { what: 0 })
    await waitFor('the hook of the next job', () => heard.length > 0)
    assert.deepEqual(
      heard.map(({ message }) => message),
      ['plain text']
    )
  })

  test('fails unknown types, payloads that are invalid and results that are no JSON, each by its code', async ({
    assert,
  }) => {
    await lab.start()
    const raw = (name: string, data: string) => {
      const id = crypto.randomUUID()
      return lab.transport
        .add([{ queue: 'default', id, name, data, opts: { timestamp: Date.now(), attempts: 3 } }])
        .then(() => lab.ended(id))
    }
    assert.match(
      (await raw('nobody.knows', '{}')).failedReason,
      /^\[UNKNOWN_TYPE\] .*nobody\.knows/
    )
    assert.match((await raw('checked', '{"id":"x"}')).failedReason, /^\[PAYLOAD_INVALID\] /)
    assert.match((await raw('checked', '{oops')).failedReason, /^\[PAYLOAD_INVALID\] /)
    const big = await lab.ended(await lab.dispatch(BigIntResult))
    assert.match(big.failedReason, /^\[RESULT_NOT_SERIALISABLE\] /)
    assert.notInclude(order, 'checked ran')
  })

  test('aborts and fails a job that takes longer than its timeout', async ({ assert }) => {
    await lab.start()
    const job = await lab.ended(await lab.dispatch(Obedient, {}, { timeout: 200 }))
    assert.match(job.failedReason, /^\[TIMED_OUT\] /)
  })

  test('keeps delays and timeouts beyond 24.8 days', async ({ assert }) => {
    const warned: Error[] = []
    const listen = (warning: Error) => void warned.push(warning)
    process.on('warning', listen)
    await lab.start()
    const late = await lab.dispatch(Echo, { name: 'late' }, { delay: '60d' })
    const long = await lab.dispatch(Echo, { name: 'long', ms: 300 }, { timeout: '30d' })
    assert.equal((await lab.ended(long)).state, 'completed')
    assert.equal(await lab.transport.state('default', late), 'delayed')
    assert.equal((await lab.job(late)).delay, '5184000000')
    assert.deepEqual(order, ['long'])
    process.off('warning', listen)
    assert.deepEqual(
      warned.filter(({ name }) => name === 'TimeoutOverflowWarning'),
      []
    )
  })

  test('starts a woken job of high priority next', async ({ assert }) => {
    for (let n = 0; n < 10; n++) {
      await lab.dispatch(Echo, { name: 'low', ms: 300 }, { priority: 10 })
    }
    await lab.dispatch(Echo, { name: 'P' }, { priority: 1, delay: 400 })
    const r = await lab.dispatch(
      Echo,
      { name: 'R', failures: 1 },
      { priority: 1, attempts: 2, backoff: { type: 'fixed', delay: 400 } }
    )
    await lab.start({ concurrency: 1 })
    await lab.ended(r)
    await waitFor('P', () => order.includes('P'))
    /** Both are due while the second low job runs at the latest, and the next claims are theirs. */
    assert.equal(order[0], 'R')
    const lowBefore = (place: number) =>
      order.slice(0, place).filter((name) => name === 'low').length
    assert.isAtMost(lowBefore(order.indexOf('P')), 2)
    assert.isAtMost(lowBefore(order.lastIndexOf('R')), 3)
  })

  test('ends after exactly so many jobs', async ({ assert }) => {
    for (let n = 0; n < 60; n++) await lab.dispatch(Echo, { name: 'n' })
    const pool = await lab.start({ concurrency: 20, maxJobs: 40 })
    const ending = await pool.ended
    assert.equal(ending.reason, 'max jobs')
    const { default: depths } = await lab.transport.depths(['default'])
    assert.deepEqual([depths.completed, depths.pending, depths.running], [40, 20, 0])
  })

  test('ends when no job is left that could run', async ({ assert }) => {
    for (let n = 0; n < 5; n++) await lab.dispatch(Echo, { name: 'n' })
    const pool = await lab.start({ once: true })
    assert.equal((await pool.ended).reason, 'worked off')
    assert.equal((await lab.transport.depths(['default'])).default.completed, 5)
  })
})
