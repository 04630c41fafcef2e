const segmenter = new Intl.Segmenter('und', { granularity: 'grapheme' })

const CARRIAGE_RETURN = 0x0d
const LINE_FEED = 0x0a

/**
 * Walks over the letters (grapheme clusters, UAX 29) of a text. Between two code units that never join with others no rules
 * need asking; a segmenter is, for the stretches in between.
 */
export class Letters {
  /** Where the current letter ends, in UTF-16 units; 0 before the first. */
  end = 0
  #stretch: Iterator<Intl.SegmentData> | null = null
  #stretchStart = 0

  constructor(private text: string) {}

  /** Goes on to the next letter. */
  next(): void {
    if (this.#stretch !== null) {
      const { value, done } = this.#stretch.next()
      if (done !== true) {
        this.end = this.#stretchStart + value.index + value.segment.length
        return
      }
      this.#stretch = null
    }
    const { text, end } = this
    const unit = text.charCodeAt(end)
    const follower = end + 1 < text.length ? text.charCodeAt(end + 1) : 0
    if (isAlone(unit) && isAlone(follower)) {
      this.end += unit === CARRIAGE_RETURN && follower === LINE_FEED ? 2 : 1
      return
    }
    this.#stretchStart = end
    this.#stretch = segmenter.segment(text.slice(end, this.#endOfStretch()))[Symbol.iterator]()
    this.next()
  }

  /** Whether a letter ends at an offset; asked for one offset after the other, ascending. */
  reaches(offset: number): boolean {
    while (this.end < offset) this.next()
    return this.end === offset
  }

  /** The stretch ends behind the first unit that stands alone and is followed by one that does. */
  #endOfStretch(): number {
    const { text } = this
    let at = this.end + 1
    while (
      at < text.length &&
      !(isAlone(text.charCodeAt(at)) && isAlone(text.charCodeAt(at + 1) || 0))
    )
      at++
    const pair = text.charCodeAt(at) === CARRIAGE_RETURN && text.charCodeAt(at + 1) === LINE_FEED
    return at + (pair ? 2 : 1)
  }
}

/** Number of letters of a text. */
export function lettersOf(text: string): number {
  const letters = new Letters(text)
  let count = 0
  while (letters.end < text.length) {
    letters.next()
    count++
  }
  return count
}

/**
 * Whether there is a border between any two of these code units, a line's two end marks aside: Latin, Greek, Cyrillic, the letters
 * of Hebrew and Arabic, kana, Han, whole Hangul syllables. What combines, and halves of pairs, are not among them.
 */
export function isAlone(unit: number): boolean {
  return (
    unit < 0x300 ||
    (unit >= 0x4e00 && unit <= 0x9fff) ||
    (unit >= 0xac00 && unit <= 0xd7a3) ||
    (unit >= 0x370 && unit <= 0x482) ||
    (unit >= 0x48a && unit <= 0x52f) ||
    (unit >= 0x5d0 && unit <= 0x5ea) ||
    (unit >= 0x620 && unit <= 0x64a) ||
    (unit >= 0x1e00 && unit <= 0x1fff) ||
    (unit >= 0x2010 && unit <= 0x2027) ||
    (unit >= 0x3041 && unit <= 0x3096) ||
    (unit >= 0x30a1 && unit <= 0x30fa)
  )
}

/** All that does not stand alone by `isAlone`, and the carriage return, which joins with a line feed. */
const NOT_ALONE =
  /[\r\u0300-\u036f\u0483-\u0489\u0530-\u05cf\u05eb-\u061f\u064b-\u1dff\u2000-\u200f\u2028-\u3040\u3097-\u30a0\u30fb-\u4dff\ua000-\uabff\ud7a4-\uffff]/

/** Whether each code unit of a text is a letter of its own, as `isAlone` says. */
export function allAlone(text: string): boolean {
  return !NOT_ALONE.test(text)
}
