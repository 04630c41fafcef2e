import { test } from '@japa/runner'
import { recentHistogram } from '../../../src/dashboard/chart.ts'
import { filled } from '../../../src/dashboard/mount.ts'
import type { AuditItem } from '../../../src/dashboard/presenters/audit_page.ts'
import { Clock } from '../../../src/dashboard/presenters/format.ts'
import { jobPage } from '../../../src/dashboard/presenters/job_page.ts'
import { jobRow, type RowContext } from '../../../src/dashboard/presenters/job_row.ts'
import { jobsPage } from '../../../src/dashboard/presenters/jobs_page.ts'
import { JobTexts } from '../../../src/dashboard/redaction/job_texts.ts'
import { SecretKeys } from '../../../src/dashboard/redaction/secret_keys.ts'
import { DashboardUrls } from '../../../src/dashboard/urls.ts'
import { JobQuery } from '../../../src/records/job_query.ts'
import type { JobDetails } from '../../../src/types.ts'

const T0 = Date.UTC(2026, 10, 25, 14)
const texts = new JobTexts(new SecretKeys([]), async () => null)
const urls = new DashboardUrls('/admin/queue')
const clock = new Clock('UTC', T0 + 60_000)
const context: RowContext = {
  urls,
  clock,
  mayManage: () => true,
  p95: {},
  suspects: new Set(),
  waiting: new Map(),
}

/** Failed after two seconds in its second stage, waited for ten, and did all in three. */
const RETRIED: JobDetails = {
  id: '01931e25-6c1f-7d40-9f3e-77c4a1d0b8e2',
  queue: 'documents',
  type: 'document_processing.parse',
  transportId: '01931e25-6c1f-7d40-9f3e-77c4a1d0b8e2',
  status: 'completed',
  stopping: false,
  signalIgnored: false,
  run: 1,
  attempts: { started: 2, max: 3 },
  priority: 0,
  user: null,
  host: 'vm',
  worker: null,
  tags: [],
  progress: { percent: 100, stage: 'Writing', done: 4, total: 4, unit: 'files' },
  error: null,
  createdAt: T0,
  dueAt: null,
  startedAt: T0 + 1_000,
  finishedAt: T0 + 16_000,
  duration: 15_000,
  sensitive: false,
  payload: '{}',
  options: '{}',
  result: null,
  attemptList: [attempt(1, 'failed', 1_000, 3_000), attempt(2, 'completed', 13_000, 16_000)],
  events: [
    stage(1, 1_000, 'Reading', 0, 4),
    stage(1, 2_000, 'Writing', 0, 4),
    stage(2, 13_000, 'Reading', 0, 4),
    stage(2, 14_000, 'Writing', 0, 4),
  ],
  runs: [],
  checkpoints: null,
  hasTransport: true,
  moved: 1,
}

function attempt(number: number, outcome: 'failed' | 'completed', from: number, to: number) {
  const [startedAt, finishedAt] = [T0 + from, T0 + to]
  const where = { run: 1, attempt: number, worker: null, host: 'vm' }
  return { ...where, outcome, startedAt, finishedAt, error: null }
}

function stage(number: number, at: number, name: string, done: number, total: number) {
  const detail = { percent: 0, stage: name, done, total, unit: 'files' }
  return { at: T0 + at, run: 1, attempt: number, kind: 'stage', detail }
}

const pageOf = (job: JobDetails, audit: AuditItem[] = []) =>
  jobPage({
    job,
    audit,
    texts,
    log: { lines: [], next: null },
    previousId: null,
    nextId: null,
    context,
  })

test.group('Page of a job', () => {
  test('links only what lies on this host, of what a result offers', ({ assert }) => {
    const offered = [
      { label: 'train.jsonl', url: '/datasets/a1/train.jsonl?x=%2F' },
      { label: '<b>bold</b>', url: '/b' },
      ...[
        '//evil.example/a',
        '/\\evil.example',
        '/\t/evil.example',
        'https://evil.example/',
        'javascript:alert(1)',
        'data:text/html,x',
        'a/b',
        '/a"onclick="x',
        '/a b',
        '',
      ].map((url) => ({ label: 'bad', url })),
      { label: '', url: '/empty' },
      { label: 7, url: '/number' },
      { url: '/none' },
      null,
      'text',
    ]
    const page = (result: string, more: Partial<JobDetails> = {}) =>
      jobPage({
        job: { ...RETRIED, ...more, result },
        texts,
        log: { lines: [], next: null },
        previousId: null,
        nextId: null,
        context,
      }).links
    const result = JSON.stringify({ links: offered })
    assert.deepEqual(page(result), [offered[0], offered[1]])
    assert.deepEqual(page(result, { sensitive: true }), [])
    for (const other of ['null', '[]', '"links"', '{"links":{}}', '{"links":"/a"}']) {
      assert.deepEqual(page(other), [])
    }
  })

  test('hides secrets of the payload in why an action came to nothing', ({ assert }) => {
    const act = { said: 'Restart: failed', who: 'Ada', via: 'on a page', reason: 'no p-111' }
    const job = { ...RETRIED, payload: '{"password":"p-111"}' }
    const [{ detail }] = pageOf(job, [act as AuditItem]).audit
    assert.equal(detail, 'Ada on a page · no [redacted]')
  })

  test('what lies between attempts is waiting, not executing', ({ assert }) => {
    const tiles = new Map(pageOf(RETRIED).tiles.map(({ key, ...tile }) => [key, tile]))
    assert.deepEqual(tiles.get('executing')!.figures, [{ value: '5.0', unit: 's' }])
    assert.equal(tiles.get('executing')!.sub, 'in 2 attempts')
    assert.deepEqual(tiles.get('waiting')!.figures, [{ value: '11.0', unit: 's' }])
    assert.equal(tiles.get('waiting')!.sub, '10.0 s between attempts')
    assert.deepEqual(tiles.get('duration')!.figures, [{ value: '16.0', unit: 's' }])
  })

  test('a stage that is over does not say how far it was when it began', ({ assert }) => {
    const stages = pageOf(RETRIED).stages.map(({ name, items, mark }) => [name, items, mark])
    assert.deepEqual(stages, [
      ['Reading', '4 files', 'completed'],
      ['Writing', '4 files', 'failed'],
      ['Reading', '4 files', 'completed'],
      ['Writing', '4 of 4 files', 'completed'],
    ])
  })

  test('what happened is told without secrets, though it is cut', ({ assert }) => {
    const detail = (message: string, more: object = {}) => {
      const failed = { ...stage(1, 3_000, '', 0, 0), kind: 'failed', detail: { message, ...more } }
      const payload = '{"password":"hunter2-page"}'
      return pageOf({ ...RETRIED, payload, events: [failed] }).timeline[0].detail
    }
    const long = detail('x'.repeat(290) + ' hunter2-page')
    assert.lengthOf(long, 300)
    assert.notInclude(long, 'hun')
    assert.equal(detail('with hunter2-p…'), 'with [redacted]…')
    assert.equal(detail('with hunter2-p…', { by: 'ada' }), 'with [redacted]… · by ada')
    assert.equal(
      detail('no', { reason: 'with hunter2-p…', status: 'failed' }),
      'no · with [redacted]… · failed'
    )
  })

  test('says why there is no result', ({ assert }) => {
    assert.equal(pageOf(RETRIED).noResult, 'The job returned nothing.')
    assert.include(pageOf({ ...RETRIED, status: 'failed' }).noResult, 'failed')
    assert.include(pageOf({ ...RETRIED, status: 'running' }).noResult, 'None yet')
  })

  test('a cancelled row does not say so twice', ({ assert }) => {
    const error = { code: 'CANCELLED', message: 'cancelled by Ada' }
    const row = (message: string) =>
      jobRow(
        { ...RETRIED, status: 'cancelled', error: { ...error, message } },
        texts.make(RETRIED, null),
        context
      ).context
    assert.equal(row('cancelled by Ada'), 'by Ada')
    assert.equal(row('no longer needed'), 'no longer needed')
    // On its own page no status stands beside it.
    const cancelled = { ...RETRIED, status: 'cancelled' as const }
    const { context: line } = pageOf({
      ...cancelled,
      error: { ...error, message: 'cancelled by Ada' },
    })
    assert.equal(line, 'Cancelled by Ada')
  })
})

test.group('Filter form', () => {
  test('keeps order and zone of the list', ({ assert }) => {
    const query = JobQuery.from({
      sort: 'duration',
      direction: 'asc',
      tz: 'Asia/Kolkata',
      limit: 20,
    })
    const none = { values: [], sampled: false }
    const { fields } = jobsPage({
      query,
      rows: [],
      page: { next: null, previous: null, count: { value: 0, capped: false }, bounded: false },
      total: 0,
      facets: { status: none, queue: none, type: none, user: none, host: none, tag: none },
      histogram: null,
      fresh: 0,
      urls,
      clock,
    })
    const again = JobQuery.from({ ...fields, status: [], queue: [] })
    assert.deepEqual(again.toParams(), query.toParams())
  })
})

test.group('Charts of the last while', () => {
  const DAY = 86_400_000
  const reader = (...created: number[]) => ({
    asked: [] as number[],
    async histogram(
      _: JobQuery,
      { from, to, bars = 60 }: { from: number; to: number; bars?: number }
    ) {
      this.asked.push(to - from)
      const step = (to - from) / bars
      const list = Array.from({ length: bars }, (_value, index) => {
        const at = from + index * step
        return {
          at,
          total: created.filter((one) => one >= at && one < at + step).length,
          failed: 0,
        }
      })
      return { from, to, step, bars: list, sampled: false }
    },
  })
  const range = { from: T0 - DAY, to: T0, bars: 96 }

  test('are as long as there is anything to see', async ({ assert }) => {
    const young = reader(T0 - 40_000, T0 - 1_000)
    const { from, to, bars } = await recentHistogram(young, JobQuery.from(), range)
    assert.equal(to - from, 120_000)
    assert.equal(
      bars.reduce((sum, { total }) => sum + total, 0),
      2
    )
    assert.isAtMost(young.asked.length, 4)
  })

  test('are whole for an older history, and for none', async ({ assert }) => {
    for (const one of [reader(T0 - DAY + 5_000_000, T0 - 1_000), reader()]) {
      const { from, to } = await recentHistogram(one, JobQuery.from(), range)
      assert.equal(to - from, DAY)
      assert.lengthOf(one.asked, 1)
    }
  })
})

test.group('Addresses below a prefix of the host', () => {
  test('take its parameters, encoded, and name the one that is missing', ({ assert }) => {
    assert.equal(filled('/admin/queue', {}), '/admin/queue')
    assert.equal(filled('/t/:tenant/queue', { tenant: 'a b/c' }), '/t/a%20b%2Fc/queue')
    assert.throws(() => filled('/t/:tenant/queue', {}), /"tenant" is not known/)
  })
})
