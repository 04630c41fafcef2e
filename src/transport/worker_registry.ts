import type { RedisClient } from './client.ts'
import type { Transport } from './transport.ts'

/** How long a worker that no longer reports stays registered, milliseconds. */
export const WORKER_FORGOTTEN_AFTER = 300_000

/** A registered worker: its report as it sent it, and the report's age by Redis' clock, ms. */
export type RegisteredWorker<Report> = { id: string; age: number; report: Report | null }

/**
 * Which workers live, by their own reports and Redis' clock.
 */
export class WorkerRegistry {
  constructor(private transport: Transport) {}

  /** A worker reports. True when it was not registered before. */
  async report(
    id: string,
    report: object,
    client: RedisClient = this.transport.connections.worker
  ): Promise<boolean> {
    const { keys } = this.transport
    const args = [keys.workers, keys.worker(id), id, JSON.stringify(report), WORKER_FORGOTTEN_AFTER]
    return (await this.transport.call(client, 'heartbeat', args)) === 1
  }

  /** All registered workers, longest silent first. `report` is null when it has expired: the worker counts as gone. */
  async list<Report>(client?: RedisClient): Promise<RegisteredWorker<Report>[]> {
    const { keys, connections } = this.transport
    const read = (from: RedisClient) =>
      this.transport.call(from, 'workers', [keys.workers, keys.workerReports])
    const rows = (
      client ? await read(client) : await connections.produce('workers cannot be listed', read)
    ) as [string, number, string | null][]
    return rows.map(([id, age, text]) => ({
      id,
      age,
      report: text === null ? null : (JSON.parse(text) as Report),
    }))
  }

  /** A worker says goodbye. */
  async remove(id: string, client: RedisClient = this.transport.connections.worker): Promise<void> {
    await this.#remove(id, 0, client)
  }

  /**
   * Removes a worker that has been silent for so many milliseconds. False when it reported meanwhile or another process
   * removed it: exactly one caller is told true.
   */
  async removeSilent(
    id: string,
    age = WORKER_FORGOTTEN_AFTER,
    client: RedisClient = this.transport.connections.mirror
  ): Promise<boolean> {
    return this.#remove(id, age, client)
  }

  async #remove(id: string, age: number, client: RedisClient): Promise<boolean> {
    const { keys } = this.transport
    return (
      (await this.transport.call(client, 'remove_worker', [
        keys.workers,
        keys.worker(id),
        id,
        age,
      ])) === 1
    )
  }
}
