/** Borders are looked for so long before others may get a turn; number of finds. */
const STEP = 1_000

/**
 * Where text goes on behind each delimiter. What stands between two delimiters without a text of its own stays with what is
 * before it.
 */
export function* startsBehind(text: string, delimiter: string): Generator<void, number[]> {
  const starts: number[] = []
  let found = text.indexOf(delimiter)
  for (let step = 1; found !== -1; step++) {
    const end = found + delimiter.length
    const next = text.indexOf(delimiter, end)
    /** An empty part: the border moves behind the delimiter that ends it. */
    const part = text.slice(end, next === -1 ? undefined : Math.min(next, end + LOOKED_AT))
    if (part.trim() !== '' && end < text.length) starts.push(end)
    found = next
    if (step % STEP === 0) yield
  }
  return starts
}

/** Of a part, UTF-16 units: a longer run of white space counts as a text. */
const LOOKED_AT = 1_000
