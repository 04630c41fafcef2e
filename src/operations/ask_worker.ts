import type { Transport } from '../transport/transport.ts'
import type { WorkerWish } from '../transport/types.ts'
import { isSuspect } from '../transport/worker_times.ts'
import type { Actor, WorkerView } from '../types.ts'

/**
 * What asking a worker came to. `requested`: it was told, and obeys at once or with its next report. `done`: it is so already. `too_late`: it
 * is gone, or it ends. `reason` says more where there is more to say; `worker` is as it last reported, null when it is gone.
 */
export type WorkerAnswer = {
  outcome: 'done' | 'requested' | 'too_late'
  reason: string | null
  worker: WorkerView | null
}

type Logger = { info(bindings: object, message: string): void }

/**
 * Asks a worker process to take no more jobs, to take jobs again, or to end. Who asked is in the log.
 */
export class AskWorker {
  constructor(
    private transport: Pick<Transport, 'workers' | 'trail'>,
    private logger: Logger
  ) {}

  /**
   * @param id  `<host>:<pid>:<random>`
   * @param permit  throws where the actor may not act on this worker
   * @throws E_REDIS_UNAVAILABLE
   */
  async handle(
    id: string,
    wish: WorkerWish,
    actor: Actor,
    permit: (worker: WorkerView) => Promise<void> = async () => {}
  ): Promise<WorkerAnswer> {
    const worker = await this.find(id)
    if (worker) await permit(worker)
    return this.transport.trail.act(
      { actor, action: `${wish}_worker`, target: { kind: 'worker', id } },
      () => this.#ask(id, wish, actor, worker)
    )
  }

  async #ask(
    id: string,
    wish: WorkerWish,
    actor: Actor,
    worker: WorkerView | null
  ): Promise<WorkerAnswer> {
    if (worker?.state === 'stopping' && wish !== 'stop') {
      return { outcome: 'too_late', reason: 'The worker is ending', worker }
    }
    /** Asked even when it is so: the opposite may be on its way to it. */
    if (!(await this.transport.workers.ask(id, wish))) {
      const reason = 'No such worker is registered: it has ended, or was silent for five minutes'
      return { outcome: 'too_late', reason, worker: null }
    }
    this.logger.info({ worker: id, wish, by: actor.id }, `A worker was asked to ${ASKED[wish]}`)
    if (worker !== null && isSuspect(worker)) {
      const seconds = Math.round(worker.age / 1_000)
      const reason = `It has not reported for ${seconds} s, and obeys if it reports again`
      return { outcome: 'requested', reason, worker }
    }
    const isSo = worker !== null && worker.state === STATES[wish]
    if (isSo && wish !== 'stop') {
      return { outcome: 'done', reason: `The worker is ${worker.state} already`, worker }
    }
    return { outcome: 'requested', reason: null, worker }
  }

  /**
   * A registered worker as it last reported; null when there is none.
   *
   * @throws E_REDIS_UNAVAILABLE
   */
  async find(id: string): Promise<WorkerView | null> {
    const workers = await this.transport.workers.seen()
    return workers.find((worker) => worker.id === id) ?? null
  }
}

const STATES = { quiet: 'quiet', resume: 'active', stop: 'stopping' } as const
const ASKED = { quiet: 'take no more jobs', resume: 'take jobs again', stop: 'stop' } as const
