import type { EncryptionService } from '@adonisjs/core/types'

const PURPOSE = 'queuedeck.monitor'

/**
 * Lets whoever was given a page with a monitor follow that one job, and nothing else: people who wait for a job are seldom those
 * who may see the dashboard. The host decides by rendering the component; the token says that it did.
 */
export class MonitorTokens {
  constructor(private encryption: EncryptionService) {}

  issue(jobId: string): string {
    return this.encryption.getMessageVerifier().sign(jobId, undefined, PURPOSE)
  }

  admits(token: unknown, jobId: string): boolean {
    if (typeof token !== 'string' || token.length > 500) return false
    return this.encryption.getMessageVerifier().unsign(token, PURPOSE) === jobId
  }
}
