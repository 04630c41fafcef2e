/** Words that stand together in one shingle. */
const WORDS = 3

/** Kept of a text, smallest hashes first: enough to compare long texts within a few percent (bottom-k sketch, Cohen 1997). */
const MOST = 512

/**
 * What a text is made of, as sorted hashes of each three words that follow one another. Case, width of letters, how accents are
 * written, punctuation and white space do not count; letters of scripts that have no spaces between words count as words.
 */
export function shinglesOf(text: string): Uint32Array {
  const words = wordHashes(text.normalize('NFKC').toLowerCase())
  const width = Math.min(WORDS, words.length)
  const found = new Uint32Array(width === 0 ? 0 : words.length - width + 1)
  for (let at = 0; at < found.length; at++) {
    let hash = 0
    for (let next = at; next < at + width; next++) hash = mixed(Math.imul(hash, 31) ^ words[next])
    found[at] = hash
  }
  found.sort()
  let length = 0
  for (const hash of found) {
    if (length === 0 || found[length - 1] !== hash) found[length++] = hash
  }
  return found.slice(0, Math.min(length, MOST))
}

/**
 * Share of what two texts have in common (Jaccard), 0 to 1; exact unless one of them is long.
 */
export function likeness(left: Uint32Array, right: Uint32Array): number {
  if (left.length === 0 || right.length === 0) return 0
  const most = Math.min(
    left.length === MOST || right.length === MOST ? MOST : Infinity,
    left.length + right.length
  )
  let [a, b, shared, all] = [0, 0, 0, 0]
  while (all < most && (a < left.length || b < right.length)) {
    const one = a < left.length ? left[a] : Infinity
    const other = b < right.length ? right[b] : Infinity
    if (one === other) shared++
    if (one <= other) a++
    if (other <= one) b++
    all++
  }
  return shared / all
}

/** Scatters the bits of a number (finaliser of MurmurHash3). */
export function mixed(value: number): number {
  let hash = value
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

function wordHashes(text: string): number[] {
  const words: number[] = []
  let hash = 0
  const close = () => {
    if (hash !== 0) words.push(hash)
    hash = 0
  }
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    const inWord =
      (code > 96 && code < 123) || (code > 47 && code < 58) || (code > 191 && code < 0x2000)
    if (inWord && !hasNoSpaces(code)) {
      hash = Math.imul(hash ^ code, 0x01000193) || 1
    } else {
      close()
      if (inWord || (code >= 0x2190 && code !== 0xfeff)) words.push(code)
    }
  }
  close()
  return words
}

/** Thai, Lao, Myanmar, Khmer: between their words stands nothing. */
function hasNoSpaces(code: number): boolean {
  return (
    code > 0xdff &&
    (code < 0xf00 || (code > 0xfff && code < 0x10a0) || (code > 0x177f && code < 0x1800))
  )
}
