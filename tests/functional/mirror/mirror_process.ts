/*
 * A process that mirrors, for tests that kill it and for benchmarks: `node --import=./bin/typescript.js mirror_process.ts <settings as JSON>`.
 *
 * It says `ready` once it mirrors, answers `lag` and `stop` with what it counted, and ends with its parent.
 */
import { once } from 'node:events'
import { giveWay } from '../../../src/mirror/give_way.ts'
import { Janitor } from '../../../src/mirror/janitor.ts'
import { Mirror } from '../../../src/mirror/mirror.ts'
import { MirrorService } from '../../../src/mirror/mirror_service.ts'
import { Reconcile } from '../../../src/mirror/reconcile.ts'
import { StreamReader } from '../../../src/mirror/stream_reader.ts'
import { Connections } from '../../../src/transport/connections.ts'
import { Transport } from '../../../src/transport/transport.ts'
import type { TestDatabase } from '#tests/helpers/databases'
import { hostClient } from '#tests/helpers/redis_address'
import { waitFor } from '#tests/helpers/wait'
import { openRecords } from './records.ts'

export type MirrorProcessSettings = {
  redis: string
  prefix: string
  connection: TestDatabase['connection']
  /** Kills itself at this point of a transaction, once so many milliseconds have passed. */
  kill?: { point: number; after: number }
  /** Without the lease, so that two of them write at once. */
  unled?: boolean
  batch?: number
  /** Does nothing until it is sent `begin`: starting takes longer than what some tests have it do. */
  waits?: boolean
  kept?: { completed: number; cancelled: number }
  janitor?: { every?: number; trail?: number; longest?: number }
}

const settings = JSON.parse(process.argv[2]) as MirrorProcessSettings
const host = hostClient(settings.redis)
const transport = new Transport(new Connections(() => ({ ioConnection: host }) as never), {
  prefix: settings.prefix,
})
const records = openRecords(settings.connection)
const kept = settings.kept ?? { completed: 86_400_000, cancelled: 7_200_000 }
const logger = {
  debug() {},
  info() {},
  warn(bindings: { err?: Error }, message: string) {
    if (process.env.MIRROR_LOG) console.error(process.pid, message, bindings.err?.message ?? '')
  },
  error: console.error,
}

giveWay()
if (settings.waits) await once(process, 'message')

if (settings.kill) {
  const { point, after } = settings.kill
  const from = performance.now() + after
  records.writer.hook = (reached: number) => {
    if (reached === point && performance.now() >= from) process.kill(process.pid, 'SIGKILL')
  }
}

const stopping = new AbortController()
let mirror: Mirror | undefined
let stop: () => Promise<void>

if (settings.unled) {
  await waitFor('the records', () => records.ready().then(() => true))
  const redis = transport.connections.open('mirror')
  const dependencies = { transport, writer: records.writer, redis, logger }
  mirror = new Mirror(dependencies, new StreamReader(async () => host.options), {
    batch: settings.batch,
  })
  const reconcile = new Reconcile(mirror, dependencies)
  const janitor = new Janitor(mirror, dependencies, { kept, ...settings.janitor })
  const { signal } = stopping
  const work = [mirror.run(signal), reconcile.run(signal), janitor.run(signal)]
  const watch = async () => mirror!.watch(await transport.queueNames(redis)).catch(() => {})
  await watch()
  const look = setInterval(() => void watch().catch(() => {}), 100)
  stop = async () => {
    clearInterval(look)
    stopping.abort()
    await Promise.race([Promise.all(work), new Promise((resolve) => setTimeout(resolve, 3_000))])
  }
} else {
  const service = new MirrorService({
    transport,
    records,
    config: { queues: [], kept },
    logger,
    dedicated: true,
    batch: settings.batch,
    janitor: settings.janitor,
    onLead: (isLeader) => isLeader && process.send?.({ leads: Date.now() }),
  })
  service.start()
  stop = () => service.stop()
}

const cpu = process.cpuUsage()
process.on('message', async (message) => {
  if (message === 'lag') {
    process.send!({ lag: mirror?.lag.quantiles() ?? null })
    mirror?.lag.reset()
  }
  if (message !== 'stop') return
  await stop()
  const { user, system } = process.cpuUsage(cpu)
  process.send!({ counts: mirror?.counts ?? null, cpu: (user + system) / 1000 }, () =>
    process.exit(0)
  )
})
process.on('disconnect', () => process.exit(0))
process.send?.('ready')
