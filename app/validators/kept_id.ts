import vine from '@vinejs/vine'
import { KEPT_ID } from '#services/documents/awaited_ids'
import { shownValue } from './payload.ts'

const isKeptId = vine.createRule((value: unknown, _options: undefined, field) => {
  if (typeof value !== 'string' || KEPT_ID.test(value)) return
  const remedy =
    'must be 64 hexadecimal digits, as the result of the job before names it, or "awaited"'
  field.report(`The id ${shownValue(value)} ${remedy}`, 'keptId', field)
})

/** An id of something that was kept, or `awaited`, for the schema of a payload. */
export function keptIdField() {
  return vine.string().use(isKeptId())
}
