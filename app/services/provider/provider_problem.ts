/**
 * - `PROVIDER_AWAY`: it cannot be reached, does not answer in time, or says again and again to come later
 * - `PROVIDER_REFUSED`: it refuses the request, say for its key or model
 * - `PROVIDER_ANSWER`: its answer is not what was asked for, even after it was told so
 */
export type ProviderCode = 'PROVIDER_AWAY' | 'PROVIDER_REFUSED' | 'PROVIDER_ANSWER'

/**
 * Why a provider gave no answer. Its message never holds the key.
 */
export class ProviderProblem extends Error {
  override name = 'ProviderProblem'

  constructor(
    readonly code: ProviderCode,
    message: string,
    options?: ErrorOptions
  ) {
    super(message, options)
  }
}
