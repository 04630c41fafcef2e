/** About how many letters one piece has, in UTF-16 units. */
const PIECE = 131_072

/** Items of a list that are written in one step. */
const MOST_TOGETHER = 256

/**
 * What `JSON.stringify` makes of an object of plain values, in pieces: neither its long texts nor its long lists are written in
 * one step, and nothing is held twice.
 */
export function* jsonPieces(value: object): Generator<string> {
  let piece = ''
  for (const part of parts(value)) {
    piece += part
    if (piece.length < PIECE) continue
    yield piece
    piece = ''
  }
  if (piece !== '') yield piece
}

function* parts(value: unknown): Generator<string> {
  if (typeof value === 'string' && value.length > PIECE) {
    yield '"'
    for (let start = 0; start < value.length;) {
      const end = borderBefore(value, start + PIECE)
      yield JSON.stringify(value.slice(start, end)).slice(1, -1)
      start = end
    }
    yield '"'
  } else if (Array.isArray(value)) {
    yield '['
    /** Many small ones at once, large ones by themselves. */
    let together = 1
    for (let start = 0; start < value.length;) {
      const json = JSON.stringify(value.slice(start, start + together)).slice(1, -1)
      yield start === 0 ? json : `,${json}`
      start += together
      together = json.length > PIECE ? 1 : Math.min(MOST_TOGETHER, together * 2)
    }
    yield ']'
  } else if (value !== null && typeof value === 'object') {
    let between = '{'
    for (const [key, one] of Object.entries(value)) {
      if (one === undefined) continue
      yield `${between}${JSON.stringify(key)}:`
      yield* parts(one)
      between = ','
    }
    yield between === '{' ? '{}' : '}'
  } else {
    yield JSON.stringify(value)
  }
}

/** Halves of one character stay together: apart, each would be written as an escape. */
function borderBefore(text: string, at: number): number {
  if (at >= text.length) return text.length
  const unit = text.charCodeAt(at - 1)
  return unit >= 0xd800 && unit <= 0xdbff ? at - 1 : at
}
