import vine, { errors, SimpleMessagesProvider } from '@vinejs/vine'
import type { FieldContext, SchemaTypes } from '@vinejs/vine/types'
import { shortened } from '#services/shortened'

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
  validator.messagesProvider = new WithValues({})
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

/** Text or a number as a message names it; nothing of anything else. */
export function shownValue(value: unknown): string {
  if (typeof value !== 'string' && typeof value !== 'number') return ''
  return shortened(JSON.stringify(value))
}

/** Messages of rules with the whole path of the field and the value that is there; those of our own name both. */
class WithValues extends SimpleMessagesProvider {
  override getMessage(raw: string, rule: string, field: FieldContext, args?: object): string {
    if (!raw.includes('{{ field }}')) return raw
    const named = { ...field, name: field.getFieldPath() } as FieldContext
    const message = super.getMessage(raw, rule, named, args)
    const value = shownValue(field.value)
    if (value === '') return message
    return rule === 'regex' ? `${message}: ${value}` : `${message}, not ${value}`
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
