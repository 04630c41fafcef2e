import type { Cleanup, CleanupOptions, CleanupRun } from '../cleanup/cleanup.ts'
import type { Transport } from '../transport/transport.ts'
import type { Actor } from '../types.ts'

export type RunCleanupOptions = Pick<
  CleanupOptions,
  'dryRun' | 'signal' | 'onProgress' | 'onBegin'
> & { actor: Actor }

/**
 * Cleans up because somebody asked for it.
 */
export class RunCleanup {
  /** Ends runs in the background with the process. */
  #closing = new AbortController()

  constructor(
    private cleanup: Cleanup,
    private transport: Pick<Transport, 'trail'>
  ) {}

  /**
   * Cleans up, or counts what would go, and answers when that has ended.
   *
   * @throws E_CLEANUP_RUNNING, E_REDIS_UNAVAILABLE, E_DATABASE_UNAVAILABLE, E_MIGRATIONS_MISSING
   */
  handle({ actor, ...options }: RunCleanupOptions): Promise<CleanupRun> {
    const { dryRun = false } = options
    return this.transport.trail.act(
      { actor, action: 'cleanup', target: { kind: 'cleanup', id: 'now' }, detail: { dryRun } },
      () =>
        this.cleanup.run({
          ...options,
          trigger: actor.via === 'command' ? 'command' : 'page',
          actor: actor.name ?? actor.id,
        }),
      ({ id, counts, error }) => ({
        target: { kind: 'cleanup', id: String(id) },
        reason: error,
        detail: Object.fromEntries(Object.entries(counts).filter(([, n]) => n > 0)),
      })
    )
  }

  /**
   * The same in the background of this process; answers as soon as the run is recorded as begun, with its number. What becomes of it
   * stands in its record.
   */
  start({ actor, dryRun = false }: { actor: Actor; dryRun?: boolean }): Promise<number> {
    return new Promise((begun, refused) => {
      const { signal } = this.#closing
      this.handle({ actor, dryRun, signal, onBegin: begun }).catch(refused)
    })
  }

  /** Ends runs in the background after their transaction under way; the next run goes on. */
  close(): void {
    this.#closing.abort(new Error('The process was stopped; the next cleanup goes on'))
  }
}
