import { randomUUID } from 'node:crypto'
import { auditText } from './audit_trail.ts'
import type { RedisClient } from './client.ts'
import type { ControlMessage } from './control_channel.ts'
import type { Transport } from './transport.ts'
import type { WorkerWish } from './types.ts'
import {
  readWorkerRemoval,
  readWorkerReport,
  type WorkerRemoval,
  type WorkerReport,
} from './worker_report.ts'
import { WORKER_FORGOTTEN_AFTER } from './worker_times.ts'

/** Removals that are remembered. */
const MOST_REMOVALS = 100

/** A registered worker: its newest report, and how old that is by Redis' clock, ms. */
export type RegisteredWorker = { id: string; age: number; report: WorkerReport | null }

/** A worker as it last reported, and how old that is by Redis' clock, ms. */
export type SeenWorker = WorkerReport & { age: number }

/**
 * Which workers live, by their own reports and Redis' clock.
 */
export class WorkerRegistry {
  constructor(private transport: Transport) {}

  /**
   * A worker reports.
   *
   * @returns whether it was not registered before, and what somebody asked it to do last
   */
  async report(
    id: string,
    report: object,
    client: RedisClient = this.transport.connections.worker
  ): Promise<{ isNew: boolean; wish: WorkerWish | null }> {
    const { keys } = this.transport
    const [added, wish] = (await this.transport.call(client, 'heartbeat', [
      keys.workers,
      keys.worker(id),
      keys.wish(id),
      id,
      JSON.stringify(report),
      WORKER_FORGOTTEN_AFTER,
    ])) as [number, WorkerWish | null]
    return { isNew: added === 1, wish }
  }

  /**
   * Asks a worker process to take no more jobs (`quiet`), to take jobs again (`resume`), or to end as after SIGTERM (`stop`): what
   * runs may finish within its grace period. It obeys at once, or with its next report when the message does not reach it.
   *
   * @returns false when no such worker is registered
   * @throws E_REDIS_UNAVAILABLE
   */
  async ask(id: string, wish: WorkerWish): Promise<boolean> {
    const { keys, connections } = this.transport
    const message: ControlMessage = { kind: wish, worker: id }
    const answer = await connections.produce('the worker was not asked', (client) =>
      this.transport.call(client, 'ask_worker', [
        keys.workers,
        keys.wish(id),
        keys.control(connections.database),
        id,
        wish,
        JSON.stringify(message),
        WORKER_FORGOTTEN_AFTER,
      ])
    )
    return answer === 1
  }

  /**
   * All registered workers, longest silent first. `report` is null when it has expired or cannot be read: the worker counts as gone.
   */
  async list(client?: RedisClient): Promise<RegisteredWorker[]> {
    const { keys, connections } = this.transport
    const read = (from: RedisClient) =>
      this.transport.call(from, 'workers', [keys.workers, keys.workerReports])
    const rows = (
      client ? await read(client) : await connections.produce('workers cannot be listed', read)
    ) as [string, number, string | null][]
    return rows.map(([id, age, text]) => ({
      id,
      age,
      report: text === null ? null : readWorkerReport(id, text),
    }))
  }

  /**
   * Those of all registered workers whose report can be read, longest silent first.
   */
  async seen(client?: RedisClient): Promise<SeenWorker[]> {
    const list = await this.list(client)
    return list.flatMap(({ report, age }) => (report === null ? [] : [{ ...report, age }]))
  }

  /** A worker says goodbye. */
  async remove(id: string, client: RedisClient = this.transport.connections.worker): Promise<void> {
    await this.#remove(id, 0, client)
  }

  /**
   * Removes a worker that has been silent for so many milliseconds, and notes the removal. False when it reported meanwhile or
   * another process removed it: exactly one caller is told true.
   */
  async removeSilent(
    id: string,
    age = WORKER_FORGOTTEN_AFTER,
    client: RedisClient = this.transport.connections.mirror
  ): Promise<boolean> {
    return this.#remove(id, age, client)
  }

  /**
   * The last removals of silent workers, newest first; the newest one's `number` says how many there ever were.
   */
  async removals(client: RedisClient, most = MOST_REMOVALS): Promise<WorkerRemoval[]> {
    const texts = await client.lrange(this.transport.keys.removedWorkers, 0, most - 1)
    return texts.flatMap((text) => readWorkerRemoval(text) ?? [])
  }

  async #remove(id: string, age: number, client: RedisClient): Promise<boolean> {
    const { keys } = this.transport
    return (
      (await this.transport.call(client, 'remove_worker', [
        keys.workers,
        keys.worker(id),
        keys.wish(id),
        keys.removedWorkers,
        keys.auditTrail,
        id,
        age,
        MOST_REMOVALS,
        removalText(id),
      ])) === 1
    )
  }
}

/** How the audit says it: the script adds how long the worker had been silent, ms. */
function removalText(id: string): string {
  return auditText({
    id: randomUUID(),
    actor: { id: 'queuedeck', via: 'code' },
    action: 'remove_worker',
    target: { kind: 'worker', id },
    detail: {},
    outcome: 'done',
    reason: null,
  })
}
