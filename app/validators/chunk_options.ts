import vine from '@vinejs/vine'
import type { FieldContext } from '@vinejs/vine/types'
import { chunkProblems, CHUNK_OPTIONS } from '#services/documents/chunk_problems'

/**
 * Checks all options for chunks at once, from the field `strategy`: which of the others are allowed depends on it. It says
 * itself what is wrong where that is missing.
 *
 * @param beside names that may stand beside them
 */
const chunkOptions = vine.createRule(
  (_value: unknown, beside: string[], field) => {
    const all = Object.entries(field.parent as Record<string, unknown>)
    const options = Object.fromEntries(all.filter(([name]) => !beside.includes(name)))
    for (const { field: name, message } of chunkProblems(options)) {
      field.report(message, 'chunkOptions', sibling(field, name))
    }
  },
  { implicit: true }
)

/** The fields that say how to cut, for the schema of a payload. */
export function chunkFields(beside: string[] = []) {
  const others = CHUNK_OPTIONS.map((name) => [name, vine.any().optional()])
  return {
    strategy: vine.any().optional().use(chunkOptions(beside)),
    ...(Object.fromEntries(others) as Record<string, ReturnType<typeof vine.any>>),
  }
}

function sibling(field: FieldContext, name: string): FieldContext {
  const path = field.getFieldPath().replace(/[^.]+$/, name)
  return { ...field, name, getFieldPath: () => path }
}
