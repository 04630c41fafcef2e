import { test } from '@japa/runner'
import { LiveClient } from '../../../src/dashboard/live/live_client.ts'
import { readLiveView } from '../../../src/dashboard/live/live_view.ts'
import type { ChangeNotice, JobStatus } from '../../../src/types.ts'

class FakeStream {
  isFree = true
  sent: { event: string; data: any; id?: number }[] = []
  send(event: string, data: unknown, id?: number) {
    this.sent.push({ event, data, id })
  }
}

const uuid = (n: number) => `01900000-0000-7000-8000-${String(n).padStart(12, '0')}`

function notice(revision: number, ids: number[], status: JobStatus = 'completed'): ChangeNotice {
  return {
    revision,
    changed: ids.map((n) => ({ id: uuid(n), queue: 'q', type: 't', user: null, status })),
    more: false,
    progress: [],
    lag: 1,
  }
}

function open(params: Record<string, unknown> = { page: 'jobs' }) {
  const stream = new FakeStream()
  return { stream, client: new LiveClient(readLiveView(params), stream as never) }
}

test.group('Live client', () => {
  test('gathers changes into one message with the newest revision', ({ assert }) => {
    const { client, stream } = open()
    client.take(notice(4, [1, 2]), null)
    client.take(notice(5, [2, 3]), null)
    client.flushChanges(null)
    client.flushChanges(null)
    assert.deepEqual(stream.sent, [
      { event: 'changed', data: { revision: 5, ids: [1, 2, 3].map(uuid), more: false }, id: 5 },
    ])
  })

  test('hears of names as lists compare them', ({ assert }) => {
    for (const name of ['queue', 'type', 'user']) {
      const { client, stream } = open({ page: 'jobs', [name]: 'e\u0301va' })
      const [change] = notice(1, [1]).changed
      client.take({ ...notice(1, []), changed: [{ ...change, [name]: '\u00c9va' }] }, null)
      client.flushChanges(null)
      assert.lengthOf(stream.sent, 1, name)
    }
  })

  test('names at most 50 jobs and says that there are more', ({ assert }) => {
    const { client, stream } = open()
    client.take(
      notice(
        1,
        Array.from({ length: 200 }, (_, n) => n)
      ),
      null
    )
    client.flushChanges(null)
    assert.lengthOf(stream.sent[0].data.ids, 50)
    assert.isTrue(stream.sent[0].data.more)
  })

  test('keeps only the newest for a slow client', ({ assert }) => {
    const { client, stream } = open()
    stream.isFree = false
    for (let revision = 1; revision <= 1_000; revision++) {
      client.take(
        {
          ...notice(revision, [revision], 'failed'),
          progress: [[uuid(1), revision / 10, null, null, null, null, null, 1, 1]],
        },
        null
      )
      client.flushChanges(null)
      client.flushProgress(([id, percent]) => [id, percent, null, null, null, null])
    }
    assert.lengthOf(stream.sent, 0)
    stream.isFree = true
    client.flushChanges(null)
    client.flushProgress(([id, percent]) => [id, percent, null, null, null, null])
    const named = (name: string) => stream.sent.filter(({ event }) => event === name)
    assert.equal(named('changed')[0].data.revision, 1_000)
    assert.lengthOf(named('notice'), 5)
    assert.deepEqual(named('progress')[0].data, [[uuid(1), 100, null, null, null, null]])
  })

  test('sends progress of the jobs on the screen only', ({ assert }) => {
    const { client, stream } = open()
    const progress = [1, 2].map((n) => [uuid(n), n, null, null, null, null, null]) as never
    client.take({ ...notice(1, []), progress }, new Set([uuid(2)]))
    client.flushProgress(([id, percent]) => [id, percent, null, null, null, null])
    assert.deepEqual(stream.sent[0].data, [[uuid(2), 2, null, null, null, null]])
  })

  test('hears of the queues, types and users of its filter, and of what nobody names', ({
    assert,
  }) => {
    for (const [params, hears] of [
      [{ page: 'jobs', queue: 'q' }, true],
      [{ page: 'jobs', queue: 'Q' }, true],
      [{ page: 'jobs', queue: 'other' }, false],
      [{ page: 'jobs', type: 't' }, true],
      [{ page: 'jobs', type: 'other' }, false],
      [{ page: 'jobs', user: 'ada' }, false],
      [{ page: 'jobs', status: 'failed' }, true],
      [{ page: 'job', id: uuid(1) }, true],
      [{ page: 'job', id: uuid(2) }, false],
      [{ page: 'dashboard' }, true],
    ] as [Record<string, string>, boolean][]) {
      const { client } = open(params)
      client.take(notice(1, [1]), null)
      assert.equal(client.hasChanges, hears, JSON.stringify(params))
    }
    const { client } = open({ page: 'jobs', queue: 'other' })
    client.take({ ...notice(1, []), more: true }, null)
    assert.isTrue(client.hasChanges)
  })

  test('tells failures to lists and any end to the page of the job, without the error', ({
    assert,
  }) => {
    const list = open()
    list.client.take(notice(1, [1]), null)
    list.client.take(notice(2, [2], 'failed'), null)
    list.client.flushChanges(null)
    const told = list.stream.sent.filter(({ event }) => event === 'notice')
    assert.deepEqual(
      told.map(({ data }) => [data.level, data.id]),
      [['error', uuid(2)]]
    )
    const page = open({ page: 'job', id: uuid(1) })
    page.client.take(notice(1, [1], 'running'), null)
    page.client.take(notice(2, [1]), null)
    page.client.flushChanges(null)
    const ends = page.stream.sent.filter(({ event }) => event === 'notice')
    assert.deepEqual(
      ends.map(({ data }) => data.level),
      ['success']
    )
  })
})
