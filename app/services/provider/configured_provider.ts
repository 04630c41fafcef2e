import type { Warning } from '#services/documents/parsed_document'
import type { PatientProvider } from './patient_provider.ts'
import { ProviderClient } from './provider_client.ts'
import type { ProviderSettings } from './provider_settings.ts'

/** What a job says that is told to ask a provider where none is configured. */
export const NO_PROVIDER: Warning = {
  source: 'provider',
  code: 'PROVIDER_MISSING',
  message: 'No provider is configured (PROVIDER_URL, PROVIDER_MODEL): worked offline',
}

/**
 * The provider of the configuration; null where none is configured.
 *
 * @param settings instead of those of the configuration
 */
export async function configuredProvider(
  settings?: ProviderSettings | null
): Promise<ProviderClient | null> {
  const used = settings ?? (await import('#config/provider')).default
  return used === null ? null : new ProviderClient(used)
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
