import { BaseSchema } from '@adonisjs/lucid/schema'
import { createQueuedeckTables } from '#queuedeck/schema'

/**
 * Brings the tables to the version with the queues that are drained. The first migration drops all of them.
 */
export default class extends BaseSchema {
  async up() {
    this.defer((db) => createQueuedeckTables(db))
  }

  async down() {}
}
