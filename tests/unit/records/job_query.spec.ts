import { test } from '@japa/runner'
import type { Assert } from '@japa/assert'
import { InvalidInputException } from '../../../src/errors.ts'
import { DIRECTIONS, JobQuery, SORTS } from '../../../src/records/job_query.ts'
import { encodeCursor } from '../../../src/records/query/cursor.ts'

const NOW = Date.parse('2026-11-25T08:00:00Z')
/** What to do instead. */
const REMEDY =
  /[:;] (write|give|choose|take|use|leave|remove|at most|there are|"to")|must be|at most/

const utc = (text: string) => Date.parse(text)

/** Refused with the status of bad input, naming the parameter, in words short enough for a page. */
function refused(assert: Assert, params: Record<string, unknown>, field: string, text?: RegExp) {
  const about = JSON.stringify(params).slice(0, 200)
  let error: unknown
  try {
    JobQuery.from(params, NOW)
    assert.fail(`Was taken: ${about}`)
  } catch (thrown) {
    error = thrown
  }
  if (!(error instanceof InvalidInputException)) throw error
  assert.equal(error.status, 422, about)
  assert.equal(error.field, field, about)
  assert.isBelow(error.message.length, 500, about)
  assert.match(error.message, REMEDY, about)
  if (text) assert.match(error.message, text, about)
}

test.group('Job query', () => {
  test('without parameters: everything, newest first', ({ assert }) => {
    const query = JobQuery.from()
    assert.containsSubset(query, { sort: 'created', direction: 'desc', limit: 50, zone: 'UTC' })
    assert.isFalse(query.isFiltered)
    assert.deepEqual(query.toParams(), {})
    assert.deepEqual(JobQuery.from({ q: '', type: [''], from: undefined, to: null }).toParams(), {})
  })

  test('reads one or several values, and hands them back as an address takes them', ({
    assert,
  }) => {
    const params = {
      q: '0199',
      status: ['failed', 'cancelled'],
      type: ['mail.*'],
      queue: ['reports/a b#1?x=%2F..\\ü 😀'],
      user: ['7', 'Ann'],
      tag: ['a', 'b'],
      host: ['web-1'],
      from: '2h',
      to: '2026-11-25',
      tz: 'Europe/Berlin',
      sort: 'duration',
      direction: 'asc',
      limit: '7',
    }
    const query = JobQuery.from(params, NOW)
    assert.deepEqual(query.toParams(), params)
    assert.isTrue(query.isFiltered)
    assert.equal(query.from, NOW - 7_200_000)
    assert.deepEqual(JobQuery.from(query.toParams(), NOW), query)
    assert.deepEqual(
      JobQuery.from({ status: 'Failed, cancelled', user: 7, type: 'x' }).toParams(),
      {
        status: ['failed', 'cancelled'],
        user: ['7'],
        type: ['x'],
      }
    )
    assert.deepEqual(JobQuery.from({ tag: ['a', 'a', ''] }).tags, ['a'])
  })

  test('a change leaves the query as it was and begins at the first page', ({ assert }) => {
    const cursor = encodeCursor('created', 'desc', { back: false, key: [NOW, 3] })
    const query = JobQuery.from({ type: 'a', from: '1h', cursor, limit: '10' }, NOW)
    const changed = query.with({ types: ['b'], from: NOW, to: '2026-12-01', statuses: ['failed'] })
    assert.deepEqual(changed.toParams(), {
      type: ['b'],
      status: ['failed'],
      from: new Date(NOW).toISOString(),
      to: '2026-12-01',
      limit: '10',
    })
    assert.isNull(changed.cursor)
    assert.equal(query.cursor, cursor)
    assert.deepEqual(query.types, ['a'])
    assert.deepEqual(query.position, { back: false, key: [NOW, 3] })
    assert.isNull(query.with({ from: null }).from)
    assert.equal(query.with({ limit: 20 }).from, query.from)
    assert.throws(() => (query.types as string[]).push('c'))
    assert.throws(() => Object.assign(query, { q: 'x' }))
    assert.throws(() => query.with({ sort: 'duration', cursor }), /sorted differently/)
  })

  test('compares moments, not texts, whatever zone they are written in', ({ assert }) => {
    const end = utc('2026-11-01T21:00:00Z')
    for (const to of [
      '2026-11-01T21:00:00Z',
      '2026-11-01T22:00:00+01:00',
      '2026-11-01 22:00:00.000+0100',
      '2026-11-01T21:00',
    ]) {
      assert.equal(JobQuery.from({ to }).to, end, to)
    }
    assert.equal(JobQuery.from({ to: '2026-11-02T02:30', tz: 'Asia/Kolkata' }).to, end)
  })

  test('reads now as its forms write it, and long ago as the beginning of time', ({ assert }) => {
    const now = utc('2026-11-01T21:00:00Z')
    const { from, to } = JobQuery.from({ from: '999999d', to: 'now' }, now)
    assert.deepEqual([from, to], [0, now])
  })

  test('a bare day is the day of the zone, from its beginning to its end', ({ assert }) => {
    const day = (tz: string, date: string) => {
      const { from, to, zone } = JobQuery.from({ from: date, to: date, tz })
      return [from, to, zone]
    }
    assert.deepEqual(day('Asia/Kolkata', '2026-11-01'), [
      utc('2026-10-31T18:30:00Z'),
      utc('2026-11-01T18:30:00Z'),
      'Asia/Kolkata',
    ])
    // Clocks change: 25 and 23 hours
    const long = day('Europe/Berlin', '2026-10-25')
    assert.deepEqual(long.slice(0, 2), [utc('2026-10-24T22:00:00Z'), utc('2026-10-25T23:00:00Z')])
    const short = day('America/New_York', '2027-03-14')
    assert.deepEqual(short.slice(0, 2), [utc('2027-03-14T05:00:00Z'), utc('2027-03-15T04:00:00Z')])
    assert.deepEqual(day('UTC', '2028-02-29').slice(0, 2), [utc('2028-02-29'), utc('2028-03-01')])
  })

  test('refuses ranges that nobody can mean', ({ assert }) => {
    for (const from of [
      'yesterday',
      '2026-13-01',
      '2026-02-30',
      '2027-02-29',
      '0050-01-01',
      '2026-11-01T25:00',
      '2026-11-01T10:61',
      '5 bananas',
      '1767225600000',
      '9999999h',
      '-2h',
      `2026-11-01${' '.repeat(100)}x`,
    ]) {
      refused(assert, { from }, 'from', /moment/)
      refused(assert, { to: from }, 'to', /moment/)
    }
    refused(assert, { from: '2026-11-02', to: '2026-11-01' }, 'to', /empty/)
    refused(assert, { from: '1h', to: '2h' }, 'to', /empty/)
    refused(assert, { tz: 'Mars/Olympus' }, 'tz', /Mars/)
  })

  test('names value and remedy of what it does not know', ({ assert }) => {
    refused(assert, { status: 'done' }, 'status', /"done".*pending.*completed/)
    refused(assert, { status: ['failed', 'x,running'] }, 'status', /"x"/)
    refused(assert, { sort: 'name' }, 'sort', /"name".*duration/)
    refused(assert, { sort: 'toString' }, 'sort')
    refused(assert, { direction: 'up' }, 'direction', /asc, desc/)
    refused(assert, { colour: 'red' }, 'colour', /"colour".*status/)
    refused(assert, JSON.parse('{"__proto__":"x"}'), '__proto__')
    for (const limit of ['0', '201', '-1', '1.5', 'all', '1e2', ' 5'])
      refused(assert, { limit }, 'limit', /1 to 200/)
    refused(assert, { sort: ['created', 'status'] }, 'sort', /once/)
    refused(assert, { q: ['a', 'b'] }, 'q', /once/)
    refused(assert, { type: { a: 1 } }, 'type')
    refused(assert, { type: [['a']] }, 'type')
    refused(assert, { user: true }, 'user')
    refused(assert, { type: Array.from({ length: 51 }, (_, index) => `t${index}`) }, 'type', /51/)
  })

  test('refuses filters in the search, where they would find nothing, and names the remedy', ({
    assert,
  }) => {
    const remedies = {
      'status:': '--status=',
      'status:failed': '--status=',
      '-Queue: low': '--queue=',
      'host:web-1': 'host=',
      'tag:(a or b)': '--tag=',
      'duration:>5s': 'without "duration:"',
      'data.user.id:42': 'without "data.user.id:"',
      'user: ': 'without "user:"',
    }
    for (const [q, remedy] of Object.entries(remedies)) {
      assert.throws(() => JobQuery.from({ q }), new RegExp(remedy))
    }
    for (const q of ['user:42', 'statuses:1', 'repeat:ab:1', 'statusx', 'team:status:']) {
      assert.equal(JobQuery.from({ q }).q, q)
    }
  })

  test('refuses ten thousand letters in any parameter, without repeating them', ({ assert }) => {
    for (const name of JobQuery.PARAMS) {
      refused(assert, { [name]: 'x'.repeat(10_000) }, name, /10000/)
      refused(assert, { [name]: '😀'.repeat(5_000) }, name, /10000/)
    }
    refused(assert, { ['n'.repeat(10_000)]: 'x' }, 'n'.repeat(60))
  })

  test('takes any letters in names but the one that no database holds', ({ assert }) => {
    for (const name of [
      '/ . : % ? # ü 😀',
      "'; drop table x; --",
      '%',
      '_',
      '"',
      '{{ 7*7 }}',
      '\u202e',
    ]) {
      assert.deepEqual(JobQuery.from({ type: name }).types, [name])
    }
    refused(assert, { q: 'a\0b' }, 'q', /U\+0000/)
    assert.deepEqual(JobQuery.from({ user: 'a\ud800' }).users, ['a\ufffd'])
  })
})

test.group('Cursors', () => {
  const KEYS = {
    created: [NOW, 12],
    status: [6, NOW, 12],
    progress: [1001, NOW, 12],
    duration: [-1, 12],
  }

  test('lead back to their place in each sort and direction', ({ assert }) => {
    for (const sort of SORTS) {
      for (const direction of DIRECTIONS) {
        for (const back of [true, false]) {
          const position = { back, key: KEYS[sort] }
          const cursor = encodeCursor(sort, direction, position)
          assert.match(cursor, /^[A-Za-z0-9._~-]+$/)
          assert.deepEqual(JobQuery.from({ sort, direction, cursor }).position, position)
        }
      }
    }
  })

  test('are refused when any letter was altered, cut or added', ({ assert }) => {
    const cursor = encodeCursor('created', 'desc', { back: false, key: [NOW, 12] })
    const altered = new Set<string>()
    for (let at = 0; at < cursor.length; at++) {
      for (const letter of ['0', '9', 'n', 'p', '.', '-', '~', '\n', 'é']) {
        altered.add(cursor.slice(0, at) + letter + cursor.slice(at + 1))
        altered.add(cursor.slice(0, at) + letter + cursor.slice(at))
      }
      altered.add(cursor.slice(0, at) + cursor.slice(at + 1))
      if (at > 0) altered.add(cursor.slice(0, at))
    }
    altered.delete(cursor)
    for (const text of altered) refused(assert, { cursor: text }, 'cursor', /cursor/)
    for (const text of ['null', '[object Object]', '../../etc/passwd', '1 or 1=1', `${cursor} `])
      refused(assert, { cursor: text }, 'cursor')
  })

  test('are refused by a list that is sorted differently', ({ assert }) => {
    const cursor = encodeCursor('status', 'desc', { back: false, key: [6, NOW, 12] })
    for (const sort of SORTS) {
      for (const direction of DIRECTIONS) {
        if (sort === 'status' && direction === 'desc') continue
        refused(assert, { sort, direction, cursor }, 'cursor', /sorted differently/)
      }
    }
  })

  test('made by hand are refused where no column holds their numbers', ({ assert }) => {
    for (const [sort, key] of [
      ['status', [7, NOW, 1]],
      ['status', [-1, NOW, 1]],
      ['status', [40_000, NOW, 1]],
      ['progress', [1002, NOW, 1]],
      ['progress', [Number.MAX_SAFE_INTEGER, NOW, 1]],
      ['duration', [-2, 1]],
      ['created', [-5, 1]],
      ['created', [2 ** 53, 1]],
      ['created', [1]],
      ['created', [1, 2, 3]],
    ] as const) {
      const cursor = encodeCursor(sort, 'desc', { back: false, key: [...key] })
      refused(assert, { sort, cursor }, 'cursor')
    }
  })
})
