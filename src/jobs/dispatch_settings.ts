import type {
  AwaitedJob,
  BackoffOptions,
  DispatchOptions,
  Duration,
  UniqueOptions,
  WaitForOptions,
} from '../types.ts'
import { E_INVALID_OPTION } from '../errors.ts'
import { assertMembers } from './names.ts'
import { type ResolvedDispatchOptions, resolveDispatchOptions } from './options.ts'
import { resolveWaitFor, withoutRepeats } from './wait_for.ts'

/**
 * What can be said about jobs before they are enqueued. Every method checks its value at once.
 */
export abstract class DispatchSettings {
  protected options: ResolvedDispatchOptions = {}

  /** Takes several settings at once, as a plain object. */
  with(options: DispatchOptions): this {
    const merged = { ...this.options, ...resolveDispatchOptions(options) }
    if (merged.delay !== undefined && merged.at !== undefined) {
      throw new E_INVALID_OPTION(['at', 'excludes "delay": give one of them'])
    }
    this.options = merged
    return this
  }

  /** The queue, instead of the type's own. */
  toQueue(queue: string): this {
    return this.with({ queue })
  }

  /** 1 (first) to 2,097,151 (last); 0, the default, comes before all of them. */
  priority(priority: number): this {
    return this.with({ priority })
  }

  /** Not before this much time has passed, e.g. `5m` or `60d`. */
  in(delay: Duration): this {
    return this.with({ delay })
  }

  /** Not before this moment. One that has passed means at once. */
  at(moment: Date): this {
    return this.with({ at: moment })
  }

  /** The user for whom the job runs. */
  by(user: string | number): this {
    return this.with({ user })
  }

  /** Adds tags to those of the type and of earlier calls. */
  tag(...tags: string[]): this {
    return this.with({ tags: [...(this.options.tags ?? []), ...tags] })
  }

  /** Executions before the job fails. */
  attempts(attempts: number): this {
    return this.with({ attempts })
  }

  /** The wait before the next attempt: a fixed duration, or options. */
  backoff(backoff: BackoffOptions | Duration): this {
    return this.with({ backoff })
  }

  /**
   * One job of the type at a time has this key. A dispatch meanwhile enqueues nothing: its handle is that job's, with
   * `duplicate: true`.
   *
   * @param options.until  `finished` (the default), `started`, or a duration from the dispatch
   */
  unique(key: string | number, options: Omit<UniqueOptions, 'key'> = {}): this {
    assertMembers(options, 'unique', ['until'])
    return this.with({ unique: { ...options, key } })
  }

  /** The official queue package's word: `unique(id)`, or with `ttl` unique for so long. */
  dedup(options: { id: string | number; ttl?: Duration }): this {
    assertMembers(options, 'dedup', ['id', 'ttl'])
    const { id, ttl } = options
    return this.unique(id, ttl === undefined ? {} : { until: ttl })
  }

  /**
   * Blocks the job until these have ended; adds to earlier calls.
   *
   * @param jobs  Handles or ids of jobs that were dispatched before.
   * @param options.onFailure  `cancel` (the default), `run` or `skip`: see `WaitForOptions`
   */
  waitFor(jobs: AwaitedJob | readonly AwaitedJob[], options: WaitForOptions = {}): this {
    const list = withoutRepeats([...(this.options.waitFor ?? []), ...resolveWaitFor(jobs, options)])
    if (list.length > 0) this.options = { ...this.options, waitFor: list }
    return this
  }

  /** Longest duration of one attempt. */
  timeout(timeout: Duration): this {
    return this.with({ timeout })
  }

  /** Payload, result and logs are shown as redacted everywhere. */
  sensitive(sensitive = true): this {
    return this.with({ sensitive })
  }
}

/** A dispatch belongs to one flow, or is awaited by itself. */
export function takenAlready() {
  return new E_INVALID_OPTION([
    'batch',
    'takes each dispatch once: give those that are not awaited, and await the flow',
  ])
}
