import type { JobStatus } from '../../types.ts'
import type { AlertItem } from './alerts_page.ts'
import type { CodeBlock } from './job_types.ts'
import type { MetricChartsView, RangeChoice } from './metric_charts.ts'

export type { ConfirmPage, EditPage } from './form_types.ts'
export type { CodeBlock, JobPage, LogView, StageView, Token, TraceRow } from './job_types.ts'

/**
 * What templates are given, whole and ready to print: they format nothing, decide nothing and know no address. Every text
 * here may hold hostile input and is printed escaped (`{{ }}`), never inside a script, a style or an unquoted attribute.
 *
 * | template | variables |
 * |---|---|
 * | `queuedeck::pages/dashboard` (whole page; with `page.fragment` only its `#dashboard` region) | `page`, `dashboard` |
 * | `queuedeck::pages/jobs` | `page`, `jobs` |
 * | `queuedeck::partials/jobs_region` (`#jobs`: the fragment that filters, paging and refreshes swap) | `page`, `jobs` |
 * | `queuedeck::pages/job` | `page`, `job` |
 * | `queuedeck::partials/job_sheet` (body of the right sheet, and its refresh) | `page`, `job` |
 * | `queuedeck::pages/workers` (whole page; with `page.fragment` only its `#workers-page` region) | `page`, `list` |
 * | `queuedeck::pages/worker` (the same for one worker) | `page`, `worker`, `charts` (null while the database is away), `ranges` |
 * | `queuedeck::pages/confirm` | `page`, `confirm` |
 * | `queuedeck::partials/confirm` (body of the dialog) | `page`, `confirm` |
 * | `queuedeck::pages/edit_and_run` | `page`, `edit` |
 * | `queuedeck::pages/queues` (the list, or one queue; with `page.fragment` only its `#queues` region) | `page`, `queues`, `queue` |
 * | `queuedeck::pages/drain` | `page`, `drain` |
 * | `queuedeck::partials/drain` (body of the dialog) | `page`, `drain` |
 * | `queuedeck::pages/alerts` (whole page; with `page.fragment` only its `#alerts` region) | `page`, `alerts` |
 * | `queuedeck::pages/error` | `page`, `error` |
 * | `queuedeck::partials/log_lines` (older lines, appended) | `page`, `log` |
 * | `queuedeck::components/monitor_state` | `monitor` |
 */

/**
 * The mark that shows a state by its shape; also the value of `data-s`. `stopping` and `suspect` lie over a status.
 */
export type Mark = JobStatus | 'stopping' | 'suspect'

/**
 * One moment in the viewer's zone. `relative` (`2 s ago`, `in 58 s`) is true at `page.now`; scripts keep it true by `at`.
 */
export type Moment = {
  at: number
  /** `2026-11-25T14:31:18.123Z`: for `datetime`. */
  iso: string
  /** `2026-11-25 14:31:18.123 Europe/Lisbon`: for `title`. */
  exact: string
  /** `14:31:18`; with the day in front when it is not today. */
  clock: string
  relative: string
}

/**
 * A link or form target of an action. Not allowed: `reason` says why, and the control is shown disabled with it.
 */
export type ActionView = {
  /** GET answers the confirmation, POST acts. */
  url: string
  allowed: boolean
  reason: string | null
}

export type NavItem = {
  key: string
  label: string
  icon: string
  url: string
  current: boolean
  /** A phone has no room for it beside the others: it stands behind "More". */
  more?: true
  /** A badge; 0 or nothing: none. */
  count?: number
}

/**
 * The frame around every page.
 */
export type Page = {
  title: string
  kind:
    | 'dashboard'
    | 'jobs'
    | 'job'
    | 'queues'
    | 'schedules'
    | 'workers'
    | 'alerts'
    | 'cleanups'
    | 'audit'
    | 'bulk'
    | 'confirm'
    | 'error'
  /** True when only a region is rendered, for htmx. */
  fragment: boolean
  urls: {
    dashboard: string
    jobs: string
    workers: string
    alerts: string
    cleanups: string
    confirmBulk: string
    preferences: string
    current: string
  }
  /** Hashed address by file name, e.g. `page.assets['queuedeck.css']`, `['htmx.js']`, `['alpine.js']`. */
  assets: Record<string, string>
  nav: NavItem[]
  /** The phone's "More": whether this page stands behind it, and its badge. */
  more: { current: boolean; count: number }
  theme: 'auto' | 'light' | 'dark'
  density: 'compact' | 'comfortable'
  /** IANA zone in which moments are shown; `known` is false while no script has told it (then UTC). */
  zone: { name: string; known: boolean }
  /** Token for `<meta name="csrf-token">` and a hidden `_csrf` field; null where the application has no Shield. */
  csrf: string | null
  cspNonce: string | null
  /** Address of the live stream for exactly what this page shows; null: the page does not live. */
  stream: string | null
  /** Revision that this page's data is at least as new as. */
  revision: number
  /** Epoch milliseconds at rendering. */
  now: number
  actor: { id: string; name: string; initials: string }
  /** Whether the viewer may act at all; single jobs may still refuse. */
  manage: boolean
  /** Value of the search box in the top bar. */
  search: string
  /** What cannot be reached now, and since when. */
  away: { service: 'redis' | 'database' | 'mirror'; text: string; since: Moment | null }[]
  /** Outcome of the action before this page, for toast and live region. */
  /** `ended`: the session had, so that nothing was done. */
  flash: { level: 'info' | 'success' | 'error'; text: string; ended?: true } | null
}

/** A figure with its unit, e.g. `[{ value: '3', unit: 'min' }, { value: '34', unit: 's' }]`. */
export type Figure = { value: string; unit: string }

export type Tile = {
  /** Name of the number in `stats` events: `data-stat`. */
  key: string
  label: string
  /** Mark and colour; null for plain numbers. */
  mark: Mark | null
  figures: Figure[]
  /** Context line, '' for none. */
  sub: string
  /** 0 to 100 for a bar below the figure, null for none. */
  share: number | null
  /** Where the tile leads, null for nowhere. */
  url: string | null
}

/**
 * Bars over time. `bars` are in order; heights are shares of `peak`.
 */
export type Histogram = {
  /** How long a time it covers: `2 h`. */
  span: string
  from: Moment
  to: Moment
  /** Length of one bar in words: `15 min`. */
  step: string
  peak: number
  bars: {
    from: Moment
    to: Moment
    total: number
    failed: number
    /** 0 to 100, of the peak: whole bar, and its failed part. */
    height: number
    failedHeight: number
    /** Inside the chosen range; always true without one. */
    inRange: boolean
    /** The list of exactly this bar. */
    url: string
  }[]
  /** Labels below: position 0 to 100. */
  ticks: { x: number; label: string }[]
}

export type DashboardPage = {
  /** pending, running, scheduled, blocked, completed, failed, cancelled, inQueue, total, activeWorkers, cpu, memory; absent numbers print `–`. */
  tiles: Tile[]
  /** Jobs created in the last two hours, and the failed ones of them; null when the database is away. */
  /** null while the database is away. */
  charts: MetricChartsView | null
  ranges: RangeChoice
  /** null while the database is away. */
  running: JobRow[] | null
  /** null while Redis is away. */
  workers: WorkerRow[] | null
  /** Last measured lag of the history, `120 ms`; null when no mirror reported lately. */
  mirrorLag: string | null
  cleanup: { last: Moment | null; next: Moment | null }
  /** Open alerts that are not muted, the newest; `more` counts the others. */
  alerts: { items: AlertItem[]; more: number }
}

export type WorkerRow = {
  id: string
  host: string
  pid: number
  version: string
  state: 'active' | 'quiet' | 'stopping' | 'suspect'
  /** `3 of 10` */
  busy: string
  busyShare: number
  queues: string
  cpu: string
  memory: string
  memoryShare: number
  loopDelay: string
  started: Moment
  /** Since the last report, ms, and in words. */
  age: number
  ageText: string
}

/**
 * One row of a list; also the head of the job page.
 */
export type JobRow = {
  id: string
  /** When the row was made, epoch ms: its running duration and relative time count from then. */
  now: number
  /** `…9a41` */
  shortId: string
  url: string
  type: string
  queue: string
  user: string | null
  host: string | null
  tags: string[]
  run: number
  status: JobStatus
  mark: Mark
  stopping: boolean
  /** `stopping` or `ignored the signal`, of a job that is being stopped. */
  stoppingWord: string
  /** Its worker has been silent for more than 30 s. */
  suspect: boolean
  /** It left the filter since it came on the screen: dimmed, not removed. */
  left: boolean
  /** Second line of the status cell: stage, due moment, error, reason; '' for none. */
  context: string
  contextIsError: boolean
  /** Why a pending job waits: `user limit 3/3`; null for any other. */
  waiting: string | null
  /** Start of the payload, redacted and cut; null when there is none to show. */
  preview: string | null
  /** Percent 0 to 100; `shown` false where a bar would say nothing (never reported, not started). */
  progress: { percent: number; shown: boolean }
  /** `dots` empty when there are more than six attempts: then only the text. */
  attempts: { text: string; dots: (Mark | 'empty')[] }
  /** `4 / 10` over `pages`; null without counts. */
  items: { value: string; unit: string } | null
  /** `share` and `p95`: 0 to 100 of one scale, for the bar and its tick; null without a p95 of that type. */
  duration: {
    text: string
    milliseconds: number
    live: boolean
    share: number | null
    p95: number | null
    slow: boolean
  } | null
  created: Moment
  started: Moment | null
  finished: Moment | null
  due: Moment | null
  /** Second line of the time cell: `14:28:20 – 14:28:22`, `since 14:31:07`, `14:35:40 due`. */
  span: string
  /** One error line, code in front; null without one. */
  error: string | null
  cancel: ActionView
  restart: ActionView
  priority: ActionView
  delete: ActionView
  runAgain: ActionView
  editAndRun: ActionView
}

export type FacetValue = {
  name: string
  count: string
  /** 0 to 100, of the whole list. */
  share: number
  mark: Mark | null
  active: boolean
  /** The list with this value added, or taken away when it is active. */
  url: string
}

export type Facet = {
  key: 'status' | 'queue' | 'type' | 'user' | 'host' | 'tag'
  label: string
  values: FacetValue[]
}

export type SortColumn = {
  key: 'created' | 'status' | 'progress' | 'duration'
  /** For `aria-sort`; null when the list is not sorted by it. */
  direction: 'ascending' | 'descending' | null
  url: string
}

/** A row that the browser has already. */
export type SameRow = { id: string; same: true }

export type JobsPage = {
  rows: (JobRow | SameRow)[]
  /** `2,184` or `10,000+`. */
  count: string
  /** All jobs known, without the filter. */
  total: string
  /** Position text: `50 jobs`, `Newest 50 of 2,184`. */
  showing: string
  /** Jobs that entered above the pinned rows; 0 for a list that is not pinned. */
  fresh: number
  /** Address that shows them: this list without pins. */
  freshUrl: string
  /** This very list, for refreshes (without pins). */
  selfUrl: string
  next: string | null
  previous: string | null
  first: string | null
  facets: Facet[]
  /** At least one facet is counted among the newest matches only. */
  facetsSampled: boolean
  histogram: Histogram | null
  sort: Record<SortColumn['key'], SortColumn>
  /** Current values for the filter form: name and value of each field, as in the address. */
  fields: {
    q: string
    status: string[]
    type: string[]
    queue: string[]
    user: string[]
    tag: string[]
    host: string[]
    from: string
    to: string
    sort: string
    direction: string
    tz: string
    limit: string
  }
  /** Active filters as chips, each with the list without it. */
  chips: { label: string; value: string; url: string }[]
  clearUrl: string
  /** Why the table is empty and what next; null when it is not. */
  empty: {
    icon: string
    title: string
    text: string
    action: { label: string; url: string } | null
  } | null
}

export type ErrorPage = {
  status: number
  code: string
  title: string
  text: string
  /** Of the address or of a form, where it is one that cannot be used. */
  field?: string
  since: Moment | null
  /** The way on; null where there is none (403). */
  action: { label: string; url: string } | null
  /** 403: nothing of the dashboard may be shown around it. */
  bare: boolean
}

/**
 * One job's live state inside a page of the host. The element's attributes carry `urls`, `status`, `version` and `for`.
 */
export type MonitorView = {
  id: string
  /** `queuedeck-monitor-<id>`, stable. */
  elementId: string
  type: string
  status: JobStatus
  mark: Mark
  stopping: boolean
  terminal: boolean
  percent: number
  stage: string
  /** `4 of 10 pages`, '' without counts. */
  items: string
  /** Last line in words: result, error or reason; '' while it runs. */
  outcome: string
  result: CodeBlock | null
  error: string | null
  /** Grows with every change of this job; a state with a lower one is ignored. */
  version: number
  /** Id of the host's submit button that stays busy until the job is terminal. */
  for: string | null
  urls: { state: string; stream: string; html: string }
  /** Script and style of the element. */
  assets: Record<string, string>
}
