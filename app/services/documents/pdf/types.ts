/**
 * One piece of text on a page, in points, upright: `x` from the left, `y` of its baseline from the top.
 */
export type Piece = {
  text: string
  x: number
  y: number
  width: number
  size: number
  bold: boolean
  /** All letters of its font are equally wide. */
  mono: boolean
  /** Its letters have no serifs. */
  sans: boolean
  /** White space was written in front of it. */
  spaced: boolean
}

/** A line that is drawn across or down the page, in points, upright. */
export type Rule = { x1: number; y1: number; x2: number; y2: number }

/** Pieces of one line that stand together; a gap as between columns or cells parts it from the next. */
export type Segment = {
  text: string
  x: number
  right: number
  y: number
  size: number
  bold: boolean
  /** Its letters have no serifs, those of equal width aside; null where hardly any are left. */
  sans: boolean | null
  /** Width of one letter where all are equally wide, else 0; the text then has its spaces as they stand on the page. */
  mono: number
  /** Its last letters are equally wide. */
  monoEnd: boolean
  /** It is a whole table, whose rules part its cells; lines of a cell are still apart, by `\n`. */
  rows?: string[][]
  /** Where its columns begin. */
  columns?: number[]
  /** Its first row is all in bold letters. */
  headed?: boolean
  /** What its first row says, where that is one cell as wide as the table. */
  title?: string
}

/**
 * One line in reading order. More than one segment: cells beside each other.
 */
export type Line = Segment & { segments: Segment[] }

/** Lines of a page in reading order, and how high the page is. */
export type PageLines = { lines: Line[]; height: number }

/** What the reader asks of its thread. One document is open at a time. */
export type ToThread = { open: Uint8Array } | { read: number }

/** What the thread answers. `unknown`: letters were left out because their font does not say what they are. */
export type FromThread =
  | { ready: true }
  | { opened: number; labels: string[] | null }
  | { refused: 'password' | 'damaged' }
  | { page: number; content: PageLines | null; unknown: boolean }
