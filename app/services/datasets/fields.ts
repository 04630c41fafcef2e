import { DocumentProblem } from '#services/documents/document_problem'
import { type Example, exactDigits } from './example.ts'

/**
 * What a column of a CSV file holds, so that reading gives back what was written. `json` where one type would lose something:
 * mixed types, objects and lists, text that UTF-8 or a text file cannot hold.
 */
export type FieldType = 'text' | 'number' | 'boolean' | 'json'

export type Field = {
  name: string
  type: FieldType
  /** What an empty cell without quotes stands for. */
  empty: 'null' | 'absent'
}

/** More fields than that are a sign of a file that is no dataset. */
const MOST_FIELDS = 1_000

type Seen = { types: Set<FieldType>; nulls: number; values: number }

/**
 * Learns the fields from examples, in the order of their first appearance.
 */
export class FieldSurvey {
  #seen = new Map<string, Seen>()
  #examples = 0

  /**
   * @throws DocumentProblem TOO_LARGE when there are more fields than a dataset has
   */
  add(example: Example): void {
    this.#examples++
    for (const [name, value] of Object.entries(example)) {
      let seen = this.#seen.get(name)
      if (seen === undefined) {
        if (this.#seen.size === MOST_FIELDS || !name.isWellFormed() || name.includes('\0')) {
          throw new DocumentProblem(
            'TOO_LARGE',
            this.#seen.size === MOST_FIELDS
              ? `has more than ${MOST_FIELDS} different fields: is it a list of examples?`
              : 'has a field whose name is no text'
          )
        }
        seen = { types: new Set(), nulls: 0, values: 0 }
        this.#seen.set(name, seen)
      }
      if (value === null) seen.nulls++
      else {
        seen.values++
        seen.types.add(typeOf(value))
      }
    }
  }

  fields(): Field[] {
    return Array.from(this.#seen, ([name, { types, nulls, values }]) => {
      const absent = this.#examples - nulls - values
      const [only] = types
      return {
        name,
        type: types.size > 1 || (nulls > 0 && absent > 0) ? 'json' : (only ?? 'text'),
        empty: absent > 0 ? 'absent' : 'null',
      }
    })
  }
}

function typeOf(value: unknown): FieldType {
  if (typeof value === 'string') {
    return value.isWellFormed() && !value.includes('\0') ? 'text' : 'json'
  }
  if (typeof value === 'number' || exactDigits(value) !== null) return 'number'
  return typeof value === 'boolean' ? 'boolean' : 'json'
}
