import { EventEmitter } from 'node:events'
import { test } from '@japa/runner'
import { columnsOf, fit } from '../../../src/console/watch/columns.ts'
import { Screen } from '../../../src/console/watch/screen.ts'
import { STATUSES } from '../../../src/statuses.ts'
import type { Snapshot } from '../../../src/console/watch/snapshot.ts'
import { Source } from '../../../src/console/watch/source.ts'
import { coloured, share, uncoloured, watchView } from '../../../src/console/watch/view.ts'

const NOW = Date.parse('2026-11-28T10:00:30Z')

function queue(name: string, pending: number, more: object = {}) {
  return {
    name,
    paused: false,
    depths: { pending, running: 1, scheduled: 2, blocked: 0, completed: 0, failed: 0 },
    oldest: { id: 'x', createdAt: NOW - 65_000 },
    workers: 1,
    limit: { limit: 5, configured: 5, set: null, running: 1 },
    ...more,
  }
}

function job(type: string, more: object = {}) {
  return {
    id: '0192f3c4-8d5e-7a61-b2c3-d4e5f6a7b8c9',
    type,
    queue: 'mails',
    progress: { percent: 43.9, stage: 'Sending' },
    startedAt: NOW - 12_000,
    ...more,
  }
}

function worker(host: string, more: object = {}) {
  return {
    id: `${host}:1:aaaaaaaa`,
    host,
    pid: 1,
    concurrency: 10,
    running: [{}],
    cpu: 0.5,
    memory: { used: 200_000_000, limit: 1e9 },
    state: 'active',
    age: 3_000,
    ...more,
  }
}

function snapshot(
  lists: { queues?: object[]; running?: object[]; workers?: object[]; alerts?: object[] } = {},
  away: { redis?: object; records?: object } = {}
): Snapshot {
  const {
    queues = [queue('mails', 4)],
    running = [job('mail.send')],
    workers = [worker('a')],
  } = lists
  const counts = {
    pending: 4,
    scheduled: 2,
    blocked: 0,
    running: 1,
    failed: 7,
    cancelled: 0,
    completed: 1_234_567,
  }
  return {
    prefix: '{queuedeck}',
    now: NOW,
    redis: {
      value: {
        queues,
        workers,
        limits: {
          limits: [{ kind: 'global', limit: 10, running: 1 }],
          users: [],
          heldBack: [{ jobs: 3 }],
          complete: true,
        },
        mirror: { lag: 12, queues: {} },
      },
      at: NOW - 5_000,
      away: away.redis ?? null,
    },
    records: {
      value: { counts, running, rate: 3.25, alerts: lists.alerts ?? [] },
      at: NOW,
      away: away.records ?? null,
    },
  } as never
}

test.group('queue:status --watch | the view', () => {
  test('fits {columns} columns and {rows} rows, whatever there is to show')
    .with([
      { columns: 80, rows: 24 },
      { columns: 200, rows: 60 },
      { columns: 40, rows: 12 },
      { columns: 20, rows: 3 },
    ])
    .run(({ assert }, { columns, rows }) => {
      const many = <T>(make: (n: number) => T) => Array.from({ length: 50 }, (_, n) => make(n))
      const hostile = '\u001b[31m日本語 \u202e😀 e\u0301'.repeat(30)
      for (const shown of [
        snapshot(),
        snapshot({ queues: [], running: [], workers: [] }),
        snapshot({
          queues: many((n) => queue(`${hostile}${n}`, n * 1_000_000, { paused: true })),
          running: many((n) =>
            job(hostile, { queue: hostile, progress: { percent: n * 1e9, stage: hostile } })
          ),
          workers: many(() => worker(hostile, { age: 100_000 })),
          alerts: many(() => ({ title: hostile, text: hostile, openedAt: NOW })),
        }),
      ]) {
        const lines = watchView(shown, { columns, rows, style: uncoloured })
        assert.isAtMost(lines.length, rows)
        for (const line of lines) {
          assert.isAtMost(columnsOf(line), columns, line)
          assert.notInclude(line, '\u001b')
          assert.notInclude(line, '\u202e')
        }
        const inColour = watchView(shown, { columns, rows, style: coloured })
        assert.deepEqual(inColour.map(columnsOf), lines.map(columnsOf))
      }
    })

  test('leaves no status out of a narrow terminal', ({ assert }) => {
    for (const columns of [20, 40, 62, 80]) {
      const text = watchView(snapshot(), { columns, rows: 30, style: uncoloured }).join('\n')
      for (const status of STATUSES) assert.include(text, status)
    }
  })

  test('shows numbers, queues, running jobs and workers', ({ assert }) => {
    const lines = watchView(snapshot(), { columns: 100, rows: 30, style: uncoloured })
    const text = lines.join('\n')
    assert.match(lines[0], /^Queuedeck \{queuedeck\} +10:00:30 UTC$/)
    assert.include(text, 'Redis up   Database up   Mirror lag 12 ms')
    assert.match(text, /1,234,567/)
    assert.include(text, '3.3 ended/s   limit 1/10   1 worker, 10 at once   3 held back by limits')
    assert.match(text, /mails +4 +1 +2 +1\/5 +1 +1 min/)
    assert.match(text, /mail\.send \(mails\) Sending +████░░░░ {2}43 % {2}f6a7b8c9/)
    assert.match(text, /a:1 +active +1\/10 +50 % +200 MB +3 s ago/)
  })

  test('says what is away, since when and why, and how old the rest is', ({ assert }) => {
    const reason = 'Redis cannot be reached, so workers cannot be listed: the connection is refused'
    const redis = { since: NOW - 4_000, reason }
    const text = watchView(snapshot({}, { redis }), {
      columns: 100,
      rows: 30,
      style: uncoloured,
    }).join('\n')
    assert.include(text, 'Redis away   Database up')
    assert.include(text, 'Redis away for 4 s, shown as of 10:00:25: the connection is refused')
    assert.match(text, /mails +4 +1 +2/)
  })

  test('names the newest alerts', ({ assert }) => {
    const alerts = [1, 2, 3, 4, 5].map((n) => ({
      title: `Alert ${n}`,
      text: 'it is so',
      openedAt: NOW - n * 60_000,
    }))
    const lines = watchView(snapshot({ alerts }), { columns: 100, rows: 30, style: uncoloured })
    assert.include(lines, '! Alert 1 (1 min): it is so')
    assert.include(lines, '! and 2 more alerts')
    assert.notInclude(lines.join(), 'Alert 4')
  })

  test('lists share the lines: what one does not need the others have', ({ assert }) => {
    assert.deepEqual(share([1, 50, 50], 11), [1, 5, 5])
    assert.deepEqual(share([2, 2, 2], 100), [2, 2, 2])
    assert.deepEqual(share([5, 5, 5], -3), [0, 0, 0])
    const running = Array.from({ length: 40 }, () => job('mail.send'))
    const lines = watchView(snapshot({ running }), { columns: 100, rows: 30, style: uncoloured })
    const shown = lines.filter((line) => line.startsWith('mail.send')).length
    assert.include(lines, `and ${40 - shown} more`)
  })

  test('counts columns as terminals do', ({ assert }) => {
    assert.equal(columnsOf('日本'), 4)
    assert.equal(columnsOf('e\u0301'), 1)
    assert.equal(columnsOf('👩‍👩‍👧'), 2)
    assert.equal(fit('日本語', 4), '日… ')
    assert.equal(fit('12', 4, true), '  12')
  })
})

class Terminal extends EventEmitter {
  columns = 80
  rows = 3
  written = ''
  raw = false
  write(text: string) {
    this.written += text
  }
  setRawMode(raw: boolean) {
    this.raw = raw
  }
  resume() {}
  pause() {}
}

test.group('queue:status --watch | the terminal', () => {
  test('is drawn only when something changed, follows its size, and is given back', ({
    assert,
  }) => {
    const terminal = new Terminal()
    const screen = new Screen(terminal, terminal)
    let quits = 0
    let resizes = 0
    screen.enter({ quit: () => quits++, resized: () => resizes++ })
    assert.isTrue(terminal.raw)
    assert.include(terminal.written, '\u001b[?1049h')
    terminal.written = ''
    screen.draw(['a', 'b', 'c', 'too much'])
    assert.equal(terminal.written, '\u001b[Ha\u001b[K\r\nb\u001b[K\r\nc\u001b[K\u001b[J')
    terminal.written = ''
    screen.draw(['a', 'b', 'c', 'too much'])
    assert.equal(terminal.written, '')
    terminal.rows = 2
    terminal.emit('resize')
    screen.draw(['a', 'b', 'c'])
    assert.equal(resizes, 1)
    assert.notInclude(terminal.written, 'c\u001b[K')

    for (const key of ['x', 'q', '\u0003']) terminal.emit('data', Buffer.from(key))
    assert.equal(quits, 2)
    screen.leave()
    screen.draw(['late'])
    assert.isFalse(terminal.raw)
    assert.isTrue(terminal.written.endsWith('\u001b[?25h\u001b[?1049l'))
    assert.equal(terminal.listenerCount('resize') + terminal.listenerCount('data'), 0)
  })

  test('a source keeps its value while it is away, and asks once at a time', async ({ assert }) => {
    let asked = 0
    let answer: () => Promise<number> = async () => 1
    const source = new Source(
      () => (asked++, answer()),
      () => 1_000,
      20
    )
    await source.refresh()
    assert.deepInclude(source, { value: 1, at: 1_000, away: null })
    answer = async () => {
      throw new Error('refused')
    }
    await source.refresh()
    assert.deepInclude(source, { value: 1, away: { since: 1_000, reason: 'refused' } })
    let late!: (value: number) => void
    answer = () => new Promise((resolve) => (late = resolve))
    await Promise.all([source.refresh(), source.refresh()])
    assert.equal(asked, 3)
    assert.match(source.away!.reason, /no answer within/)
    late(2)
    await source.refresh()
    assert.deepInclude(source, { value: 2, away: null })
  })
})
