import { test } from '@japa/runner'
import { Queue, type JobsOptions } from 'bullmq'
import { Redis } from 'ioredis'
import { redisServer } from '#tests/helpers/servers'
import { waitFor } from '#tests/helpers/wait'
import { CLASSES } from './jobs.ts'
import { DashboardLab } from './lab.ts'

type Odd = {
  what: string
  name?: string
  data?: unknown
  /** The payload's text, as a producer in another language may write it. */
  text?: string
  options?: JobsOptions & Record<string, unknown>
}

const ODD: Odd[] = [
  { what: 'an empty name', name: '' },
  { what: 'a name of 10,000 letters', name: 'n'.repeat(10_000) },
  { what: 'a name of odd letters', name: '../%2e?#\u0000\u0007\u202e\ud800 😀 ü' },
  { what: 'a payload that is no JSON', text: '{"a":' },
  { what: 'an empty payload', text: '' },
  { what: 'a payload of half a surrogate pair', text: '{"a":"\\ud800"}' },
  { what: 'a payload that is nested 5,000 deep', text: '['.repeat(5_000) + ']'.repeat(5_000) },
  {
    what: 'a payload with keys of objects',
    text: '{"__proto__":1,"constructor":{"x":2},"a":null}',
  },
  { what: 'a payload of 300 kB', data: { text: 'x'.repeat(300_000) } },
  { what: 'a delay beyond all dates', options: { delay: 8_999_999_999_999_999 } },
  { what: 'a creation beyond all dates', options: { timestamp: 8_999_999_999_999_999 } },
  { what: 'a creation before 1970', options: { timestamp: -62_000_000_000_000 } },
  { what: 'half a millisecond', options: { timestamp: 1_700_000_000_000.5, delay: 3_600_000.25 } },
  { what: 'attempts without sense', options: { attempts: -3 } },
  { what: 'a million attempts', options: { attempts: 1_000_000 } },
  { what: 'options of ours, wrong', options: { qd: { user: 5, tags: 'no list', timeout: 'x' } } },
  { what: 'options of ours, hostile', options: { qd: { user: { a: 1 }, tags: [null, 7, {}] } } },
  { what: 'options of ours that are a text', options: { qd: 'text' } },
  { what: 'an id of its own', options: { jobId: 'order/4711 #ü?' } },
]

test.group('What other producers write, however odd', (group) => {
  let lab: DashboardLab
  let redis: Redis
  let prefix: string

  group.setup(async () => {
    lab = await DashboardLab.open({ classes: CLASSES })
    redis = new Redis((await redisServer()).url, { maxRetriesPerRequest: null })
    prefix = (await lab.app.container.make('queuedeck.config')).prefix
    return async () => {
      redis.disconnect()
      await lab.close()
    }
  })

  test('{what}: every page can be read, and the job be cancelled')
    .with(ODD)
    .run(async ({ assert }, { what, name = 'foreign', data = {}, text, options }) => {
      const queueName = `odd ${ODD.findIndex((odd) => odd.what === what)}`
      await (await lab.app.container.make('queuedeck.transport')).registerQueues([queueName])
      const queue = new Queue(queueName, { connection: redis as never, prefix })
      const write = queue.toKey.bind(queue)
      const multi = text === undefined ? null : text
      const job = await queue.add(name, data, options)
      if (multi !== null) await redis.hset(write(job.id!), 'data', multi)
      await queue.close()
      const client = lab.client()
      const list = `/jobs?queue=${encodeURIComponent(queueName)}`
      const row = await waitFor('the record', async () => (await client.json(list)).json.data[0])

      for (const path of [
        '',
        list,
        `/jobs/${row.id}`,
        `/jobs/${row.id}/cancel`,
        `${list}&sort=duration`,
      ]) {
        for (const { status, text: body } of [
          await client.page(path),
          await client.partial(path),
          await client.json(path),
        ]) {
          assert.equal(status, 200, `${path} ${lab.logged.at(-1)}`)
          assert.notInclude(body, 'Invalid Date')
          assert.notInclude(body, 'NaN')
        }
      }
      const cancelled = await client.post(`/jobs/${row.id}/cancel`)
      assert.equal(cancelled.status, 200, cancelled.text)
      assert.include(['done', 'too_late'], cancelled.json.outcome)
    })
})
