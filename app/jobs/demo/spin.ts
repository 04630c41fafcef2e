import { performance } from 'node:perf_hooks'
import vine from '@vinejs/vine'
import { Job, type JobOptions } from '#queuedeck'

/** The event loop gets a turn this often, or the worker could not even renew its lease; ms. */
const TURN = 50

/**
 * Burns CPU and ignores its signal: shows what a worker does with a job that cannot be stopped.
 */
export default class Spin extends Job<{ ms: number }, { turns: number }> {
  static options: JobOptions = { name: 'demo.spin', queue: 'demo' }

  static payload = vine.create({ ms: vine.number().min(0).max(3_600_000) })

  async execute() {
    const end = performance.now() + this.payload.ms
    let turns = 0
    while (performance.now() < end) {
      const until = Math.min(end, performance.now() + TURN)
      while (performance.now() < until);
      turns++
      await new Promise((resolve) => setImmediate(resolve))
    }
    return { turns }
  }
}
