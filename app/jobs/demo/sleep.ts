import { setTimeout as wait } from 'node:timers/promises'
import vine from '@vinejs/vine'
import { Job, type JobOptions } from '#queuedeck'

type Payload = { ms: number; steps?: number }

/**
 * Takes its time, in steps that it reports.
 */
export default class Sleep extends Job<Payload, { slept: number; steps: number }> {
  static options: JobOptions = { name: 'demo.sleep', queue: 'demo' }

  static payload = vine.create({
    ms: vine.number().min(0).max(86_400_000),
    steps: vine.number().min(1).max(10_000).withoutDecimals().optional(),
  })

  async execute() {
    const { ms, steps = 1 } = this.payload
    for (let step = 1; step <= steps; step++) {
      await wait(ms / steps, undefined, { signal: this.signal })
      await this.progress((step / steps) * 100, {
        stage: 'Sleeping',
        done: step,
        total: steps,
        unit: 'steps',
      })
    }
    return { slept: ms, steps }
  }
}
