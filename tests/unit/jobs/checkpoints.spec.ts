import { test } from '@japa/runner'
import { Job } from '../../../src/jobs/job.ts'
import type { JobContext } from '../../../src/jobs/job_context.ts'

class Pages extends Job<number, number[]> {
  async execute() {
    const read: number[] = []
    for (let page = ((this.checkpoints.page as number) ?? 0) + 1; page <= this.payload; page++) {
      read.push(page)
      await this.checkpoint('page', page)
    }
    return read
  }
}

const context = (kept: Partial<JobContext> = {}) => ({ ...kept }) as JobContext

test.group('Checkpoints of a job class in a test', () => {
  test('live as long as the instance, where nothing keeps them', async ({ assert }) => {
    const job = new Pages().attach(3, context())
    assert.deepEqual(await job.execute(), [1, 2, 3])
    assert.deepEqual({ ...job.checkpoints }, { page: 3 })
  })

  test('are what the test says that earlier attempts had kept', async ({ assert }) => {
    const written: [string, string][] = []
    const job = new Pages().attach(
      5,
      context({
        checkpoints: new Map([
          ['page', '3'],
          ['written by others', '{'],
        ]),
        checkpoint: async (name, json) => void written.push([name, json]),
      })
    )
    assert.deepEqual(await job.execute(), [4, 5])
    assert.deepEqual(written, [
      ['page', '4'],
      ['page', '5'],
    ])
  })

  test('are as JSON gives them back, and not the objects that were given', async ({ assert }) => {
    const job = new Pages().attach(0, context())
    const value = { at: new Date(0), list: [1] }
    await job.checkpoint('place', value)
    value.list.push(2)
    assert.deepEqual(job.checkpoints.place, { at: '1970-01-01T00:00:00.000Z', list: [1] })
    await job.checkpoint('nothing', undefined)
    assert.isNull(job.checkpoints.nothing)
  })

  test('are refused with what is wrong and what to do', async ({ assert }) => {
    const job = new Pages().attach(0, context())
    const said = async (name: unknown, value?: unknown) => {
      const error = await job.checkpoint(name as string, value).catch((thrown) => thrown)
      assert.equal(error.code, 'E_CHECKPOINT_REFUSED')
      return error.message
    }
    assert.match(await said(''), /"" was not kept: its name must have 1 to 200 characters/)
    assert.match(await said('x'.repeat(201)), /"x{80}…" was not kept/)
    assert.match(await said('a\nb'), /control character/)
    assert.match(await said('\ud800'), /control character/)
    assert.match(await said(Object.create(null)), /its name must be text, not object/)
    assert.match(await said(7), /"7" was not kept: its name must be text, not number/)
    assert.match(await said('m', new Map()), /written as JSON: it is a Map \(give it as an array/)
    assert.match(
      await said('t', 'ü'.repeat(140_000)),
      /"t" was not kept: its value has 280002 bytes as JSON; at most 262144 are kept\. Store the data/
    )
    assert.deepEqual({ ...job.checkpoints }, {})
  })
})
