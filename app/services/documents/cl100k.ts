import ranks from 'gpt-tokenizer/bpeRanks/cl100k_base'

/**
 * How cl100k_base parts a text before it looks for tokens; none of them goes over such a border.
 */
const SPLIT =
  /'(?:[sSſdDmMtT]|[lL][lL]|[vV][eE]|[rR][eE])|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s+$|\s*[\r\n]|\s+(?!\S)|\s/uy

/** A longer word is counted in parts of this many UTF-16 units. */
const LONGEST_WORD = 65_536

/** Counts of words are remembered, so many at most, and of words so short. */
const REMEMBERED = 50_000
const SHORT = 40

/** Bytes of each token, one character a byte, with its rank: pairs of lower rank are joined first. */
const vocabulary = new Map<string, number>()
for (const [rank, token] of ranks.entries()) {
  if (token !== undefined)
    vocabulary.set(typeof token === 'string' ? bytesOf(token) : String.fromCharCode(...token), rank)
}

const remembered = new Map<string, number>()

/**
 * Where the word ends that begins at a place of a text, in UTF-16 units. The tokens of a text are those of its words.
 */
export function wordEnd(text: string, start: number): number {
  const plain = plainWordEnd(text, start)
  if (plain !== -1) return plain
  SPLIT.lastIndex = start
  SPLIT.test(text)
  if (SPLIT.lastIndex - start <= LONGEST_WORD) return SPLIT.lastIndex
  const end = start + LONGEST_WORD
  return isLow(text.charCodeAt(end)) ? end - 1 : end
}

/** The most frequent words, Latin letters with one mark in front of them, without the expression; -1 for all others. */
function plainWordEnd(text: string, start: number): number {
  let end = start
  const first = text.charCodeAt(start)
  if (!isLatin(first)) {
    if (first > 0x7e || first < 0x20 || first === 0x27 || (first >= 0x30 && first <= 0x39))
      return -1
    end++
    if (!isLatin(text.charCodeAt(end))) return -1
  }
  while (isLatin(text.charCodeAt(end))) end++
  return text.charCodeAt(end) > 0x7f || end - start > LONGEST_WORD ? -1 : end
}

function isLatin(unit: number): boolean {
  return (unit >= 0x61 && unit <= 0x7a) || (unit >= 0x41 && unit <= 0x5a)
}

/** Number of cl100k_base tokens of a text; markers such as `<|endoftext|>` are plain text. */
export function tokensOf(text: string): number {
  let count = 0
  let start = 0
  while (start < text.length) {
    const end = wordEnd(text, start)
    count += tokensOfWord(text.slice(start, end))
    start = end
  }
  return count
}

/** Number of tokens of one word, from its beginning to its `wordEnd`. */
export function tokensOfWord(word: string): number {
  const known = remembered.get(word)
  if (known !== undefined) return known
  const bytes = bytesOf(word)
  const count = vocabulary.has(bytes) ? 1 : tokenEnds(bytes).length
  if (word.length <= SHORT) {
    if (remembered.size >= REMEMBERED) remembered.clear()
    remembered.set(word, count)
  }
  return count
}

/**
 * Ends of the tokens of one word, in UTF-16 units; left out are those inside of a character, which tokens, being bytes, may part.
 */
export function tokenEndsOfWord(word: string): number[] {
  const byBytes = tokenEnds(bytesOf(word))
  const ends: number[] = []
  let [byte, unit, next] = [0, 0, 0]
  for (const character of word) {
    byte += Buffer.byteLength(character)
    unit += character.length
    while (byBytes[next] < byte) next++
    if (byBytes[next] === byte) ends.push(unit)
  }
  return ends
}

/**
 * Byte pair encoding: of all neighbours that make a token those of the lowest rank are joined, the leftmost first, until none are
 * left. With a heap, so that a long word does not take quadratic time.
 *
 * @returns ends of tokens
 */
function tokenEnds(bytes: string): number[] {
  const { length } = bytes
  const next = Int32Array.from({ length: length + 1 }, (_, at) => at + 1)
  const before = Int32Array.from({ length: length + 1 }, (_, at) => at - 1)
  /** Rank of the token that the part at this place makes with the next one, -1 where they make none. */
  const rank = new Int32Array(length + 1).fill(-1)
  const heap = new Heap()
  const look = (at: number) => {
    const middle = next[at]
    const found = middle < length ? vocabulary.get(bytes.slice(at, next[middle])) : undefined
    rank[at] = found ?? -1
    if (found !== undefined) heap.push(found * PLACES + at)
  }
  for (let at = 0; at < length - 1; at++) look(at)
  for (let best = heap.pop(); best !== undefined; best = heap.pop()) {
    const at = best % PLACES
    if (rank[at] !== (best - at) / PLACES) continue
    const joined = next[at]
    rank[joined] = -1
    next[at] = next[joined]
    before[next[at]] = at
    look(at)
    if (before[at] >= 0) look(before[at])
  }
  const ends: number[] = []
  for (let at = 0; at < length; at = next[at]) ends.push(next[at])
  return ends
}

/** More than a word has bytes: a rank and a place make one number that sorts by both. */
const PLACES = 2 ** 20

/** Numbers, the lowest first. */
class Heap {
  #numbers: number[] = []

  push(number: number): void {
    const numbers = this.#numbers
    let at = numbers.length
    numbers.push(number)
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (numbers[parent] <= number) break
      numbers[at] = numbers[parent]
      at = parent
    }
    numbers[at] = number
  }

  pop(): number | undefined {
    const numbers = this.#numbers
    const [lowest] = numbers
    const last = numbers.pop()
    if (numbers.length === 0 || last === undefined) return lowest
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= numbers.length) break
      if (child + 1 < numbers.length && numbers[child + 1] < numbers[child]) child++
      if (numbers[child] >= last) break
      numbers[at] = numbers[child]
      at = child
    }
    numbers[at] = last
    return lowest
  }
}

/** The UTF-8 bytes of a text, one character a byte. */
function bytesOf(text: string): string {
  for (let at = 0; at < text.length; at++) {
    if (text.charCodeAt(at) > 0x7f) return Buffer.from(text).toString('latin1')
  }
  return text
}

function isLow(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff
}
