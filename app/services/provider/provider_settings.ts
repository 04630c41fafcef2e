/**
 * An endpoint that speaks as OpenAI's chat completions do.
 */
export type ProviderSettings = {
  /** Up to and without `/chat/completions`, say `https://api.example.org/v1`. */
  url: string
  key: string | null
  model: string
  /** For one call, ms. */
  timeout: number
  /** Calls for one question, at most, where it is away or says to come later. */
  attempts: number
  /** Of a million tokens, in whatever currency; null where nobody said. */
  prices: { input: number; output: number } | null
}

/** What a provider was used for. `cost` is null where its prices are not known. */
export type ProviderUsage = {
  model: string
  calls: number
  inputTokens: number
  outputTokens: number
  cost: number | null
}
