import type { Job } from '#queuedeck'
import type { Warning } from '#services/documents/parsed_document'
import type { PatientProvider } from './patient_provider.ts'
import { ProviderClient } from './provider_client.ts'
import type { ProviderSettings } from './provider_settings.ts'

/** What a job says that is told to ask a provider where none is configured. */
const NO_PROVIDER: Warning = {
  source: 'provider',
  code: 'PROVIDER_MISSING',
  message: 'No provider is configured (PROVIDER_URL, PROVIDER_MODEL): worked offline',
}

/**
 * The provider of the configuration; null where none is configured.
 *
 * @param settings instead of those of the configuration
 */
async function configuredProvider(
  settings?: ProviderSettings | null
): Promise<ProviderClient | null> {
  const used = settings ?? (await import('#config/provider')).default
  return used === null ? null : new ProviderClient(used)
}

/** Logs a warning of a job, and adds it to those that its result holds. */
export function warner(job: Job<any>, warnings: Warning[]): (warning: Warning) => void {
  return (warning) => {
    job.log.warn('%s (%s)', warning.message, warning.code)
    warnings.push(warning)
  }
}

/** The provider that a job is told to ask; null, with a warning, where none is configured. */
export async function wantedProvider(
  settings: ProviderSettings | null | undefined,
  warn: (warning: Warning) => void
): Promise<ProviderClient | null> {
  const client = await configuredProvider(settings)
  if (client === null) warn(NO_PROVIDER)
  return client
}

/**
 * What a job says of questions that a provider did not answer; null where it answered all.
 *
 * @param what say `passages were classified offline`
 */
export function fallbackWarning(
  { problem, fallbacks }: Pick<PatientProvider, 'problem' | 'fallbacks'>,
  what: string
): Warning | null {
  if (problem === null) return null
  return {
    source: 'provider',
    code: problem.code,
    message: `${problem.message}; ${fallbacks} ${what}`,
  }
}
