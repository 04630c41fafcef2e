import type { RedisClient } from './client.ts'
import type { Transport } from './transport.ts'

/**
 * A job that runs again, and with it those that did not run because of it.
 */
export type FlowRestart = {
  /** Of its record. */
  id: string
  /** The run before. */
  run: number
  /** Who asked for it. */
  by: string
  /** When, by Redis' clock (ms): only runs that had begun by then are meant. */
  at: number
}

/** For so long its own process works at it before another one may go on, ms. Both at once do no harm: a run is opened once. */
const OWN_TIME = 15_000

/**
 * Restarts that go through a flow, kept in Redis until they are through: when their process dies, another goes on.
 */
export class FlowRestarts {
  constructor(private transport: Transport) {}

  /** Notes one. Answers it, to be ended. */
  async begin(what: Omit<FlowRestart, 'at'>): Promise<FlowRestart> {
    const { connections, keys } = this.transport
    const at = await this.transport.time()
    const restart = { ...what, at }
    await connections.produce(`job ${what.id} was not restarted`, (client) =>
      client.zadd(keys.flowBehind, at + OWN_TIME, write(restart))
    )
    return restart
  }

  /** The job itself runs again, which no run knew that had begun by now; those behind are left to whoever takes up restarts next. */
  async leave(restart: FlowRestart): Promise<void> {
    const { connections, keys } = this.transport
    const at = await this.transport.time()
    await connections.produce(`jobs behind ${restart.id} are restarted later`, (client) =>
      client
        .multi()
        .zrem(keys.flowBehind, write(restart))
        .zadd(keys.flowBehind, at, write({ ...restart, at }))
        .exec()
    )
  }

  async end(restarts: FlowRestart[]): Promise<void> {
    if (restarts.length === 0) return
    const { connections, keys } = this.transport
    await connections.produce('a restart stays noted', (client) =>
      client.zrem(keys.flowBehind, ...restarts.map(write))
    )
  }

  /** Those that nobody seems to work at; they are the caller's now. */
  async takeUp(client: RedisClient, most: number): Promise<FlowRestart[]> {
    const { keys } = this.transport
    if ((await client.exists(keys.flowBehind)) === 0) return []
    const now = await this.transport.time(client)
    const found = await client.zrangebyscore(keys.flowBehind, '-inf', now, 'LIMIT', 0, most)
    const later = found.flatMap((text) => [now + OWN_TIME, text])
    if (found.length > 0) await client.zadd(keys.flowBehind, 'XX', ...later)
    return found.map((text) => JSON.parse(text) as FlowRestart)
  }
}

function write({ id, run, by, at }: FlowRestart): string {
  return JSON.stringify({ id, run, by, at })
}
