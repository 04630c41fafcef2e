/*
 * A process that works on bulk operations until it is killed, for tests: `node --import=./bin/typescript.js bulk_process.ts <settings as JSON>`.
 */
import { Redis } from 'ioredis'
import { BulkService } from '../../../src/operations/bulk/bulk_service.ts'
import { Connections } from '../../../src/transport/connections.ts'
import { Transport } from '../../../src/transport/transport.ts'
import type { TestDatabase } from '#tests/helpers/databases'
import { silent } from '../mirror/lab.ts'
import { openRecords } from '../mirror/records.ts'

export type BulkProcessSettings = {
  redis: string
  prefix: string
  connection: TestDatabase['connection']
  /** Kills itself behind this many actions, before any of them is noted in its round. */
  killAfter?: number
  /** The same of steps in which a queue is drained. */
  killAfterSteps?: number
}

const settings = JSON.parse(process.argv[2]) as BulkProcessSettings
const host = new Redis(settings.redis, { maxRetriesPerRequest: null })
const transport = new Transport(new Connections(() => ({ ioConnection: host }) as never), {
  prefix: settings.prefix,
})
let acted = 0
let steps = 0
const die = () => process.kill(process.pid, 'SIGKILL')
new BulkService({
  transport,
  records: openRecords(settings.connection),
  logger: silent,
  lease: 1_000,
  look: 50,
  onActed: () => {
    if (++acted === settings.killAfter) die()
  },
  onDrained: () => {
    if (++steps === settings.killAfterSteps) die()
  },
}).start()
