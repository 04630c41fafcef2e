import vine from '@vinejs/vine'
import { Job, type JobOptions } from '#queuedeck'

type Payload = { failures: number }

/**
 * Fails its first attempts, then succeeds. Dispatch it with more attempts than failures to see it complete.
 */
export default class Flaky extends Job<Payload, { attempts: number }> {
  static options: JobOptions = {
    name: 'demo.flaky',
    queue: 'demo',
    attempts: 5,
    backoff: { type: 'exponential', delay: '1s' },
  }

  static payload = vine.create({
    failures: vine.number().min(0).max(1_000).withoutDecimals(),
  })

  async execute() {
    const { failures } = this.payload
    if (this.attempt <= failures) {
      throw new Error(`failure ${this.attempt} of ${failures}`)
    }
    this.log.info('succeeds at attempt %d', this.attempt)
    return { attempts: this.attempt }
  }
}
