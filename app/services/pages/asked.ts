import { Exception } from '@adonisjs/core/exceptions'
import type { HttpContext } from '@adonisjs/core/http'
import { shortened } from './words.ts'

/** Shield's token. */
const TOKEN = '_csrf'

type Named<Name extends string> = Partial<Record<Name, unknown>>

/**
 * What an address asks for or a form sends cannot be used. Told as a page, or to programs in the form of all errors.
 */
export class AskedProblem extends Exception {
  static status = 422
  static code = 'E_INVALID_INPUT'
}

/**
 * The parameters of an address that takes these and no others: one that is misspelt would show something else than what was asked for.
 *
 * @throws AskedProblem
 */
export function parametersOf<const Name extends string>(
  { request }: HttpContext,
  names: readonly Name[]
): Named<Name> {
  return only(request.qs(), names)
}

/**
 * The fields of a form that takes these and no others, none of them in its address.
 *
 * @throws AskedProblem
 */
export function fieldsOf<const Name extends string>(
  { request }: HttpContext,
  names: readonly Name[]
): Named<Name> {
  only(request.qs(), [TOKEN])
  const { [TOKEN]: token, ...fields } = only(request.body(), [TOKEN, ...names])
  return fields as Named<Name>
}

/**
 * The page of a list that an address asks for, from 1; lists grow shorter, so the last one stands in for what lies behind it.
 *
 * @throws AskedProblem
 */
export function pageOf(value: unknown): number {
  if (value === undefined || value === '') return 1
  if (typeof value === 'string' && /^[1-9]\d{0,14}$/.test(value)) return Number(value)
  const said = typeof value === 'string' ? `, not “${shortened(value, 40)}”` : ''
  throw new AskedProblem(`A page is a whole number from 1${said}.`)
}

function only<Name extends string>(given: Record<string, unknown>, names: readonly Name[]) {
  const stranger = Object.keys(given).find((name) => !(names as readonly string[]).includes(name))
  if (stranger === undefined) return given as Named<Name>
  const known = names.filter((name) => name !== TOKEN)
  const remedy = known.length === 0 ? 'leave it out' : `this page takes ${known.join(', ')}`
  throw new AskedProblem(`Nothing is called “${shortened(stranger, 40)}” here: ${remedy}.`)
}
