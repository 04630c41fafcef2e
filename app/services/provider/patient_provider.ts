import type { AnswerSchema, ProviderClient } from './provider_client.ts'
import { ProviderProblem } from './provider_problem.ts'

/** Answers in a row that cannot be used before it is asked no more. */
const PATIENCE = 3

/**
 * Asks a provider many questions, each of which has an answer of ours too. One that is away or refuses is not asked again.
 */
export class PatientProvider {
  /** Questions that it did not answer, and why first. */
  fallbacks = 0
  problem: ProviderProblem | null = null
  #failures = 0
  #given = false

  constructor(private client: ProviderClient) {}

  /**
   * Null where it gave no answer that can be used.
   *
   * @throws what the signal was aborted with
   */
  async ask<Answer>(
    question: { system: string; user: string; schema: AnswerSchema<Answer> },
    signal: AbortSignal
  ): Promise<Answer | null> {
    if (!this.#given) {
      try {
        const answer = await this.client.ask(question, signal)
        this.#failures = 0
        return answer
      } catch (error) {
        if (!(error instanceof ProviderProblem)) throw error
        this.problem ??= error
        this.#failures++
        this.#given = error.code !== 'PROVIDER_ANSWER' || this.#failures >= PATIENCE
      }
    }
    this.fallbacks++
    return null
  }
}
