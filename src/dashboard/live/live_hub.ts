import type { HttpContext } from '@adonisjs/core/http'
import type { Logger } from '@adonisjs/core/logger'
import type { Transport } from '../../transport/transport.ts'
import { E_TOO_MANY_STREAMS } from '../../errors.ts'
import { within } from '../../time/within.ts'
import type { ChangeNotice } from '../../types.ts'
import { visibleText } from '../../visible_text.ts'
import type { Dashboard } from '../dashboard.ts'
import { countedOf, countedText } from '../presenters/counted.ts'
import { duration } from '../presenters/format.ts'
import { tiles } from '../presenters/dashboard_page.ts'
import type { DashboardUrls } from '../urls.ts'
import { EventStream } from './event_stream.ts'
import { LiveClient, type ProgressFrame, type ProgressRow } from './live_client.ts'
import type { LiveView } from './live_view.ts'

/** Streams of one process; whoever comes later polls, and its page says so. */
const MOST_STREAMS = 1_000

const PROGRESS_EVERY = 250
const CHANGES_EVERY = 60
/** Each page that is told asks for what changed: many pages are told less often, ms per page, so that they take no process whole. */
const CHANGES_EVERY_PER_CLIENT = 8
const CHANGES_AT_LEAST = 400
const STATISTICS_EVERY = 1_000
const LOOK_EVERY = 1_000
/** CPU, memory and silent workers change without any job changing. */
const STATISTICS_AT_LEAST = 10_000
/** How often a stream says that it is alive, and asks whether its viewer may still look, ms. */
const ASK_EVERY = 15_000
/** How long the newest revision is waited for at first, ms. */
const START_PATIENCE = 500
/** How often pages ask by themselves while they have no stream, ms. */
const POLL_INTERVAL = 30_000

/**
 * A stream ends after this long, ms, and the browser opens the next one at once: only so the host's own middleware sees whether
 * the session still lives.
 */
const LONGEST_STREAM = 120_000

/** Lists whose rows are remembered, for progress to go only where it is seen. */
const MOST_LISTS = 200
/**
 * Viewers of one list may look at other rows of it, those who read on at older ones: rows count as seen until the list was rendered
 * without them for this long, ms, as long as there are not too many.
 */
const SHOWN_FOR = 10_000
const MOST_SHOWN = 1_000

/**
 * Tells open pages what changed: one Redis subscription for all clients of this process.
 */
export class LiveHub {
  #dashboard: Dashboard
  #transport: Transport
  #logger: Logger
  #clients = new Set<LiveClient>()
  #listeners = new Set<(notice: ChangeNotice) => void>()
  /** By list, when each row was last shown, the longest ago first. */
  #shown = new Map<string, Map<string, number>>()
  #starting: Promise<void> | undefined
  #unsubscribe: (() => void) | undefined
  #timer: NodeJS.Timeout | undefined
  #revision = 0
  /** By `performance.now()`, as `#flushedAt`: the machine's clock may be put back. */
  #statisticsAt = -Infinity
  #statisticsRunning = false
  /** Something changed since the numbers were read, or somebody came who has none. */
  #statisticsDue = false
  #flushSoon: NodeJS.Timeout | undefined
  #flushedAt = -Infinity
  #looking: NodeJS.Timeout | undefined
  /** What Redis had counted at the last look, and what had arrived here before it. */
  #looked: { counted: number; known: number } | undefined
  #isLooking = false
  /** Whether Redis was away at the last look, and as open pages were told. */
  #wasAway = false
  #toldAway = false
  #closed = false

  #most: number
  #askEvery: number

  constructor(
    dashboard: Dashboard,
    transport: Transport,
    logger: Logger,
    options: { mostStreams?: number; askEvery?: number } = {}
  ) {
    this.#most = options.mostStreams ?? MOST_STREAMS
    this.#askEvery = options.askEvery ?? ASK_EVERY
    this.#dashboard = dashboard
    this.#transport = transport
    this.#logger = logger
  }

  get clients(): number {
    return this.#clients.size
  }

  /**
   * The newest revision that this process knows: what it renders now is at least as new.
   */
  async revision(): Promise<number> {
    const started = this.#start()
    if (this.#dashboard.redisAwaySince === null) await within(START_PATIENCE, started)
    return this.#revision
  }

  /** Notes which jobs a list shows to one of its viewers. */
  show(key: string, ids: string[]): void {
    const now = performance.now()
    const shown = this.#shown.get(key) ?? new Map<string, number>()
    for (const id of ids) {
      shown.delete(id)
      shown.set(id, now)
    }
    for (const [id, at] of shown) {
      if (now - at < SHOWN_FOR && shown.size <= MOST_SHOWN) break
      shown.delete(id)
    }
    this.#shown.delete(key)
    this.#shown.set(key, shown)
    if (this.#shown.size > MOST_LISTS) this.#shown.delete(this.#shown.keys().next().value!)
  }

  /**
   * Calls the listener with every change notice until the signal. For monitors.
   */
  listen(listener: (notice: ChangeNotice) => void, until: AbortSignal): void {
    void this.#start()
    this.#listeners.add(listener)
    until.addEventListener('abort', () => this.#listeners.delete(listener), { once: true })
  }

  /**
   * Keeps the number of open streams within bounds.
   *
   * @throws E_TOO_MANY_STREAMS
   */
  assertRoom({ response }: HttpContext): void {
    if (!this.#closed && this.#clients.size + this.#listeners.size < this.#most) return
    response.header('retry-after', String(POLL_INTERVAL / 1_000))
    throw new E_TOO_MANY_STREAMS()
  }

  /**
   * Answers the request with the stream of a page.
   *
   * @param mayStay  asked again and again: whether this viewer may still look
   */
  async open(
    ctx: HttpContext,
    view: LiveView,
    urls: DashboardUrls,
    mayStay: () => Promise<boolean>
  ): Promise<void> {
    const revision = await this.revision()
    const stream = this.stream(ctx, mayStay, () => this.#flush(urls))
    const client = new LiveClient(view, stream)
    this.#clients.add(client)
    stream.ended.addEventListener('abort', () => this.#clients.delete(client), { once: true })
    stream.send('hello', { revision, pollInterval: POLL_INTERVAL }, revision)
    if (view.wantsStatistics) this.#statisticsDue = true
    this.#run(urls)
  }

  /**
   * An event stream that pings, ends with the viewer's access and after two minutes.
   */
  stream(ctx: HttpContext, mayStay: () => Promise<boolean>, onFree?: () => void): EventStream {
    const stream = new EventStream(ctx, onFree)
    const timers = [
      setInterval(() => stream.isFree && stream.send('ping', null), this.#askEvery),
      setInterval(() => {
        mayStay().then(
          (may) => may || stream.close(),
          () => stream.close()
        )
      }, this.#askEvery),
      setTimeout(() => stream.close(), LONGEST_STREAM * (0.9 + Math.random() * 0.2)),
    ]
    const onClose = () => stream.close()
    this.#closing.signal.addEventListener('abort', onClose, { once: true })
    stream.ended.addEventListener(
      'abort',
      () => {
        this.#closing.signal.removeEventListener('abort', onClose)
        for (const timer of timers) clearInterval(timer)
      },
      { once: true }
    )
    return stream
  }

  #closing = new AbortController()

  close(): void {
    this.#closed = true
    this.#closing.abort()
    clearTimeout(this.#flushSoon)
    clearInterval(this.#looking)
    clearInterval(this.#timer)
    this.#unsubscribe?.()
  }

  #start(): Promise<void> {
    if (this.#closed) return Promise.resolve()
    this.#looking ??= setInterval(() => void this.#look(), LOOK_EVERY).unref()
    this.#starting ??= this.#subscribe().catch((error) => {
      /** Redis is away: the next page tries again. */
      this.#logger.debug({ err: error }, 'Live pages wait for Redis')
      this.#starting = undefined
    })
    return this.#starting
  }

  async #subscribe(): Promise<void> {
    this.#unsubscribe = await this.#transport.changes.subscribe((notice) => this.#take(notice))
    const { changes, connections } = this.#transport
    /** Without an answer the next look finds out. */
    const counted = await connections
      .produce('changes cannot be counted', (client) => changes.revision(client))
      .catch(() => 0)
    /** Who came before has missed what was told until now. */
    if (counted > this.#revision) this.#takeMissed(counted)
  }

  async #look(): Promise<void> {
    if (this.#isLooking || this.#clients.size + this.#listeners.size === 0) return
    this.#isLooking = true
    await this.#lookForMissed()
    this.#lookWhetherAway()
    this.#isLooking = false
  }

  /**
   * Redis tells everything at most once: what was said while this process was not connected never arrives. What Redis had counted at
   * the last look and nothing has followed since was missed, and then anything may have changed.
   */
  async #lookForMissed(): Promise<void> {
    const known = this.#revision
    const counted = await this.#dashboard.changesCounted()
    if (counted === null) return
    const last = this.#looked
    this.#looked = { counted, known }
    if (last?.known !== known || last.counted === known || this.#revision !== known) return
    this.#takeMissed(counted)
  }

  /**
   * While Redis is away nobody tells of anything, so pages that stand open learn here that it is, and that it is back: each then looks
   * again, which shows it. Two looks have to agree, lest Redis' short pauses send every page to look.
   */
  #lookWhetherAway(): void {
    const isAway = this.#dashboard.redisAwaySince !== null
    if (isAway === this.#wasAway && isAway !== this.#toldAway) {
      this.#toldAway = isAway
      this.#takeMissed(this.#revision)
    }
    this.#wasAway = isAway
  }

  #takeMissed(revision: number): void {
    this.#take({ revision, changed: [], more: true, progress: [], lag: 0 })
  }

  #take(told: ChangeNotice): void {
    /** An emptied Redis counts from the beginning again: what it told before the first that arrives was missed as well. */
    const isGap = told.revision !== this.#revision + 1
    const notice = isGap ? { ...told, more: true } : told
    this.#revision = notice.revision
    for (const listener of this.#listeners) listener(notice)
    for (const client of this.#clients) {
      client.take(notice, this.#shown.get(client.view.key) ?? null)
      /** Noted here: what tells a page of it may be the answer of numbers that were read before. */
      if (client.view.wantsStatistics && client.hasChanges) this.#statisticsDue = true
    }
    if (this.#clients.size === 0 || this.#flushSoon) return
    /** The first change goes out at once, those that follow are gathered. */
    const every = Math.min(
      CHANGES_AT_LEAST,
      Math.max(CHANGES_EVERY, CHANGES_EVERY_PER_CLIENT * this.#clients.size)
    )
    const wait = Math.max(0, this.#flushedAt + every - performance.now())
    this.#flushSoon = setTimeout(() => {
      this.#flushSoon = undefined
      this.#flush(this.#urls)
    }, wait)
  }

  #urls!: DashboardUrls

  #run(urls: DashboardUrls): void {
    this.#urls = urls
    this.#timer ??= setInterval(() => {
      for (const client of this.#clients) client.flushProgress((row) => this.#frame(row))
      this.#renewStatistics(this.#urls)
    }, PROGRESS_EVERY)
  }

  #flush(urls: DashboardUrls): void {
    this.#flushedAt = performance.now()
    for (const client of this.#clients) client.flushChanges(null)
    this.#renewStatistics(urls)
  }

  #renewStatistics(urls: DashboardUrls): void {
    const age = performance.now() - this.#statisticsAt
    if (this.#statisticsRunning) return
    if (age <= (this.#statisticsDue ? STATISTICS_EVERY : STATISTICS_AT_LEAST)) return
    if ([...this.#clients].some(({ view }) => view.wantsStatistics)) void this.#sendStatistics(urls)
  }

  async #sendStatistics(urls: DashboardUrls): Promise<void> {
    this.#statisticsRunning = true
    this.#statisticsDue = false
    this.#statisticsAt = performance.now()
    try {
      const [counts, workers] = await Promise.all([
        this.#dashboard.reader.counts().catch(() => null),
        this.#dashboard.workers(),
      ])
      const shown = Object.fromEntries(
        tiles({ counts, workers }, urls).map(({ key, figures, sub, share }) => [
          key,
          { figures, sub, share },
        ])
      )
      for (const client of this.#clients) client.flushChanges(shown)
    } finally {
      this.#statisticsRunning = false
    }
  }

  #frame(row: ProgressRow): ProgressFrame {
    const [id, percent, stage, done, total, unit, startedAt, run, createdAt] = row
    const text = this.#dashboard.texts.known({ id, run, createdAt })
    const counted = countedOf({
      done: done ?? undefined,
      total: total ?? undefined,
      unit: unit ?? undefined,
    })
    const context = [stage ?? '', countedText(counted)].filter(Boolean).join(' · ')
    return [
      id,
      Math.round(percent),
      /** A stage may quote a secret of the payload: without the mask of this very run it stays with what the page shows. */
      text === null ? null : visibleText(text.line(context)),
      text === null ? null : (counted?.value ?? ''),
      startedAt === null ? null : duration(Math.max(0, Date.now() - startedAt)),
      text === null ? null : visibleText(text.line(counted?.unit ?? '')),
    ]
  }
}
