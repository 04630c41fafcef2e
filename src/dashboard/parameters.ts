import type { HttpContext } from '@adonisjs/core/http'
import { InvalidInputException } from '../errors.ts'
import { parseAsWritten } from '../jobs/payload.ts'
import { DEEPEST_PAYLOAD } from '../jobs/serialise.ts'
import { shorten } from '../records/query/moments.ts'
import { strangerIn } from '../strangers.ts'

type Named<Name extends string> = Partial<Record<Name, unknown>>

/** Shield's token and the method that a form cannot name are for the framework. */
const FRAMEWORK = ['_csrf', '_method']

/** What the framework's reader of bodies makes fields of. */
const READ = ['json', 'urlencoded']

/**
 * The parameters of an address that takes these and no others: a filter that is misspelt would let everything through.
 *
 * @throws InvalidInputException
 */
export function parametersOf<const Name extends string>(
  { request }: HttpContext,
  names: readonly Name[]
): Named<Name> {
  const given = request.qs()
  const stranger = strangerIn(given, names)
  if (stranger === undefined) return given as Named<Name>
  const known =
    names.length === 0 ? 'this address takes none' : `this address takes ${names.join(', ')}`
  throw new InvalidInputException(
    `No parameter is called "${shorten(stranger)}": ${known}`,
    stranger.slice(0, 60)
  )
}

/**
 * The fields of an action that takes these and no others: whoever misspells "dryRun", writes it into the address or sends it as
 * something that nobody reads would begin what they only meant to ask about.
 *
 * @throws InvalidInputException
 */
export function fieldsOf<const Name extends string>(
  ctx: HttpContext,
  names: readonly Name[]
): Named<Name> {
  const given = bodyOf(ctx)
  const stranger = strangerIn(given, names)
  if (stranger === undefined) return given as Named<Name>
  const remedy =
    names.length === 0
      ? 'Remove it: this action takes no fields'
      : `Remove it or use one of: ${names.join(', ')}`
  throw new InvalidInputException(
    `"${shorten(stranger)}" is not known. ${remedy}`,
    stranger.slice(0, 60)
  )
}

/**
 * What an action was sent, for those that know its fields themselves.
 *
 * @throws InvalidInputException where it stands in the address, or could not be read
 */
export function bodyOf({ request }: HttpContext): Record<string, unknown> {
  const stranger = strangerIn(request.qs(), FRAMEWORK)
  if (stranger !== undefined) {
    throw new InvalidInputException(
      `"${shorten(stranger)}" stands in the address, where no action looks: send it in the body`,
      stranger.slice(0, 60)
    )
  }
  assertRead(request)
  const body: unknown = request.body()
  if (typeof body !== 'object' || body === null) {
    throw new InvalidInputException('The request must be an object of fields')
  }
  const fields = { ...body, ...fieldsAsSent(request) }
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !FRAMEWORK.includes(name)))
}

/**
 * The fields of a body of JSON as they were written there. The framework's reader takes spaces and line breaks off the ends of every text,
 * makes null of empty ones where the host says so, leaves out members called `__proto__`, and rounds whole numbers above 2^53, which only
 * payloads may hold.
 */
function fieldsAsSent(request: HttpContext['request']): object {
  const raw = request.is(['json']) === null ? null : request.raw()
  if (!raw) return {}
  try {
    const sent = JSON.parse(raw) as Record<string, unknown>
    return 'payload' in sent
      ? { ...sent, payload: (parseAsWritten(raw) as typeof sent).payload }
      : sent
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new InvalidInputException(
      `The payload is nested too deep: ${DEEPEST_PAYLOAD} levels are the most`,
      'payload'
    )
  }
}

/** Whether a body of forms or JSON: others are left unread, and hosts may leave files and what comes with them unread too. */
function assertRead(request: HttpContext['request']): void {
  if (!request.hasBody() || request.header('content-length') === '0') return
  const isFiles = request.is(['multipart']) !== null
  if (isFiles ? request.multipart?.state === 'success' : request.is(READ) !== null) return
  throw new InvalidInputException(
    `A body of ${shorten(request.header('content-type') ?? 'no named type')} is not read here: send application/json or application/x-www-form-urlencoded`,
    undefined,
    { code: 'E_UNREADABLE_BODY', status: 415 }
  )
}
