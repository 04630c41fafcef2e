import vine from '@vinejs/vine'
import { Container, inject } from '@adonisjs/core/container'
import { test } from '@japa/runner'
import { Job } from '../../../src/jobs/job.ts'
import type { JobContext } from '../../../src/jobs/job_context.ts'
import { openJob } from '../../../src/jobs/open_job.ts'
import { JobRegistry } from '../../../src/jobs/registry.ts'
import type { LogLevel, Progress } from '../../../src/types.ts'

class Adder {
  add(a: number, b: number) {
    return a + b
  }
}

@inject()
class Sum extends Job<{ a: number; b: number }, number> {
  static payload = vine.create({ a: vine.number(), b: vine.number() })

  constructor(private adder: Adder) {
    super()
  }

  execute() {
    return this.adder.add(this.payload.a, this.payload.b)
  }
}

function context() {
  const reported: Progress[] = []
  const lines: [LogLevel, string][] = []
  const logged: [string, object, string][] = []
  const sink = (level: LogLevel) => (bindings: object, message: string) =>
    logged.push([level, bindings, message])
  const controller = new AbortController()
  const made: JobContext = {
    job: { id: 'id-1', queue: 'default', type: 'sum', run: 2, attempt: 3, user: null, tags: [] },
    signal: controller.signal,
    report: (progress) => void reported.push(progress),
    log: (level, line) => void lines.push([level, line]),
    logger: {
      trace: sink('trace'),
      debug: sink('debug'),
      info: sink('info'),
      warn: sink('warn'),
      error: sink('error'),
      fatal: sink('fatal'),
    },
  }
  return { made, reported, lines, logged, controller }
}

const open = (payload: unknown, made: JobContext) =>
  openJob(new JobRegistry().register(Sum), payload, made, new Container())

test.group('Job', () => {
  test('gets its dependencies from the container, and its payload checked', async ({ assert }) => {
    const job = await open({ a: 1, b: '2', c: 3 }, context().made)
    assert.equal(await job.execute(), 3)
    assert.deepEqual(job.payload, { a: 1, b: 2 })
  })

  test('a payload that does not fit has a code of its own', async ({ assert }) => {
    try {
      await open({ a: 1 }, context().made)
      assert.fail('It was opened')
    } catch (error) {
      assert.equal((error as { code: string }).code, 'PAYLOAD_INVALID')
      assert.match((error as Error).message, /"b"/)
    }
  })

  test('knows its id, run, attempt and signal', async ({ assert }) => {
    const { made, controller } = context()
    const job = await open({ a: 1, b: 2 }, made)
    assert.deepEqual([job.jobId, job.run, job.attempt], ['id-1', 2, 3])
    controller.abort(new Error('stop'))
    assert.throws(() => job.signal.throwIfAborted(), 'stop')
  })

  test('says so when it is used before it runs', ({ assert }) => {
    assert.throws(() => new Sum(new Adder()).payload, /Sum has no payload and context yet/)
  })

  test('logs to the application and to its own log', async ({ assert }) => {
    const { made, lines, logged } = context()
    const job = await open({ a: 1, b: 2 }, made)
    job.log.info('page %d of %s', 4, 'ten')
    job.log.warn({ page: 4 }, 'odd')
    job.log.error(new Error('broken'))
    const hostile = {
      get message() {
        throw new Error('no')
      },
      toString() {
        throw new Error('no')
      },
    }
    job.log.debug('%s', hostile)
    assert.deepEqual(lines[0], ['info', 'page 4 of ten'])
    assert.deepEqual(lines[1], ['warn', 'odd { page: 4 }'])
    assert.match(lines[2][1], /^Error: broken\n/)
    assert.lengthOf(lines, 4)
    assert.deepEqual(logged[0], [
      'info',
      { jobId: 'id-1', jobType: 'sum', attempt: 3 },
      'page 4 of ten',
    ])
  })

  test('checks what it reports', async ({ assert }) => {
    const { made, reported } = context()
    const job = await open({ a: 1, b: 2 }, made)
    await job.progress(33.3333, { stage: '👩‍👩‍👧‍👦'.repeat(100), done: 1, total: 3, unit: 'pages' })
    assert.equal(reported[0].percent, 33.33)
    assert.isAtMost(reported[0].stage!.length, 200)
    assert.match(reported[0].stage!, /^(👩‍👩‍👧‍👦)+…$/u)
    await job.progress(0)
    assert.deepEqual(reported[1], { percent: 0 })
    let sum = 0
    for (let page = 0; page < 49; page++) sum += 100 / 49
    assert.isAbove(sum, 100)
    await job.progress(sum)
    assert.deepEqual(reported.pop(), { percent: 100 })
    for (const [percent, details] of [
      [101],
      [Number.NaN],
      ['5'],
      [5, { done: -1 }],
      [5, { total: 1.5 }],
      [5, { stage: 7 }],
      [5, { step: 1 }],
      [5, null],
      [5, 7],
      [Object.create(null)],
    ]) {
      await assert.rejects(() => job.progress(percent as number, details as object), /Option "/)
    }
    assert.lengthOf(reported, 2)
  })
})
