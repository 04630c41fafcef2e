/** Words in a row that are compared. */
const ROW = 5
/** Documents that share a row of words at least, for it to be repeated. */
const DOCUMENTS = 4
/** Share of a paragraph's rows that are repeated, for it to be. */
const SHARE = 0.4

/**
 * Finds paragraphs that several documents share, be it with other names in them: what is said of all tells nothing of one. Rows of
 * words are known by their hashes, in typed arrays: a text has about as many rows as words.
 */
export class Repeated {
  #rows: Int32Array
  /** Documents that hold each row, 0 where there is no row; at most as many as matter. */
  #documents: Uint8Array
  #last: Int32Array

  /**
   * @param words all that will be added
   */
  constructor(words: number) {
    const room = 2 ** Math.ceil(Math.log2(1.5 * words + 16))
    this.#rows = new Int32Array(room)
    this.#documents = new Uint8Array(room)
    this.#last = new Int32Array(room)
  }

  /**
   * @param hashes   of the words of a passage
   * @param document its number; all passages of one come together
   */
  add(hashes: Int32Array, document: number): void {
    for (let at = 0; at + ROW <= hashes.length; at++) {
      const row = rowAt(hashes, at)
      const place = this.#placeOf(row)
      if (this.#documents[place] === 0) {
        this.#rows[place] = row
        this.#documents[place] = 1
        this.#last[place] = document
      } else if (this.#last[place] !== document && this.#documents[place] < DOCUMENTS) {
        this.#documents[place]++
        this.#last[place] = document
      }
    }
  }

  is(hashes: Int32Array): boolean {
    const rows = hashes.length - ROW + 1
    let repeated = 0
    for (let at = 0; at < rows; at++) {
      if (this.#documents[this.#placeOf(rowAt(hashes, at))] >= DOCUMENTS) repeated++
    }
    return rows > 0 && repeated >= SHARE * rows
  }

  /** Where a row is, or would be. */
  #placeOf(row: number): number {
    const mask = this.#rows.length - 1
    let place = (row ^ (row >>> 15)) & mask
    while (this.#documents[place] !== 0 && this.#rows[place] !== row) place = (place + 1) & mask
    return place
  }
}

function rowAt(hashes: Int32Array, from: number): number {
  let hash = 0x811c9dc5
  for (let at = from; at < from + ROW; at++) {
    hash = Math.imul(hash ^ hashes[at], 0x01000193)
    hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b)
  }
  return hash
}
