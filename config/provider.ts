import env from '#start/env'
import type { ProviderSettings } from '#services/provider/provider_settings'

/**
 * The provider that document jobs may ask, where both its address and its model are set. Without it they work offline.
 */
const url = env.get('PROVIDER_URL')
const model = env.get('PROVIDER_MODEL')
const input = env.get('PROVIDER_INPUT_PRICE')
const output = env.get('PROVIDER_OUTPUT_PRICE')

const provider: ProviderSettings | null =
  url === undefined || model === undefined
    ? null
    : {
        url,
        model,
        key: env.get('PROVIDER_KEY')?.release() ?? null,
        timeout: env.get('PROVIDER_TIMEOUT') ?? 30_000,
        attempts: 4,
        prices: input === undefined || output === undefined ? null : { input, output },
      }

export default provider
