import type { Steps } from './breather.ts'

/** Read in one step, in UTF-16 units. */
const STEP = 131_072

/** Quotes inside of one text that are met in one step. */
const MET = 20_000

/**
 * What `JSON.parse` makes of a text, in steps: reading tens of megabytes at once would keep everything else of the process waiting.
 *
 * @throws SyntaxError
 */
export function* jsonSteps(text: string): Steps<unknown> {
  if (text.length <= STEP) return JSON.parse(text)
  return yield* new Reading(text).whole()
}

class Reading {
  #at = 0

  constructor(private text: string) {}

  *whole(): Steps<unknown> {
    const value = yield* this.#value()
    if (this.#behindSpace(this.#at) < this.text.length) this.#refuse()
    return value
  }

  *#value(): Steps<unknown> {
    const start = this.#behindSpace(this.#at)
    const end = this.#endWithin(start)
    if (end !== -1) {
      this.#at = end
      return JSON.parse(this.text.slice(start, end))
    }
    yield
    const sign = this.text[start]
    if (sign === '{') return yield* this.#object(start + 1)
    if (sign === '[') return yield* this.#list(start + 1)
    if (sign === '"') return yield* this.#string(start + 1)
    return this.#refuse()
  }

  *#object(from: number): Steps<object> {
    const entries: [string, unknown][] = []
    for (this.#at = from; ;) {
      const start = this.#behindSpace(this.#at)
      const end = this.#endWithin(start)
      if (this.text[start] !== '"' || end === -1) this.#refuse()
      const key = JSON.parse(this.text.slice(start, end)) as string
      const colon = this.#behindSpace(end)
      if (this.text[colon] !== ':') this.#refuse()
      this.#at = colon + 1
      entries.push([key, yield* this.#value()])
      if (!this.#goesOn('}')) return Object.fromEntries(entries)
    }
  }

  *#list(from: number): Steps<unknown[]> {
    const items: unknown[] = []
    for (this.#at = from; ;) {
      /** Small items are read together. */
      const start = this.#behindSpace(this.#at)
      let last = -1
      for (let at = start; at - start < STEP;) {
        const end = this.#endWithin(this.#behindSpace(at))
        if (end === -1) break
        last = end
        const behind = this.#behindSpace(end)
        if (this.text[behind] !== ',') break
        at = behind + 1
      }
      if (last === -1) items.push(yield* this.#value())
      else {
        for (const item of JSON.parse(`[${this.text.slice(start, last)}]`) as unknown[]) {
          items.push(item)
        }
        this.#at = last
        yield
      }
      if (!this.#goesOn(']')) return items
    }
  }

  *#string(from: number): Steps<string> {
    let quote = this.text.indexOf('"', from)
    for (let met = 1; quote !== -1 && this.#isEscaped(quote, from); met++) {
      quote = this.text.indexOf('"', quote + 1)
      if (met % MET === 0) yield
    }
    if (quote === -1) this.#refuse()
    const parts: string[] = []
    for (let start = from; start < quote;) {
      const end = quote - start <= STEP ? quote : this.#borderBefore(from, start + STEP)
      parts.push(JSON.parse(`"${this.text.slice(start, end)}"`) as string)
      start = end
      yield
    }
    this.#at = quote + 1
    return parts.join('')
  }

  /** Whether a comma follows, and not the sign that ends what is being read. */
  #goesOn(closing: string): boolean {
    const at = this.#behindSpace(this.#at)
    this.#at = at + 1
    if (this.text[at] === closing) return false
    if (this.text[at] !== ',') this.#refuse()
    return true
  }

  /** Where a value ends; -1 where it is longer than a step. */
  #endWithin(start: number): number {
    const { text } = this
    const most = Math.min(text.length, start + STEP)
    let depth = 0
    for (let at = start; at < most; at++) {
      const unit = text.charCodeAt(at)
      if (unit === 0x22) {
        at = this.#closingQuote(at + 1)
        if (at === -1 || at >= most) return -1
        if (depth === 0) return at + 1
      } else if (unit === 0x7b || unit === 0x5b) depth++
      else if (unit === 0x7d || unit === 0x5d) {
        if (--depth === 0) return at + 1
        /** The end of what holds a number or a word. */
        if (depth < 0) return at
      } else if (depth === 0 && (unit === 0x2c || unit <= 0x20)) return at
    }
    return depth === 0 && most === text.length ? most : -1
  }

  /** The quote that ends the string whose inside begins at `from`; -1 where none does. */
  #closingQuote(from: number): number {
    let quote = this.text.indexOf('"', from)
    while (quote !== -1 && this.#isEscaped(quote, from)) quote = this.text.indexOf('"', quote + 1)
    return quote
  }

  /** Whether an odd number of backslashes stands in front. */
  #isEscaped(at: number, from: number): boolean {
    let count = 0
    while (at - count > from && this.text.charCodeAt(at - count - 1) === 0x5c) count++
    return count % 2 === 1
  }

  /** The last place before `at` that is not inside of an escape. */
  #borderBefore(from: number, at: number): number {
    for (let place = at - 1; place >= at - 5; place--) {
      if (this.text.charCodeAt(place) !== 0x5c) continue
      if (this.#isEscaped(place, from)) return at
      const length = this.text[place + 1] === 'u' ? 6 : 2
      return place + length > at ? place : at
    }
    return at
  }

  #behindSpace(from: number): number {
    let at = from
    while (at < this.text.length && this.text.charCodeAt(at) <= 0x20) at++
    return at
  }

  #refuse(): never {
    throw new SyntaxError(`Unexpected text at position ${this.#at} of the JSON`)
  }
}
