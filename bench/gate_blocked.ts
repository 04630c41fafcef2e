import { uuidV7 } from '../src/jobs/uuid.ts'
import type { NewTransportJob } from '../src/transport/types.ts'
import { WorkerPool } from '../src/worker/worker_pool.ts'
import { benchLab, container, silent } from './support/lab.ts'
import { median } from './support/rounds.ts'
import type { Bench } from './support/types.ts'
import { Wait5 } from './support/working.ts'

const QUEUE = 'bench'
const AHEAD = 20_000

const job = (user: string): NewTransportJob => ({
  queue: QUEUE,
  id: uuidV7(),
  name: Wait5.options.name,
  data: '{}',
  opts: { timestamp: Date.now(), qd: { user } },
})

/**
 * One user has 20,000 jobs waiting and as many running as he may: how soon another user's job begins behind them, and how
 * long the slowest script held Redis meanwhile.
 */
const bench: Bench = async ({ rounds = 5, tell }) => {
  const lab = await benchLab([Wait5], { global: 10, user: 3 })
  const begins: number[] = []
  const scripts: number[] = []
  await lab.plain.config('SET', 'slowlog-log-slower-than', '1000')
  for (let round = 0; round <= rounds; round++) {
    await lab.plain.flushdb()
    await lab.transport.add(Array.from({ length: AHEAD }, () => job('crowd')))
    const other = job('other')
    await lab.transport.add([other])
    await lab.plain.call('SLOWLOG', 'RESET')
    const pool = new WorkerPool(
      { ...lab, container, logger: silent as never, version: 'bench' },
      { queues: [QUEUE], concurrency: 50 }
    )
    const start = performance.now()
    await pool.start()
    while ((await lab.transport.state(QUEUE, other.id)) === 'waiting') await pause(2)
    const begin = performance.now() - start
    const slow = (await lab.plain.call('SLOWLOG', 'GET', '100')) as [number, number, number][]
    pool.drain()
    await pool.ended
    /** The first round warms up. */
    if (round === 0) continue
    begins.push(begin)
    scripts.push(Math.max(0, ...slow.map(([, , microseconds]) => microseconds / 1_000)))
    tell?.(
      `round ${round}: begins after ${Math.round(begin)} ms, slowest script ${scripts.at(-1)!.toFixed(1)} ms`
    )
  }
  await lab.close()
  return {
    measures: [
      {
        name: "another user's job begins",
        value: Math.round(median(begins)),
        unit: 'ms',
        ceiling: 1_000,
      },
      {
        name: 'slowest script',
        value: Number(Math.max(...scripts).toFixed(1)),
        unit: 'ms',
        ceiling: 10,
      },
    ],
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}

export default bench
