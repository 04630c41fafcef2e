import { test } from '@japa/runner'
import type { QueueView } from '../../../src/operations/queue_views.ts'
import { Clock } from '../../../src/dashboard/presenters/format.ts'
import { queueJson } from '../../../src/dashboard/presenters/queue_json.ts'
import { drainedText, drainPage, queueRow } from '../../../src/dashboard/presenters/queues_page.ts'
import { DashboardUrls, queueNameOf } from '../../../src/dashboard/urls.ts'

const NOW = Date.UTC(2026, 10, 25, 12)
const urls = new DashboardUrls('/q')
const clock = new Clock('UTC', NOW)

function view(change: Partial<QueueView> = {}, depths: Partial<QueueView['depths']> = {}) {
  const queue: QueueView = {
    name: 'mails',
    paused: false,
    depths: {
      pending: 0,
      running: 0,
      scheduled: 0,
      blocked: 0,
      completed: 0,
      failed: 0,
      ...depths,
    },
    oldest: null,
    workers: 1,
    limit: { limit: null, configured: null, set: null, running: 0 },
    ...change,
  }
  return queue
}

const row = (queue: QueueView, manage = true) => queueRow(queue, { urls, clock, manage })

test.group('Queues page', () => {
  test('shows numbers with the lists behind them', ({ assert }) => {
    const { figures, note, mark } = row(view({}, { pending: 1204, running: 2 }))
    assert.deepInclude(figures[0], { key: 'pending', text: '1,204', zero: false })
    assert.equal(figures[0].url, '/q/jobs?queue=mails&status=pending')
    assert.isTrue(figures[2].zero)
    assert.deepEqual([note, mark], ['1 worker', 'running'])
  })

  test('warns of a queue that no worker serves, once a worker would have told', ({ assert }) => {
    const since = (age: number) => ({ workers: 0, oldest: { id: 'x', createdAt: NOW - age } })
    const old = row(view(since(60_000), { pending: 1 }))
    assert.deepInclude(old, { warning: true, note: 'no worker serves it', mark: 'suspect' })
    assert.equal(old.oldest?.at.relative, '1 min ago')
    assert.isFalse(row(view(since(2_000), { pending: 1 })).warning)
    assert.isTrue(row(view({ workers: 0 }, { scheduled: 1 })).warning)
    assert.isFalse(row(view({ workers: 0 })).warning)
  })

  test('offers what can be done, and says why not', ({ assert }) => {
    const empty = row(view())
    assert.deepInclude(empty.drain, { allowed: false, reason: 'Nothing waits in this queue' })
    assert.deepInclude(empty.pause, { label: 'Pause', url: '/q/queues/mails/pause', allowed: true })
    const paused = row(view({ paused: true }, { pending: 1 }))
    assert.deepInclude(paused.pause, { label: 'Resume', url: '/q/queues/mails/resume' })
    assert.isTrue(paused.drain.allowed)
    const looked = row(view({}, { pending: 1 }), false)
    for (const { allowed } of [looked.pause, looked.drain, looked.limits]) assert.isFalse(allowed)
  })

  test('shows a limit with what runs against it and who set it', ({ assert }) => {
    const limit = { limit: 4, configured: 2, set: { by: 'Ada', at: NOW }, running: 3 }
    assert.deepEqual(row(view({ limit })).limit, {
      text: '3 of 4',
      share: 75,
      source: 'set by Ada, configured: 2',
      value: '4',
      canReset: true,
    })
    assert.equal(row(view()).limit.text, 'none')
    assert.deepEqual(queueJson(view({ limit })).limit.set, {
      by: 'Ada',
      at: '2026-11-25T12:00:00.000Z',
    })
  })

  test('asks before draining, with numbers, and tells what was done', ({ assert }) => {
    const page = drainPage(view({}, { pending: 1, scheduled: 1500 }), { urls, manage: true })
    assert.deepInclude(page, { waiting: '1 job', scheduled: '1,500 jobs', refused: null })
    assert.isString(drainPage(view(), { urls, manage: true }).refused)
    assert.isString(drainPage(view({}, { pending: 1 }), { urls, manage: false }).refused)
    assert.equal(drainedText({ outcome: 'done', cancelled: 2, requested: 0 }), '2 jobs cancelled')
    assert.equal(drainedText({ outcome: 'done', cancelled: 0, requested: 0 }), 'nothing waited')
  })

  test('has an address for every name', ({ assert }) => {
    for (const name of ['a/b', '..', '.', '=', '=..', '%2F', 'ü "x"', '#?', '...']) {
      const url = new URL(urls.queue(name), 'http://host')
      const [, , , segment, ...rest] = url.pathname.split('/')
      assert.lengthOf(rest, 0)
      assert.equal(queueNameOf(decodeURIComponent(segment)), name)
    }
  })
})
