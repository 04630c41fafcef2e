import vine, { errors } from '@vinejs/vine'
import type { SchemaTypes } from '@vinejs/vine/types'

type Problem = { field: string; message: string }

/**
 * The schema of a payload that takes these fields and no others: one that is misspelt would be passed over, and the job would take a
 * default in its place.
 *
 * @param across what is wrong with fields of which each fits by itself
 */
export function payloadOf<Fields extends Record<string, SchemaTypes>>(
  fields: Fields,
  across: (payload: any) => (Problem | false)[] = () => []
) {
  const validator = vine.create(fields)
  return {
    async validate(data: unknown): ReturnType<typeof validator.validate> {
      const checked = await validator.validate(data)
      const remedy = `leave it out, or choose one of ${Object.keys(fields).join(', ')}`
      const problems = [
        ...leftOut(data, checked).map((field) => ({
          field,
          message: `Nothing is called "${field.slice(0, 100)}" here: ${remedy}`,
        })),
        ...across(checked).filter((problem) => problem !== false),
      ]
      if (problems.length === 0) return checked
      throw new errors.E_VALIDATION_ERROR(problems.map((one) => ({ ...one, rule: 'payload' })))
    },
  }
}

/** What was given and is not in what was made of it, by its path. */
function leftOut(given: unknown, made: unknown, path = ''): string[] {
  if (!isObject(given) || !isObject(made)) return []
  return Object.entries(given).flatMap(([name, value]) => {
    if (value === undefined || value === null) return []
    const place = path === '' ? name : `${path}.${name}`
    return Object.hasOwn(made, name) ? leftOut(value, made[name], place) : [place]
  })
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
