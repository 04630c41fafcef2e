import vine from '@vinejs/vine'
import { Job, type JobOptions } from '#queuedeck'

/**
 * Fails with the message given.
 */
export default class Fail extends Job<{ message: string }, never> {
  static options: JobOptions = { name: 'demo.fail', queue: 'demo' }

  static payload = vine.create({ message: vine.string().maxLength(10_000) })

  async execute(): Promise<never> {
    throw new Error(this.payload.message)
  }
}
