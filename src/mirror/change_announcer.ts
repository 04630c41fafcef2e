import { cutText } from '../cut_text.ts'
import type { StoredJob } from '../records/writer_types.ts'
import { within } from '../time/within.ts'
import type { ChangeNotice } from '../types.ts'

type Notice = Omit<ChangeNotice, 'revision'>

const MOST_CHANGED = 200
const MOST_PROGRESS = 500

/** Notices are gathered this long, so that a fast mirror does not flood the web processes. */
const GATHER = 40

/** What could not be told is told of again after this long, ms, where nothing else is to be told before. */
const AGAIN = 1_000

/** How long the last notice may take, ms. */
const LAST = 1_000

/**
 * Tells after each commit which jobs changed. What happens within 40 ms goes out together; a status that changed twice is
 * told once, progress in its newest state.
 */
export class ChangeAnnouncer {
  #publish: (notice: Notice) => Promise<unknown>
  #changed = new Map<string, Notice['changed'][number]>()
  #progress = new Map<string, Notice['progress'][number]>()
  #more = false
  #lag = 0
  #timer: NodeJS.Timeout | undefined
  #again: NodeJS.Timeout | undefined
  #isClosed = false
  #sentAt = -Infinity

  constructor(publish: (notice: Notice) => Promise<unknown>) {
    this.#publish = publish
  }

  add(jobs: StoredJob[], lag: number): void {
    this.#lag = lag
    for (const job of jobs) {
      const { id, status, percent, stage, done, total, unit, startedAt, run, createdAt } = job
      if (status !== 'running' || hasBegun(job)) this.#change(job)
      if (status !== 'running' || (percent === 0 && stage === null && done === null)) continue
      if (this.#progress.size < MOST_PROGRESS || this.#progress.has(id)) {
        const progress = [percent, stage, done, total, unit, startedAt] as const
        this.#progress.set(id, [id, ...progress, run, createdAt])
      }
    }
    if (this.#changed.size === 0 && this.#progress.size === 0) return
    const due = this.#sentAt + GATHER - performance.now()
    this.#timer ??= setTimeout(() => void this.flush(), Math.max(0, due))
  }

  /**
   * Sends what has gathered. Of a notice that cannot be sent the next one says that there was more; where none follows, one that says
   * nothing else is tried each second.
   */
  async flush(): Promise<void> {
    clearTimeout(this.#timer)
    clearTimeout(this.#again)
    this.#timer = this.#again = undefined
    if (this.#changed.size === 0 && this.#progress.size === 0 && !this.#more) return
    const notice = {
      changed: [...this.#changed.values()],
      more: this.#more,
      progress: [...this.#progress.values()],
      lag: this.#lag,
    }
    this.#changed = new Map()
    this.#progress = new Map()
    this.#more = false
    this.#sentAt = performance.now()
    await this.#publish(notice).catch(() => {
      this.#more = true
      if (!this.#isClosed) this.#again ??= setTimeout(() => void this.flush(), AGAIN)
    })
  }

  /** Sends what has gathered for the last time: what cannot be sent now is not tried again. */
  async close(): Promise<void> {
    this.#isClosed = true
    await within(LAST, this.flush())
  }

  #change({ id, queue, type, user, status, error }: StoredJob): void {
    if (this.#changed.size >= MOST_CHANGED && !this.#changed.has(id)) {
      this.#more = true
      return
    }
    const change = { id, queue, type, user, status: status! }
    this.#changed.set(
      id,
      status === 'failed' && error !== null ? { ...change, error: cutText(error, 200) } : change
    )
  }
}

/** A job that was lost, waited and was taken again within one batch runs as before, but it is another attempt. */
function hasBegun({ was, wasRun, wasAttempts, run, attempts }: StoredJob): boolean {
  return was !== 'running' || wasRun !== run || wasAttempts !== attempts
}
