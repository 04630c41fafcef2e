import type { ApplicationService } from '@adonisjs/core/types'
import { JobTexts } from '../dashboard/redaction/job_texts.ts'
import { SecretKeys } from '../dashboard/redaction/secret_keys.ts'

/**
 * What commands may show of jobs: the same as pages.
 */
export async function jobTexts({ container }: ApplicationService): Promise<JobTexts> {
  const { dashboard } = await container.make('queuedeck.config')
  const { reader } = await container.make('queuedeck.records')
  return new JobTexts(new SecretKeys(dashboard.redact), (id) => reader.body(id))
}
