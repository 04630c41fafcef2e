import { performance } from 'node:perf_hooks'
import vine from '@vinejs/vine'
import { Job, type JobOptions } from '#queuedeck'

/**
 * Burns CPU without ever giving its event loop a turn, in a process of its own: cancel it and it is killed after the grace period, while
 * the worker goes on with its other jobs. `demo.spin` is the same inside the worker.
 */
export default class SpinIsolated extends Job<{ ms: number }, { ms: number; process: number }> {
  static options: JobOptions = { name: 'demo.spin_isolated', queue: 'demo', isolated: true }

  static payload = vine.create({ ms: vine.number().min(0).max(3_600_000) })

  execute() {
    const { ms } = this.payload
    const end = performance.now() + ms
    while (performance.now() < end);
    return { ms, process: process.pid }
  }
}
