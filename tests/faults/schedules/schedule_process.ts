/*
 * A process that keeps schedules, to be killed: `schedule_process.ts OPTIONS`, as JSON `ScheduleProcessOptions`.
 */
import 'reflect-metadata'
import type { TestDatabase } from '#tests/helpers/databases'
import { ScheduleService } from '../../../src/schedules/schedule_service.ts'
import { openRecords } from '../../functional/mirror/records.ts'
import { WorkerLab } from '../../functional/worker/lab.ts'

export type ScheduleProcessOptions = {
  redis: string
  prefix: string
  connection: TestDatabase['connection']
}

const { redis, prefix, connection } = JSON.parse(process.argv[2]) as ScheduleProcessOptions
const lab = new WorkerLab(redis, [], {}, prefix)
const service = new ScheduleService({
  ...{ transport: lab.transport, records: openRecords(connection), queue: lab.manager },
  ...{ logger: { debug() {}, warn() {} }, lease: 1_000, tick: 100 },
})
service.start()
console.log('ready')
