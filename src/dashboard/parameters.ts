import type { HttpContext } from '@adonisjs/core/http'
import { InvalidInputException } from '../errors.ts'
import { shorten } from '../records/query/moments.ts'

/**
 * The parameters of an address that takes these and no others: a filter that is misspelt would let everything through.
 */
export function parametersOf<const Name extends string>(
  { request }: HttpContext,
  names: readonly Name[]
): Partial<Record<Name, unknown>> {
  const given = request.qs()
  const unknown = Object.keys(given).find((name) => !(names as readonly string[]).includes(name))
  if (unknown === undefined) return given as Partial<Record<Name, unknown>>
  const known = names.length === 0 ? 'this address takes none' : `there are ${names.join(', ')}`
  throw new InvalidInputException(
    `No parameter is called "${shorten(unknown)}": ${known}`,
    unknown.slice(0, 60)
  )
}

/**
 * The fields of a body that holds these and no others: whoever misspells "dryRun" would begin what they only meant to ask about.
 * Those that begin with `_` are the framework's.
 */
export function fieldsOf<const Name extends string>(
  { request }: HttpContext,
  names: readonly Name[]
): Partial<Record<Name, unknown>> {
  const given = request.body()
  const unknown = Object.keys(given).find(
    (name) => !name.startsWith('_') && !(names as readonly string[]).includes(name)
  )
  if (unknown === undefined) return given as Partial<Record<Name, unknown>>
  throw new InvalidInputException(
    `"${shorten(unknown)}" is not known. Remove it or use one of: ${names.join(', ')}`,
    unknown.slice(0, 60)
  )
}
