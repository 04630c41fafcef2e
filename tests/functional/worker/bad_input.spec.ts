import { fileURLToPath } from 'node:url'
import { test } from '@japa/runner'
import { Job } from '../../../src/jobs/job.ts'
import { JobRegistry } from '../../../src/jobs/registry.ts'
import type { JobOptions } from '../../../src/types.ts'
import { redisServer } from '#tests/helpers/servers'
import { WorkerLab } from './lab.ts'

class Unmade extends Job<object, void> {
  static options: JobOptions = { name: 'unmade' }
  constructor() {
    super()
    throw new Error('no such service')
  }
  execute() {}
}

class Money {
  constructor(amount: unknown) {
    throw new TypeError(`${String(amount)} is no amount`)
  }
}

/** Its payload is made an object of a class at the worker, where that throws. */
class Paid extends Job<Money, void> {
  static options: JobOptions = { name: 'paid', attempts: 3 }
  static payload = { validate: async ({ amount }: { amount: unknown }) => new Money(amount) }
  execute() {}
}

class Much extends Job<{ of: 'progress' | 'log' | 'error' }, number> {
  static options: JobOptions = { name: 'much' }
  async execute() {
    const before = performance.now()
    if (this.payload.of === 'error') throw new Error('e'.repeat(5_000_000))
    if (this.payload.of === 'log') {
      const line = 'x'.repeat(10_000)
      for (let n = 0; n < 10_500; n++) this.log.info(line)
    } else {
      for (let n = 1; n <= 10_000; n++) await this.progress(n / 100)
    }
    return performance.now() - before
  }
}

class Fine extends Job<object, string> {
  static options: JobOptions = { name: 'fine' }
  execute() {
    return 'fine'
  }
}

test.group('Bad input of jobs', (group) => {
  let lab: WorkerLab
  group.each.setup(async () => {
    const { url } = await redisServer()
    lab = new WorkerLab(url, [Unmade, Paid, Much, Fine])
    return () => lab.close()
  })

  const goesOn = async () => (await lab.ended(await lab.dispatch(Fine))).state

  /** As a dispatch of another process would, which checks nothing. */
  async function add(name: string, data: object) {
    const id = crypto.randomUUID()
    const opts = { timestamp: Date.now(), attempts: 3 }
    await lab.transport.add([
      { queue: 'default', id, name, data: JSON.stringify(data), opts } as never,
    ])
    return lab.ended(id)
  }

  test('classes whose constructor throws fail their jobs, not the worker', async ({ assert }) => {
    await lab.start()
    const job = await lab.ended(await lab.dispatch(Unmade))
    assert.deepEqual([job.state, job.failedReason], ['failed', 'no such service'])
    const paid = await add('paid', { amount: 'many' })
    assert.match(paid.failedReason, /^\[PAYLOAD_INVALID\] .*many is no amount/)
    assert.equal(paid.ats, '1')
    assert.equal(await goesOn(), 'completed')
  })

  test('files with syntax errors are named, and the other types run', async ({ assert }) => {
    const folder = fileURLToPath(new URL('../../fixtures/jobs/broken', import.meta.url))
    const told: string[] = []
    lab.registry = new JobRegistry(folder, ({ message }) => told.push(message))
    await lab.start()
    assert.isTrue(told.some((message) => /syntax_error\.js cannot be loaded/.test(message)))
    assert.equal((await add('fine_job', {})).state, 'completed')
    const unknown = await add('syntax_error', {})
    assert.match(unknown.failedReason, /^\[UNKNOWN_TYPE\] .*cannot be used: .*syntax_error\.js/)
  })

  test('10,000 reports of progress become a few, the last among them', async ({ assert }) => {
    await lab.start()
    const job = await lab.ended(await lab.dispatch(Much, { of: 'progress' }))
    const reports = (await lab.entriesOf()).filter(({ event }) => event === 'progress')
    assert.isAtMost(reports.length, 2 + Number(job.returnvalue) / 200)
    assert.equal(JSON.parse(reports.at(-1)!.data).percent, 100)
  })

  test('100 MB of log are cut, a 5 MB error too', async ({ assert }) => {
    await lab.start()
    const log = await lab.ended(await lab.dispatch(Much, { of: 'log' }))
    assert.equal(log.state, 'completed')
    const lines = (await lab.entriesOf()).flatMap(({ event, lines: text }) =>
      event === 'log' ? (JSON.parse(text) as [number, number, string][]) : []
    )
    const letters = lines.reduce((sum, [, , line]) => sum + line.length, 0)
    assert.isAbove(letters, 9_900_000)
    assert.isBelow(letters, 10_000_200)
    assert.match(lines.at(-1)![2], /^More than 10 million letters/)
    assert.isTrue(lines.every(([, , line]) => line.length < 8_300))
    const error = await lab.ended(await lab.dispatch(Much, { of: 'error' }))
    assert.isBelow(error.failedReason.length, 9_000)
    assert.isBelow(error.stacktrace.length, 20_000)
    assert.equal(await goesOn(), 'completed')
  })
})
