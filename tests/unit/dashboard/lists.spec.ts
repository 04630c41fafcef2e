import { test } from '@japa/runner'
import { Lists } from '../../../src/dashboard/lists.ts'
import { JobQuery } from '../../../src/records/job_query.ts'
import { encodeCursor } from '../../../src/records/query/cursor.ts'
import type { JobView } from '../../../src/types.ts'

const HOUR = 3_600_000

type Page = { rows: string; next?: boolean; previous?: boolean }

/**
 * The rows that are dimmed, by the first letters of their names, and how many are new. Rows are named by letters; those in `changed`
 * are not as the others are.
 */
async function refreshed(
  params: Record<string, string>,
  pins: string,
  { rows, next = false, previous = false }: Page,
  changed: Record<string, Partial<JobView>> = {}
) {
  const job = (id: string) => ({
    ...{ id, status: 'running', host: 'web-1', createdAt: Date.now() - HOUR },
    ...changed[id],
  })
  const reader = {
    page: async () => ({
      rows: [...rows].map(job),
      next: next ? 'next' : null,
      previous: previous ? 'previous' : null,
    }),
    rowsById: async (ids: string[]) => ids.map(job),
  }
  const dashboard = {
    reader,
    texts: { forJobs: async () => new Map() },
    rowFacts: async () => ({}),
  }
  const lists = new Lists(dashboard as never)
  const list = await lists.rows(JobQuery.from(params), [...pins], 1, false)
  return { left: [...list.left].join(''), fresh: list.fresh }
}

const LEFT = { status: 'completed' } as const

test.group('Lists | pinned rows', () => {
  test('are dimmed when they left the filter, though as many came in', async ({ assert }) => {
    const running = { status: 'running' }
    const first = await refreshed(running, 'ab', { rows: 'xb', next: true }, { a: LEFT })
    assert.deepEqual(first, { left: 'a', fresh: 1 })
    const last = await refreshed(running, 'ab', { rows: 'xa', next: true }, { b: LEFT })
    assert.deepEqual(last, { left: 'b', fresh: 1 })
    const all = await refreshed(running, 'ab', { rows: 'xy', next: true }, { a: LEFT, b: LEFT })
    assert.deepEqual(all, { left: 'ab', fresh: 2 })
  })

  test('are dimmed when they left it by more than their status', async ({ assert }) => {
    for (const [params, change] of [
      [{ host: 'web-1' }, { host: 'web-2' }],
      [{ from: '2h' }, { createdAt: Date.now() - 3 * HOUR }],
    ] as [Record<string, string>, Partial<JobView>][]) {
      const page = { rows: 'xa', next: true }
      const { left } = await refreshed(params, 'ab', page, { b: change })
      assert.equal(left, 'b', JSON.stringify(params))
      assert.equal((await refreshed(params, 'ab', page)).left, '', JSON.stringify(params))
    }
  })

  test('are not when their host is the same without case', async ({ assert }) => {
    const page = { rows: 'xa', next: true }
    const change = { b: { host: '\u00c9va' } }
    assert.equal((await refreshed({ host: 'e\u0301va' }, 'ab', page, change)).left, '')
  })

  test('are not when new ones pushed them off a page that goes on', async ({ assert }) => {
    const goesOn = { next: true }
    assert.deepEqual(await refreshed({}, 'abc', { rows: 'xya', ...goesOn }), { left: '', fresh: 2 })
    assert.deepEqual(await refreshed({}, 'abc', { rows: 'xyz', ...goesOn }), { left: '', fresh: 3 })
    assert.equal((await refreshed({}, 'abc', { rows: 'xb', ...goesOn })).left, 'a')
    assert.equal((await refreshed({}, 'abc', { rows: 'xya' })).left, 'bc', 'the list ends there')
  })

  test('are not when new ones pushed them off the beginning of a page that was read from its end', async ({
    assert,
  }) => {
    const cursor = encodeCursor('created', 'desc', { back: true, key: [Date.now(), 1] })
    const page = { rows: 'cx', next: true }
    assert.equal((await refreshed({ cursor }, 'abc', { ...page, previous: true })).left, '')
    assert.equal((await refreshed({ cursor }, 'abc', page)).left, 'ab')
    const between = { rows: 'xac', next: true, previous: true }
    assert.equal((await refreshed({ cursor }, 'abc', between)).left, 'b')
  })

  test('are not when they moved elsewhere in a list that goes on', async ({ assert }) => {
    for (const sort of ['status', 'progress', 'duration']) {
      const { left } = await refreshed({ sort }, 'ab', { rows: 'bx', next: true }, { a: LEFT })
      assert.equal(left, '', sort)
      const whole = await refreshed({ sort }, 'ab', { rows: 'bx' }, { a: LEFT })
      assert.equal(whole.left, 'a', sort)
    }
  })
})
