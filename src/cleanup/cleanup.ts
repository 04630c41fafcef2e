import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { E_CLEANUP_RUNNING } from '../errors.ts'
import type { MirrorDependencies, MirrorLogger } from '../mirror/ports.ts'
import {
  beginCleanup,
  endAbandoned,
  endCleanup,
  readCleanups,
  type CleanupRow,
  type CleanupTrigger,
} from '../records/eraser/cleanup_log.ts'
import type { Eraser } from '../records/eraser/eraser.ts'
import type { Records } from '../records/records.ts'
import type { RedisClient } from '../transport/client.ts'
import type { Transport } from '../transport/transport.ts'
import type { ResolvedConfig } from '../types.ts'
import { CleanupSteps } from './cleanup_steps.ts'
import type { CleanupContext } from './context.ts'
import { DetailProgress } from './detail_sweep.ts'
import { type CleanupCounts, type CleanupKind, noCounts, withAllKinds } from './kinds.ts'

export type CleanupDependencies = {
  transport: Transport
  records: Pick<Records, 'ready' | 'eraser' | 'writer' | 'db'>
  config: Pick<ResolvedConfig, 'kept' | 'cleanup' | 'queues'>
  logger: MirrorLogger
  /** For tests: the time that records are compared with, epoch ms. Default: Redis' clock. */
  now?: () => number
  /** For tests: how long the mirror may take to write what Redis told before, ms. */
  patience?: number
}

/**
 * One cleanup as it is recorded. Moments are epoch milliseconds.
 */
export type CleanupRun = Omit<CleanupRow, 'seq' | 'counts'> & {
  id: number
  counts: CleanupCounts
}

export type CleanupStatus = {
  last: CleanupRun | null
  running: CleanupRun | null
  next: number | null
}

export type CleanupOptions = {
  trigger: CleanupTrigger
  /** Who asked for it. */
  actor: string
  /** Counts what would go, and changes nothing. */
  dryRun?: boolean
  signal?: AbortSignal
  /** Called with the run's number once it is recorded. */
  onBegin?: (id: number) => void
  /** Called after each step, with how many of each kind have gone so far. */
  onProgress?: (counts: CleanupCounts, kind: CleanupKind) => void
  /** Called with how long each deleting transaction held its lock, ms. */
  onHeld?: (milliseconds: number) => void
}

/** A run whose process is killed makes way after this long, ms. */
const LEASE = 15_000

/** A mirror that works is behind by some hundred milliseconds; one that is not there keeps every queue waiting this long, ms. */
const PATIENCE = 5_000

/**
 * Removes what has been kept long enough: see `kept` in the configuration. Binding `queuedeck.cleanup`.
 *
 * One run at a time, over all processes. Nothing depends on that: each deletion asks for itself whether its time has come, so two at
 * once, or one that is killed at any instant, do no harm, and the next run finds what is left.
 */
export class Cleanup {
  #dependencies: CleanupDependencies
  #details = new DetailProgress()

  constructor(dependencies: CleanupDependencies) {
    this.#dependencies = dependencies
  }

  /**
   * Cleans up once, and records it.
   *
   * @returns the run; `error` says why something had to stay
   * @throws E_CLEANUP_RUNNING, E_REDIS_UNAVAILABLE, E_DATABASE_UNAVAILABLE, E_MIGRATIONS_MISSING; what fails in the middle is recorded and
   *   thrown
   */
  async run(options: CleanupOptions): Promise<CleanupRun> {
    return this.#connected((redis, eraser) =>
      options.dryRun ? this.#recorded(options, redis, eraser) : this.#alone(options, redis, eraser)
    )
  }

  /**
   * Counts what a run would remove now, and records nothing.
   *
   * @throws E_REDIS_UNAVAILABLE, E_DATABASE_UNAVAILABLE, E_MIGRATIONS_MISSING
   */
  async count(options: Pick<CleanupOptions, 'signal' | 'onProgress'> = {}): Promise<CleanupCounts> {
    return this.#connected(async (redis, eraser) => {
      const counts = noCounts()
      await this.#steps(options, { redis, eraser, counts, run: 0 }).count(await this.#now(redis))
      return counts
    })
  }

  /** Runs, newest first; with `below` those before the one of this number, with `real` no dry ones. */
  async runs(page: { limit: number; below?: number; real?: boolean }): Promise<CleanupRun[]> {
    return (await readCleanups(this.#dependencies.records.db, page)).map(runOf)
  }

  /**
   * The newest run that was no dry one and has ended, the one under way, and when the next is due (epoch ms): null while no process
   * cleans up by itself.
   */
  async status(): Promise<CleanupStatus> {
    const recorded = await this.recorded()
    return (await this.isLed()) ? recorded : { ...recorded, next: null }
  }

  /** What the records alone say; `next` is when a run is due if some process cleans up by itself. */
  async recorded(): Promise<CleanupStatus> {
    const { records, config } = this.#dependencies
    const newest = (await readCleanups(records.db, { limit: 2, real: true })).map(runOf)
    return {
      last: newest.find(({ endedAt }) => endedAt !== null) ?? null,
      running: newest.find(({ endedAt }) => endedAt === null) ?? null,
      next: newest.length > 0 ? newest[0].startedAt + config.cleanup.every : null,
    }
  }

  /** Whether some process cleans up by itself: only Redis knows. */
  async isLed(): Promise<boolean> {
    const { connections, keys } = this.#dependencies.transport
    const found = await connections.produce('the cleanup cannot be looked up', (client) =>
      client.exists(keys.lease('cleanup'))
    )
    return found === 1
  }

  async #connected<T>(work: (redis: RedisClient, eraser: Eraser) => Promise<T>): Promise<T> {
    const { transport, records } = this.#dependencies
    await records.ready()
    const redis = await transport.connections.openReady('mirror', 'nothing was cleaned up')
    const eraser = records.eraser()
    try {
      return await work(redis, eraser)
    } finally {
      await eraser.close()
      await transport.connections.close(redis)
    }
  }

  #steps(
    { signal = new AbortController().signal, onProgress, onHeld }: Partial<CleanupOptions>,
    context: Pick<CleanupContext, 'redis' | 'eraser' | 'counts' | 'run'>
  ): CleanupSteps {
    const { transport, records, config, logger, patience = PATIENCE } = this.#dependencies
    const { redis, counts } = context
    const mirror: MirrorDependencies = { transport, writer: records.writer, redis, logger }
    return new CleanupSteps(mirror, config, this.#details, {
      ...context,
      transport,
      signal,
      behind: new Set(),
      patience,
      progressed: (kind) => onProgress?.(counts, kind),
      held: onHeld,
    })
  }

  /** Runs while no other does; a run whose lease is lost ends. */
  async #alone(options: CleanupOptions, redis: RedisClient, eraser: Eraser): Promise<CleanupRun> {
    const { transport } = this.#dependencies
    const owner = processId()
    const lease = transport.lease('cleanup-run', owner, { milliseconds: LEASE, client: redis })
    if (!(await lease.acquire())) throw new E_CLEANUP_RUNNING()
    const losing = new AbortController()
    const renewal = setInterval(() => {
      lease.acquire().then(
        (isOurs) => {
          if (!isOurs) losing.abort(new Error('Another process took the cleanup over'))
        },
        () => {}
      )
    }, LEASE / 4)
    const signal = options.signal ? AbortSignal.any([options.signal, losing.signal]) : losing.signal
    try {
      await eraser.transaction(async (session) => endAbandoned(session, await this.#now(redis)))
      return await this.#recorded({ ...options, signal }, redis, eraser, owner)
    } finally {
      clearInterval(renewal)
      if (redis.status === 'ready') await lease.release().catch(() => false)
    }
  }

  async #recorded(
    options: CleanupOptions,
    redis: RedisClient,
    eraser: Eraser,
    owner = processId()
  ): Promise<CleanupRun> {
    const { trigger, actor, dryRun = false, signal } = options
    const startedAt = await this.#now(redis)
    const run = { startedAt, trigger, actor, process: owner, dryRun }
    const id = await eraser.transaction((session) => beginCleanup(session, run))
    options.onBegin?.(id)
    const counts = noCounts()
    const steps = this.#steps(options, { redis, eraser, counts, run: id })
    let error: string | null = null
    try {
      if (dryRun) await steps.count(startedAt)
      else error = await steps.remove(startedAt, trigger === 'start')
    } catch (thrown) {
      await this.#end(eraser, { seq: id, counts, error: messageOf(thrown, signal) }, redis).catch(
        (late) =>
          this.#dependencies.logger.debug({ err: late }, 'Cleanup: its end could not be recorded')
      )
      throw signal?.aborted ? signal.reason : thrown
    }
    const endedAt = await this.#end(eraser, { seq: id, counts, error }, redis)
    return { id, ...run, endedAt, counts, error }
  }

  async #end(
    eraser: Eraser,
    end: { seq: number; counts: CleanupCounts; error: string | null },
    redis: RedisClient
  ): Promise<number> {
    const endedAt = redis.status === 'ready' ? await this.#now(redis) : Date.now()
    await eraser.transaction((session) => endCleanup(session, { ...end, endedAt }))
    return endedAt
  }

  async #now(redis: RedisClient): Promise<number> {
    const { now, transport } = this.#dependencies
    return now ? now() : transport.time(redis)
  }
}

function processId(): string {
  return `${hostname()}:${process.pid}:${randomBytes(4).toString('hex')}`
}

function messageOf(thrown: unknown, signal: AbortSignal | undefined): string {
  const cause = signal?.aborted ? signal.reason : thrown
  return cause instanceof Error ? cause.message : String(cause)
}

function runOf({ seq, counts, ...rest }: CleanupRow): CleanupRun {
  return { id: seq, ...rest, counts: withAllKinds(counts) }
}
