import app from '@adonisjs/core/services/app'
import type { QueueManager } from '../src/jobs/queue_manager.ts'

let queue: QueueManager

/**
 * The queue of the application: dispatches jobs by class or name.
 */
await app.booted(async () => {
  queue = await app.container.make('queuedeck')
})

export { queue as default }
