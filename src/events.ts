import type { AlertView } from './types.ts'

/**
 * What Queuedeck tells through the application's emitter, once, in the process where it happens.
 */
export type QueuedeckEvents = {
  'queuedeck:alert:opened': AlertView
  'queuedeck:alert:cleared': AlertView
  'queuedeck:alert:acknowledged': AlertView
}

declare module '@adonisjs/core/types' {
  interface EventsList extends QueuedeckEvents {}
}

/** Tells the application; what its listeners throw is theirs, and logged. */
export type EmitEvent = <Name extends keyof QueuedeckEvents>(
  name: Name,
  data: QueuedeckEvents[Name]
) => void
