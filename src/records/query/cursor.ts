import { createHash } from 'node:crypto'
import { InvalidInputException } from '../../errors.ts'
import { STATUSES } from '../../statuses.ts'
import type { Direction, Sort } from '../job_query.ts'
import { COMPLETED_PROGRESS } from '../tables.ts'

/**
 * A place between two jobs of a sorted list: the sort key of the job beside it, its `seq` last. `back` reads towards the
 * beginning of the list.
 */
export type Position = { back: boolean; key: number[] }

/** Numbers in the key of each sort, `seq` included. */
const LENGTHS: Record<Sort, number> = { created: 2, status: 3, progress: 3, duration: 2 }

/** What the first number of a key may be. Columns differ in size, and PostgreSQL refuses to compare with what they cannot hold. */
const FIRST: Record<Sort, [least: number, most: number]> = {
  created: [0, Number.MAX_SAFE_INTEGER],
  status: [0, STATUSES.length - 1],
  progress: [0, COMPLETED_PROGRESS],
  duration: [-1, Number.MAX_SAFE_INTEGER],
}

const SHAPE = /^([a-z]{2})([np])((?:-?\d{1,16}\.){1,2}\d{1,16})~([A-Za-z0-9_-]{6})$/

/**
 * Writes a position as a text for addresses. It holds numbers only, so nothing in it can widen what a list shows; the
 * check at its end tells a cut or mistyped one from a whole one.
 */
export function encodeCursor(sort: Sort, direction: Direction, { back, key }: Position): string {
  const text = `${sort[0]}${direction[0]}${back ? 'p' : 'n'}${key.join('.')}`
  return `${text}~${check(text)}`
}

/**
 * Reads what `encodeCursor` wrote. Throws InvalidInputException for any other text, and for a cursor of a list that was
 * sorted differently.
 */
export function decodeCursor(cursor: string, sort: Sort, direction: Direction): Position {
  const match = cursor.length <= 80 ? SHAPE.exec(cursor) : null
  const text = cursor.slice(0, cursor.lastIndexOf('~'))
  const key = match ? match[3].split('.').map(Number) : []
  if (!match || check(text) !== match[4] || !key.every(Number.isSafeInteger)) throw altered()
  if (match[1] !== sort[0] + direction[0] || key.length !== LENGTHS[sort]) {
    throw new InvalidInputException(
      `The cursor belongs to a list that is sorted differently from "${sort} ${direction}": leave it out to begin at the first page`,
      'cursor'
    )
  }
  const [least, most] = FIRST[sort]
  if (key[0] < least || key[0] > most) throw altered()
  return { back: match[2] === 'p', key }
}

function altered(): InvalidInputException {
  return new InvalidInputException(
    'The cursor was altered or cut: take it whole from the list, or leave it out to begin at the first page',
    'cursor'
  )
}

function check(text: string): string {
  return createHash('sha256').update(`queuedeck cursor ${text}`).digest('base64url').slice(0, 6)
}
