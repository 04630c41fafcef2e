import { Clock } from '../../../src/dashboard/presenters/format.ts'
import { metricCharts, rangeChoice } from '../../../src/dashboard/presenters/metric_charts.ts'
import type {
  ActionView,
  DashboardPage,
  Facet,
  Histogram,
  JobRow,
  JobsPage,
  Mark,
  Moment,
  Page,
  Tile,
} from '../../../src/dashboard/presenters/types.ts'
import type { MetricSeries } from '../../../src/records/metrics/main.ts'
import { STATUSES } from '../../../src/statuses.ts'

/**
 * Views as presenters hand them to templates, for tests of templates, styles and scripts alone.
 */
export const PREFIX = '/admin/queue'
export const NOW = Date.UTC(2026, 10, 25, 14, 31, 20)

/** Markup in every form that a page could fall for. */
export const HOSTILE = '<img src=x onerror=document.title=1>"\'{{ 7*7 }}'

export function moment(ago: number, relative = `${Math.round(ago / 1000)} s ago`): Moment {
  const at = NOW - ago
  const iso = new Date(at).toISOString()
  return {
    at,
    iso,
    exact: `${iso.slice(0, 10)} ${iso.slice(11, 23)} UTC`,
    clock: iso.slice(11, 19),
    relative,
  }
}

function action(id: string, name: string, allowed: boolean): ActionView {
  return {
    url: `${PREFIX}/jobs/${id}/${name}`,
    allowed,
    reason: allowed ? null : `Not possible: the job cannot be ${name}led now`,
  }
}

const TYPES = ['document_processing.parse', 'document_processing.chunk', 'demo.sleep', 'demo.flaky']
const USERS = ['Mara Lindqvist', 'Aiko Tanaka', 'Jonas Petersen', null]
const CONTEXTS: Record<(typeof STATUSES)[number], string> = {
  pending: 'user limit 3/3',
  scheduled: 'retry 2 of 3 in 58 s',
  blocked: 'waits for 2 of 4 jobs',
  running: 'Extracting text 4 of 10 pages',
  completed: '184 chunks from 12 pages',
  failed: 'PDF_PASSWORD The file contracts-2019-annex.pdf needs a password to be opened',
  cancelled: 'by Jonas Petersen before it started',
}

/** The row number `index` of a list; the same for the same number. */
export function row(index: number, change: Partial<JobRow> = {}): JobRow {
  const id = `01931e25-6c1f-7d40-9f3e-${index.toString(16).padStart(12, '0')}`
  const status = change.status ?? STATUSES[(index * 5 + 3) % STATUSES.length]!
  const ended = ['completed', 'failed', 'cancelled'].includes(status)
  const began = ended || status === 'running'
  return {
    id,
    now: NOW,
    shortId: `…${id.slice(-4)}`,
    url: `${PREFIX}/jobs/${id}`,
    type: TYPES[index % TYPES.length]!,
    queue: index % 3 ? 'documents' : 'demo',
    user: USERS[index % USERS.length]!,
    host: 'proc-eu-1',
    tags: ['import'],
    run: 1,
    status,
    mark: status,
    stopping: false,
    stoppingWord: 'stopping',
    suspect: false,
    left: false,
    context: CONTEXTS[status],
    contextIsError: status === 'failed',
    waiting: status === 'pending' ? 'user limit 3/3' : null,
    preview: '{"collection":"contracts-2025","pages":[1,2,3],"language":"en"}',
    progress: { percent: status === 'running' ? 40 : 0, shown: status === 'running' },
    attempts: {
      text: began ? '1 of 3' : '0 of 3',
      dots: [began ? status : 'empty', 'empty', 'empty'],
    },
    items: began ? { value: '4 / 10', unit: 'pages' } : null,
    duration: began
      ? {
          text: '12.4 s',
          milliseconds: 12_400,
          live: status === 'running',
          share: 40,
          p95: 78,
          slow: false,
        }
      : null,
    created: moment(index * 14_000 + 2_000),
    started: began ? moment(index * 14_000 + 1_000) : null,
    finished: ended ? moment(index * 14_000) : null,
    due: null,
    span: began ? 'since 14:31:07' : '14:31:18',
    error: status === 'failed' ? CONTEXTS.failed : null,
    cancel: action(id, 'cancel', !ended),
    restart: action(id, 'restart', status === 'failed' || status === 'cancelled'),
    priority: action(id, 'priority', status === 'pending' || status === 'scheduled'),
    delete: action(id, 'delete', ended),
    runAgain: action(id, 'run-again', ended),
    editAndRun: action(id, 'edit-and-run', ended),
    ...change,
  }
}

/** A row whose every text is hostile. */
export function hostileRow(index: number, text = HOSTILE): JobRow {
  return row(index, {
    type: text,
    queue: text,
    user: text,
    host: text,
    tags: [text],
    context: text,
    preview: `{"${text}":"${text}"}`,
    error: text,
  })
}

/** An hour in which something went wrong for a while. */
function series(): MetricSeries {
  const from = NOW - 3_600_000
  const none = { added: 0, completed: 0, failed: 0, cancelled: 0, retried: 0 }
  const points = Array.from({ length: 60 }, (_, index) => {
    const completed = 40 + Math.round(20 * Math.sin(index / 9) + ((index * 7) % 5))
    const failed = index > 30 && index < 40 ? 12 : 0
    const run = { count: completed, p50: 5_200, p95: 26_000 + failed * 1_500, p99: 60_000 }
    const wait = { count: completed, p50: 900, p95: 9_000 + index * 60, p99: 20_000 }
    const times = index === 20 ? { run: null, wait: null } : { run, wait }
    return { ...none, ...times, at: from + index * 60_000, added: completed + 3, completed, failed }
  })
  const sum = (key: 'added' | 'completed' | 'failed') =>
    points.reduce((total, point) => total + point[key], 0)
  const total = { ...none, added: sum('added'), completed: sum('completed'), failed: sum('failed') }
  const { run, wait } = points[0]
  return { from, to: NOW, step: 60_000, unit: 'minute', points, total: { ...total, run, wait } }
}

function histogram(brushed: boolean): Histogram {
  const bars = Array.from({ length: 96 }, (_, index) => {
    const total = 30 + Math.round(25 * Math.sin(index / 9) + ((index * 7) % 13))
    const failed = index % 11 ? 0 : 6
    return {
      from: moment((96 - index) * 900_000),
      to: moment((95 - index) * 900_000),
      total,
      failed,
      height: total,
      failedHeight: failed,
      inRange: !brushed || index > 70,
      url: `${PREFIX}/jobs?from=${index}`,
    }
  })
  const ticks = [0, 16, 33, 50, 66, 83].map((x, index) => ({ x, label: `${15 + index}:00` }))
  return {
    from: moment(86_400_000),
    to: moment(0),
    step: '15 min',
    span: '24 h',
    peak: 96,
    bars,
    ticks,
  }
}

export function page(kind: Page['kind'], change: Partial<Page> = {}): Page {
  const current = kind === 'dashboard' ? PREFIX : `${PREFIX}/jobs`
  return {
    title: {
      dashboard: 'Job Dashboard',
      jobs: 'Jobs',
      job: 'Job',
      queues: 'Queues',
      workers: 'Workers',
      alerts: 'Alerts',
      cleanups: 'Cleanup',
      schedules: 'Schedules',
      audit: 'Audit',
      bulk: 'Bulk action',
      confirm: 'Confirm',
      error: 'Error',
    }[kind],
    kind,
    fragment: false,
    urls: {
      dashboard: PREFIX,
      jobs: `${PREFIX}/jobs`,
      workers: `${PREFIX}/workers`,
      alerts: `${PREFIX}/alerts`,
      cleanups: `${PREFIX}/cleanups`,
      confirmBulk: `${PREFIX}/bulk/confirm`,
      preferences: `${PREFIX}/preferences`,
      current,
    },
    assets: Object.fromEntries(
      ['queuedeck.css', 'queuedeck.js', 'htmx.js', 'alpine.js'].map((name) => [
        name,
        `${PREFIX}/assets/${name}`,
      ])
    ),
    more: { current: false, count: 0 },
    nav: [
      {
        key: 'dashboard',
        label: 'Dashboard',
        icon: 'dashboard',
        url: PREFIX,
        current: kind === 'dashboard',
      },
      {
        key: 'jobs',
        label: 'Jobs',
        icon: 'jobs',
        url: `${PREFIX}/jobs`,
        current: kind === 'jobs' || kind === 'job',
      },
      {
        key: 'workers',
        label: 'Workers',
        icon: 'worker',
        url: `${PREFIX}/workers`,
        current: kind === 'workers',
      },
    ],
    theme: 'auto',
    density: 'compact',
    zone: { name: 'UTC', known: true },
    csrf: 'token',
    cspNonce: null,
    stream: `${PREFIX}/stream?page=${kind}`,
    revision: 1,
    now: NOW,
    actor: { id: '1', name: 'Mara Lindqvist', initials: 'ML' },
    manage: true,
    search: '',
    away: [],
    flash: null,
    ...change,
  }
}

function facet(key: Facet['key'], label: string, names: readonly string[]): Facet {
  const values = names.map((name, index) => ({
    name,
    count: `${1_006 - index * 97}`,
    share: 90 - index * 12,
    mark: key === 'status' ? (name as Mark) : null,
    active: false,
    url: `${PREFIX}/jobs?${key}=${encodeURIComponent(name)}`,
  }))
  return { key, label, values }
}

export function jobs(rows: JobRow[], change: Partial<JobsPage> = {}): JobsPage {
  const base = `${PREFIX}/jobs`
  return {
    rows,
    count: '2,184',
    total: '1,482,906',
    showing: `Newest ${rows.length} of 2,184`,
    fresh: 0,
    freshUrl: base,
    selfUrl: base,
    next: `${base}?cursor=next`,
    previous: null,
    first: null,
    facets: [
      facet('status', 'Status', STATUSES),
      facet('queue', 'Queue', ['documents', 'demo']),
      facet('type', 'Type', TYPES),
      facet('user', 'User', ['Mara Lindqvist', 'Aiko Tanaka']),
      facet('host', 'Host', ['proc-eu-1', 'proc-eu-2']),
      facet('tag', 'Tag', ['import', 'nightly']),
    ],
    facetsSampled: false,
    histogram: histogram(true),
    sort: {
      created: { key: 'created', direction: 'descending', url: `${base}?sort=created` },
      status: { key: 'status', direction: null, url: `${base}?sort=-status` },
      progress: { key: 'progress', direction: null, url: `${base}?sort=-progress` },
      duration: { key: 'duration', direction: null, url: `${base}?sort=-duration` },
    },
    fields: {
      q: '',
      status: [],
      type: [],
      queue: [],
      user: [],
      tag: [],
      host: [],
      from: '',
      to: '',
      sort: '',
      direction: '',
      tz: '',
      limit: '',
    },
    chips: [],
    clearUrl: base,
    empty: null,
    ...change,
  }
}

export function tile(
  key: string,
  label: string,
  value: string,
  unit = '',
  mark: Mark | null = null
): Tile {
  const share = key === 'cpu' || key === 'memory' ? 51 : null
  const url = mark ? `${PREFIX}/jobs?status=${key}` : null
  return { key, label, mark, figures: [{ value, unit }], sub: 'oldest 2 min 14 s', share, url }
}

export function dashboard(running: JobRow[], change: Partial<DashboardPage> = {}): DashboardPage {
  return {
    tiles: [
      tile('pending', 'Pending', '21,412,345', '', 'pending'),
      tile('running', 'Running', '1,010', 'of 1,200', 'running'),
      tile('scheduled', 'Scheduled', '131', '', 'scheduled'),
      tile('blocked', 'Blocked', '36', '', 'blocked'),
      tile('completed', 'Completed', '1,451,204', '', 'completed'),
      tile('failed', 'Failed', '28,170', '', 'failed'),
      tile('cancelled', 'Cancelled', '3,141', '', 'cancelled'),
      tile('inQueue', 'In queue', '391'),
      tile('total', 'All time', '12,451,482,906'),
      tile('activeWorkers', 'Active workers', '3', 'of 4'),
      tile('cpu', 'CPU', '51', '%'),
      tile('memory', 'Memory', '4.1', 'of 8 GB'),
    ],
    charts: metricCharts({ series: series(), now: NOW }, '1h', new Clock('UTC', NOW)),
    ranges: rangeChoice('1h', (range) => `${PREFIX}?range=${range}`),
    running,
    workers: (['active', 'active', 'suspect'] as const).map((state, index) => ({
      id: `proc-eu-${index}`,
      host: `proc-eu-${index}`,
      pid: 4102 + index,
      version: '0.1.0',
      state,
      busy: '3 of 10',
      busyShare: 30,
      queues: 'documents, demo',
      cpu: '61 %',
      memory: '312 MB',
      memoryShare: 48,
      loopDelay: '1.2 ms',
      started: moment(3_600_000),
      age: 4_000,
      ageText: '4.0 s',
    })),
    mirrorLag: '120 ms',
    cleanup: { last: moment(400_000, '6 min ago'), next: moment(-200_000, 'in 3 min') },
    alerts: { items: [], more: 0 },
    ...change,
  }
}
