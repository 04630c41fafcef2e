import { Redis } from 'ioredis'
import { uuidV7 } from '../src/jobs/uuid.ts'
import { Connections } from '../src/transport/connections.ts'
import { Transport } from '../src/transport/transport.ts'
import { applicationEnv, startWorker } from '../tests/helpers/app.ts'
import { redisServer } from '../tests/helpers/servers.ts'
import { waitFor } from '../tests/helpers/wait.ts'
import { quantile } from './support/rounds.ts'
import type { Bench } from './support/types.ts'

const SAMPLES = 200

/** Longest time that 95 of 100 cancellations may take, ms. */
const CEILING = 50

/** Jobs that run beside the one that is cancelled. */
const BESIDE = 8

const QUEUE = 'demo'

/**
 * From the call that cancels a running job of another process, the real `queue:work`, to the entry that says that its code has returned
 * and the job has ended. The job waits in a timer, as most code waits for something, and honours its signal.
 */
const bench: Bench = async () => {
  const server = await redisServer({ own: true })
  const env = await applicationEnv({ redisPort: server.port })
  const worker = startWorker(env, ['--no-mirror', '--concurrency=10'])
  const plain = new Redis(server.url, { maxRetriesPerRequest: null })
  const reader = new Redis(server.url, { maxRetriesPerRequest: null })
  const connections = new Connections(() => ({ ioConnection: plain }) as never)
  const transport = new Transport(connections, { prefix: '{queuedeck}' })
  const ends = new Map<string, number>()
  let reading = true
  const reads = read(reader, transport.keys.events(QUEUE), (id) => ends.set(id, performance.now()))

  const start = async () => {
    const id = uuidV7()
    const data = JSON.stringify({ ms: 600_000, steps: 10_000 })
    const opts = { timestamp: Date.now() }
    await transport.add([{ queue: QUEUE, id, name: 'demo.sleep', data, opts }])
    await waitFor('it to run', async () => (await transport.state(QUEUE, id)) === 'active', {
      within: 60_000,
      every: 5,
    })
    return id
  }
  const cancel = async (id: string) => {
    const before = performance.now()
    await transport.cancel(QUEUE, id, { by: 'bench', reason: 'measured' })
    await waitFor('its end', () => ends.has(id), { within: 10_000, every: 1 })
    return ends.get(id)! - before
  }

  try {
    for (let n = 0; n < BESIDE; n++) await start()
    const took: number[] = []
    for (let n = 0; n < SAMPLES; n++) took.push(await cancel(await start()))
    const [p50, p95] = [quantile(took, 0.5), quantile(took, 0.95)]
    return {
      measures: [
        { name: 'cancel to end p50', value: p50, unit: 'ms' },
        { name: 'cancel to end p95', value: p95, unit: 'ms', ceiling: CEILING },
      ],
      notes: [`${SAMPLES} running jobs cancelled one by one, ${BESIDE} others running beside them`],
    }
  } finally {
    reading = false
    reader.disconnect()
    await reads.catch(() => {})
    await worker.stop('SIGKILL')
    await connections.closeAll()
    plain.disconnect()
    await server.stop()
  }

  async function read(redis: Redis, events: string, ended: (id: string) => void): Promise<void> {
    let from = '0-0'
    while (reading) {
      const answer = (await redis.xread('BLOCK', 1_000, 'STREAMS', events, from)) ?? []
      for (const [id, fields] of answer.flatMap(([, entries]) => entries)) {
        from = id
        const entry = new Map(
          fields.flatMap((name, at) => (at % 2 ? [] : [[name, fields[at + 1]]]))
        )
        if (entry.get('event') === 'failed') ended(entry.get('jobId')!)
      }
    }
  }
}

export default bench
