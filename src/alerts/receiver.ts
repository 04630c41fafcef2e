import type { Delivery } from '../records/alerts/alert_rows.ts'
import type { AlertView } from '../types.ts'

/** One message about an alert. `id` is the same however often it is sent. */
export type AlertMessage = { id: string; event: Delivery['event']; alert: AlertView }

/**
 * Who is told of alerts.
 */
export interface Receiver {
  /** The same for the same receiver, over restarts. */
  readonly target: string
  /** @throws NotDelivered */
  send(message: AlertMessage, signal: AbortSignal): Promise<void>
}

/** A message did not arrive, as far as is known; `final` says that trying again does not help. */
export class NotDelivered extends Error {
  constructor(
    message: string,
    readonly final = false
  ) {
    super(message)
  }
}
