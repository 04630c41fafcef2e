import { isTerminal } from '../../statuses.ts'
import type { ChangeNotice } from '../../types.ts'
import { visibleText } from '../../visible_text.ts'
import type { EventStream } from './event_stream.ts'
import type { LiveView } from './live_view.ts'

/** Most jobs that one `changed` names, and one `progress` carries. */
const MOST_CHANGED = 50
const MOST_PROGRESS = 500

/** Notices that may wait for a slow client. */
const MOST_NOTICES = 5

export type ProgressRow = ChangeNotice['progress'][number]

/**
 * What a client's browser gets of one job's progress: id, percent, context, items, duration, unit of the items. Empty is what the job does
 * not report; null what the page keeps as it shows it.
 */
export type ProgressFrame = [
  id: string,
  percent: number,
  context: string | null,
  items: string | null,
  duration: string | null,
  unit: string | null,
]

/**
 * One open page: keeps the newest of everything that its client has not taken yet, never more.
 */
export class LiveClient {
  #changed = new Set<string>()
  #more = false
  #moved = false
  #progress = new Map<string, ProgressRow>()
  #notices: object[] = []
  #revision = 0

  constructor(
    readonly view: LiveView,
    readonly stream: EventStream
  ) {}

  get hasChanges(): boolean {
    return this.#moved
  }

  get hasProgress(): boolean {
    return this.#progress.size > 0
  }

  /**
   * @param shown  Ids on the screens of those who look at this list, where this process rendered them; null: not known
   */
  take(notice: ChangeNotice, shown: Pick<ReadonlySet<string>, 'has'> | null): void {
    const { view } = this
    this.#revision = notice.revision
    for (const change of notice.changed) {
      if (!view.concerns(change)) continue
      this.#moved = true
      if (this.#changed.size < MOST_CHANGED) this.#changed.add(change.id)
      else this.#more = true
      const told = tell(change, view)
      if (told && this.#notices.length < MOST_NOTICES) this.#notices.push(told)
    }
    for (const alert of notice.alerts ?? []) {
      if (this.#notices.length < MOST_NOTICES) this.#notices.push(shownAlert(alert))
    }
    /** Others changed that the notice does not name: they may be on this page. */
    if (notice.more) this.#moved = this.#more = true
    for (const row of notice.progress) {
      const [id] = row
      if (view.jobId === null ? shown === null || shown.has(id) : view.jobId === id) {
        if (this.#progress.size < MOST_PROGRESS || this.#progress.has(id)) {
          this.#progress.set(id, row)
        }
      }
    }
  }

  /** Sends what waits, unless the client is slow: then it goes on waiting, newest values only. */
  flushProgress(frame: (row: ProgressRow) => ProgressFrame): void {
    if (this.#progress.size === 0 || !this.stream.isFree) return
    const rows = [...this.#progress.values()].map(frame)
    this.#progress.clear()
    this.stream.send('progress', rows)
  }

  flushChanges(statistics: object | null): void {
    if (!this.stream.isFree) return
    if (this.#moved) {
      const [revision, ids, more] = [this.#revision, [...this.#changed], this.#more]
      this.#changed.clear()
      this.#moved = this.#more = false
      this.stream.send('changed', { revision, ids, more }, revision)
    }
    for (const notice of this.#notices.splice(0)) this.stream.send('notice', notice)
    if (statistics && this.view.wantsStatistics) this.stream.send('stats', statistics)
  }
}

function shownAlert(alert: NonNullable<ChangeNotice['alerts']>[number]): object {
  const { title, text } = alert
  return { ...alert, title: visibleText(title), text: visibleText(text), alert: true }
}

/**
 * Failures are told everywhere, any end on the page of that job. The error itself is not: it may quote a secret.
 */
function tell(change: ChangeNotice['changed'][number], view: LiveView): object | null {
  const { id, type, status } = change
  if (view.jobId === null ? status !== 'failed' : !isTerminal(status)) return null
  const level = status === 'failed' ? 'error' : status === 'completed' ? 'success' : 'info'
  return { level, title: visibleText(`${type} ${status}`), text: `Job …${id.slice(-4)}`, id }
}
