/**
 * One piece of a JSON text, with the text exactly as it stands there: numbers keep every digit, keys their order and
 * duplicates.
 */
export type JsonPiece = {
  kind: 'open' | 'close' | 'colon' | 'comma' | 'key' | 'string' | 'number' | 'literal'
  text: string
  /** How many containers this piece lies in. */
  depth: number
}

// eslint-disable-next-line no-control-regex
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const LITERAL = /true|false|null/y

/**
 * Splits a JSON text into its pieces. Answers null when the text is not JSON (other producers may have written
 * anything): it is then shown as plain text. `JSON.parse` is no way to show a payload, because it rounds whole numbers
 * above 2^53, moves numeric keys to the front and drops duplicates.
 */
export function splitJson(text: string): JsonPiece[] | null {
  const pieces: JsonPiece[] = []
  const containers: ('{' | '[')[] = []
  let position = 0
  let expects: 'value' | 'key' | 'colon' | 'end' | 'key-or-close' | 'value-or-close' = 'value'

  const match = (pattern: RegExp): string | null => {
    pattern.lastIndex = position
    const found = pattern.exec(text)
    if (!found) return null
    position = pattern.lastIndex
    return found[0]
  }
  const push = (kind: JsonPiece['kind'], piece: string) =>
    pieces.push({ kind, text: piece, depth: containers.length })

  for (;;) {
    while (isSpace(text.charCodeAt(position))) position++
    if (position >= text.length) break
    const letter = text[position]

    if (expects === 'key' || expects === 'key-or-close') {
      if (letter === '}' && expects === 'key-or-close') {
        position++
        containers.pop()
        push('close', '}')
        expects = 'end'
        continue
      }
      const key = match(STRING)
      if (key === null) return null
      push('key', key)
      expects = 'colon'
      continue
    }

    if (expects === 'colon') {
      if (letter !== ':') return null
      position++
      push('colon', ':')
      expects = 'value'
      continue
    }

    if (expects === 'end') {
      const container = containers.at(-1)
      if (container === undefined) return null
      position++
      if (letter === ',') {
        push('comma', ',')
        expects = container === '{' ? 'key' : 'value'
      } else if (letter === (container === '{' ? '}' : ']')) {
        containers.pop()
        push('close', letter)
      } else return null
      continue
    }

    if (letter === ']' && expects === 'value-or-close') {
      position++
      containers.pop()
      push('close', ']')
      expects = 'end'
      continue
    }
    if (letter === '{' || letter === '[') {
      position++
      push('open', letter)
      containers.push(letter)
      expects = letter === '{' ? 'key-or-close' : 'value-or-close'
      continue
    }
    const string = match(STRING)
    if (string !== null) push('string', string)
    else {
      const literal = match(LITERAL)
      if (literal !== null) push('literal', literal)
      else {
        const number = match(NUMBER)
        if (number === null) return null
        push('number', number)
      }
    }
    expects = 'end'
  }
  return containers.length === 0 && expects === 'end' ? pieces : null
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09
}

/**
 * The shortest text of the same document.
 */
export function joinJson(pieces: JsonPiece[]): string {
  let text = ''
  for (const piece of pieces) text += piece.text
  return text
}

/**
 * A JSON text inside an answer: `toJson` writes it as it stands.
 */
export class JsonText {
  constructor(public readonly text: string) {}
}

/**
 * `JSON.stringify` for answers that carry JSON texts of jobs. A text that is not JSON becomes a JSON string.
 */
export function toJson(value: unknown): string {
  const texts: string[] = []
  /** Nothing in a payload can forge the mark, because it is made for this call. */
  const mark = `raw:${crypto.randomUUID()}:`
  const json = JSON.stringify(value, (_key, part) => {
    if (!(part instanceof JsonText)) return part
    texts.push(splitJson(part.text) ? part.text : JSON.stringify(part.text))
    return `${mark}${texts.length - 1}`
  })
  if (texts.length === 0) return json
  return json.replace(new RegExp(`"${mark}(\\d+)"`, 'g'), (_all, index) => texts[Number(index)])
}
