import { setTimeout } from 'node:timers/promises'
import vine from '@vinejs/vine'
import { ProviderProblem } from './provider_problem.ts'
import type { ProviderSettings, ProviderUsage } from './provider_settings.ts'
import { retryAfter } from './retry_after.ts'

type Message = { role: 'system' | 'user' | 'assistant'; content: string }

/** What checks an answer; VineJS' validators do. */
export type AnswerSchema<Answer> = { validate(value: unknown): Promise<Answer> }

/** First wait before a call is made again, ms; it doubles each time. */
const FIRST_WAIT = 500

/** Longest wait, also where the provider asks for more, ms. */
const LONGEST_WAIT = 60_000

/** Longest answer that is read, in bytes. */
const LONGEST_ANSWER = 1_048_576

/** How much of what a provider says is told on, in UTF-16 units. */
const TOLD = 200

const COMPLETION = vine.create({
  choices: vine
    .array(vine.object({ message: vine.object({ content: vine.string() }) }))
    .minLength(1),
  usage: vine
    .object({
      prompt_tokens: vine.number().min(0).optional(),
      completion_tokens: vine.number().min(0).optional(),
    })
    .optional(),
})

/**
 * Asks an OpenAI-compatible provider, and counts what that costs.
 */
export class ProviderClient {
  #usage = { calls: 0, inputTokens: 0, outputTokens: 0 }

  /**
   * @param chance  0 to 1; scatters waits, so that many jobs do not come back at the same instant
   * @param wait    pauses for so many ms
   */
  constructor(
    private settings: ProviderSettings,
    private chance: () => number = Math.random,
    private wait: (ms: number, signal: AbortSignal) => Promise<unknown> = (ms, signal) =>
      setTimeout(ms, undefined, { signal })
  ) {}

  /** Without the spaces and line breaks that a file or a shell left around it: answers would repeat it without them. */
  get #key(): string {
    return this.settings.key?.trim() ?? ''
  }

  get usage(): ProviderUsage {
    const { model, prices } = this.settings
    const { calls, inputTokens, outputTokens } = this.#usage
    const cost =
      prices === null
        ? null
        : Number(((inputTokens * prices.input + outputTokens * prices.output) / 1e6).toFixed(6))
    return { model, calls, inputTokens, outputTokens, cost }
  }

  /**
   * An answer that the schema accepts. One that it does not is sent back once, with what is wrong.
   *
   * @throws ProviderProblem; what the signal was aborted with
   */
  async ask<Answer>(
    { system, user, schema }: { system: string; user: string; schema: AnswerSchema<Answer> },
    signal: AbortSignal
  ): Promise<Answer> {
    const messages: Message[] = [
      { role: 'system', content: system },
      { role: 'user', content: user },
    ]
    const first = await this.#complete(messages, signal)
    const checked = await check(first, schema)
    if ('answer' in checked) return checked.answer
    const second = await this.#complete(
      [
        ...messages,
        { role: 'assistant', content: first },
        {
          role: 'user',
          content: `That is not what was asked for: ${checked.wrong}. Answer again, with the JSON object alone.`,
        },
      ],
      signal
    )
    const again = await check(second, schema)
    if ('answer' in again) return again.answer
    throw new ProviderProblem(
      'PROVIDER_ANSWER',
      this.#safe(`The provider's answer cannot be used: ${again.wrong}`)
    )
  }

  /** The text of one completion; comes again where the provider is away or busy. */
  async #complete(messages: Message[], signal: AbortSignal): Promise<string> {
    for (let attempt = 1; ; attempt++) {
      signal.throwIfAborted()
      const outcome = await this.#call(messages, signal)
      if ('content' in outcome) return outcome.content
      if (attempt >= this.settings.attempts) throw outcome.problem
      const backoff = FIRST_WAIT * 2 ** (attempt - 1) * (0.5 + this.chance() / 2)
      await this.wait(Math.min(LONGEST_WAIT, outcome.after ?? backoff), signal).catch((error) => {
        signal.throwIfAborted()
        throw error
      })
    }
  }

  async #call(
    messages: Message[],
    signal: AbortSignal
  ): Promise<{ content: string } | { problem: ProviderProblem; after: number | null }> {
    const { url, model, timeout } = this.settings
    const limit = AbortSignal.timeout(timeout)
    this.#usage.calls++
    let status: number
    let text: string
    let after: number | null
    try {
      const response = await fetch(`${url.replace(/\/+$/, '')}/chat/completions`, {
        method: 'POST',
        redirect: 'error',
        headers: {
          'content-type': 'application/json',
          ...(this.#key === '' ? undefined : { authorization: `Bearer ${this.#key}` }),
        },
        body: JSON.stringify({
          model,
          messages,
          temperature: 0,
          response_format: { type: 'json_object' },
        }),
        signal: AbortSignal.any([signal, limit]),
      })
      status = response.status
      after = retryAfter(response.headers.get('retry-after'), Date.now())
      text = await limited(response)
    } catch (cause) {
      signal.throwIfAborted()
      const why = limit.aborted ? `did not answer within ${timeout} ms` : 'cannot be reached'
      return {
        problem: new ProviderProblem('PROVIDER_AWAY', `The provider ${why}`, {
          cause: this.#causeOf(cause),
        }),
        after: null,
      }
    }
    if (status === 429 || status === 408 || status >= 500) {
      const problem = new ProviderProblem(
        'PROVIDER_AWAY',
        `The provider answers ${status}: ${this.#safe(text)}`
      )
      return { problem, after }
    }
    if (status !== 200) {
      throw new ProviderProblem(
        'PROVIDER_REFUSED',
        `The provider refuses with ${status}: ${this.#safe(text)}`
      )
    }
    return this.#read(text)
  }

  async #read(
    text: string
  ): Promise<{ content: string } | { problem: ProviderProblem; after: null }> {
    try {
      const { choices, usage } = await COMPLETION.validate(JSON.parse(text))
      this.#usage.inputTokens += usage?.prompt_tokens ?? 0
      this.#usage.outputTokens += usage?.completion_tokens ?? 0
      return { content: choices[0].message.content }
    } catch {
      const problem = new ProviderProblem(
        'PROVIDER_ANSWER',
        `The provider's answer is no completion: ${this.#safe(text)}`
      )
      return { problem, after: null }
    }
  }

  /** What it says, shortened, on one line, without the key, and credentials in an address, even where the provider repeats them. */
  #safe(text: string): string {
    const secret = this.#key
    const hidden = secret === '' ? text : text.replaceAll(secret, '[key]')
    return hidden
      .replace(/\/\/[^\s/@]{1,500}@/g, '//[credentials]@')
      .replace(/\s+/g, ' ')
      .slice(0, TOLD)
      .toWellFormed()
  }

  /** Only the words of a cause: an error of the transport may hold the request with its headers. */
  #causeOf(cause: unknown): Error {
    const inner = (cause as { cause?: { message?: string } }).cause?.message
    return new Error(this.#safe(inner ?? (cause as Error).message))
  }
}

async function check<Answer>(
  content: string,
  schema: AnswerSchema<Answer>
): Promise<{ answer: Answer } | { wrong: string }> {
  let value: unknown
  try {
    value = JSON.parse(content.replace(/^\s*```(?:json)?\s*\n|\n\s*```\s*$/g, ''))
  } catch {
    return { wrong: 'it is no JSON' }
  }
  try {
    return { answer: await schema.validate(value) }
  } catch (error) {
    const { messages } = error as { messages?: { message: string }[] }
    if (messages === undefined) throw error
    return {
      wrong: messages
        .map(({ message }) => message)
        .join('; ')
        .slice(0, TOLD),
    }
  }
}

async function limited(response: Response): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  let bytes = 0
  for await (const piece of response.body ?? []) {
    bytes += piece.length
    if (bytes > LONGEST_ANSWER) {
      await response.body?.cancel().catch(() => {})
      throw new Error(`its answer is longer than ${LONGEST_ANSWER} bytes`)
    }
    text += decoder.decode(piece, { stream: true })
  }
  return text
}
