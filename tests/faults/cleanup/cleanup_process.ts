/*
 * A process that cleans up once, for tests that kill it. It begins when it is sent its settings, and answers with its run.
 */
import { once } from 'node:events'
import { Cleanup } from '../../../src/cleanup/cleanup.ts'
import { defineConfig } from '../../../src/config.ts'
import { Connections } from '../../../src/transport/connections.ts'
import { Transport } from '../../../src/transport/transport.ts'
import type { TestDatabase } from '#tests/helpers/databases'
import { hostClient } from '#tests/helpers/redis_address'
import { silent } from '../../functional/mirror/lab.ts'
import { openRecords } from '../../functional/mirror/records.ts'

export type CleanupProcessSettings = {
  redis: string
  prefix: string
  connection: TestDatabase['connection']
  /** Milliseconds that its clock is ahead. */
  ahead: number
  /** Kills itself inside of this transaction, and at which end of it. */
  kill?: { transaction: number; at: 'before' | 'after' }
}

const [settings] = (await once(process, 'message')) as [CleanupProcessSettings]
const host = hostClient(settings.redis)
const transport = new Transport(new Connections(() => ({ ioConnection: host }) as never), {
  prefix: settings.prefix,
})
const records = openRecords(settings.connection)
let transactions = 0
const die = () => process.kill(process.pid, 'SIGKILL')

const cleanup = new Cleanup({
  transport,
  records: {
    ready: () => records.ready(),
    writer: records.writer,
    db: records.db,
    eraser() {
      const eraser = records.eraser()
      eraser.hook = () => {
        transactions++
        const { kill } = settings
        if (kill?.at === 'before' && transactions === kill.transaction) die()
      }
      return eraser
    },
  },
  config: defineConfig({}),
  logger: silent,
  now: () => Date.now() + settings.ahead,
})
const run = await cleanup.run({
  trigger: 'command',
  actor: 'a process',
  onHeld: () => {
    const { kill } = settings
    if (kill?.at === 'after' && transactions >= kill.transaction) die()
  },
})
process.send!(run, () => process.exit(0))
