import type { JobStatus } from './statuses.ts'

/**
 * What the mirror tells after each commit, over Redis pub/sub, to every web process.
 */
export type ChangeNotice = {
  /** Grows by one with every notice, over the whole cluster. */
  revision: number
  /** Jobs whose status changed, or which are new: at most 200; `more` says that there were others. */
  changed: {
    id: string
    queue: string
    type: string
    user: string | null
    status: JobStatus
    error?: string
  }[]
  more: boolean
  /**
   * Newest progress per job: id, percent, stage, done, total, unit, moment the attempt started; then the run that reports it and the moment
   * the job was created, for an id may be used again. At most 500.
   */
  progress: [
    string,
    number,
    string | null,
    number | null,
    number | null,
    string | null,
    number | null,
    number,
    number,
  ][]
  /** Milliseconds between the newest entry's time in Redis and the commit. */
  lag: number
  /** Alerts that opened, or are over: told on every page. */
  alerts?: { level: 'error' | 'success'; title: string; text: string }[]
}
