import { defineConfig } from '#queuedeck'

/**
 * This application has no accounts: whoever reaches its port may see and manage everything. `npm start` listens on this
 * machine only; put it behind an auth of your own before you let others reach it.
 */
export default defineConfig({
  queues: ['default', 'documents', 'demo'],
  dashboard: {
    prefix: '/admin/queue',
    access: {
      view: () => true,
      manage: () => true,
    },
  },
})
