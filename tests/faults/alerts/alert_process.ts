/*
 * A process that watches and sends webhooks, to be killed: `alert_process.ts OPTIONS`, as JSON `AlertProcessOptions`.
 */
import type { TestDatabase } from '#tests/helpers/databases'
import { AlertLab } from '../../functional/alerts/lab.ts'
import { Lab } from '../../functional/mirror/lab.ts'
import { openRecords } from '../../functional/mirror/records.ts'
import type { AlertsConfig } from '../../../src/types.ts'

export type AlertProcessOptions = {
  redis: string
  prefix: string
  connection: TestDatabase['connection']
  alerts: AlertsConfig
  /** Kills itself once an alert has its record, before anything is sent. */
  diesAtRecord?: boolean
}

const options = JSON.parse(process.argv[2]) as AlertProcessOptions
const lab = new Lab(options.redis, options.prefix)
const alerts = new AlertLab(lab, openRecords(options.connection), { alerts: options.alerts })
const service = alerts.service({
  lease: 1_000,
  /** What a killed process had begun to send is taken over after this long. */
  deliverer: alerts.deliverer({ claim: 1_000 }),
  emit: () => {
    if (options.diesAtRecord) process.kill(process.pid, 'SIGKILL')
  },
})
process.on('SIGTERM', () => void service.stop().then(() => process.exit()))
console.log('ready')
