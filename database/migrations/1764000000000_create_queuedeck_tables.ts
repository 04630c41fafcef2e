import { BaseSchema } from '@adonisjs/lucid/schema'
import { createQueuedeckTables, dropQueuedeckTables } from '#queuedeck/schema'

/**
 * The tables that hold every job's history.
 */
export default class extends BaseSchema {
  async up() {
    this.defer((db) => createQueuedeckTables(db))
  }

  async down() {
    this.defer((db) => dropQueuedeckTables(db))
  }
}
