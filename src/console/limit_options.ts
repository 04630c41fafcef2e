import { LARGEST_LIMIT } from '../config.ts'
import { InvalidInputException } from '../errors.ts'
import { checkName, checkQueueName, checkUser } from '../jobs/names.ts'
import type { LimitScope, LimitValue } from '../transport/limits.ts'
import { scopeText } from '../transport/limit_scope.ts'

/** What `queue:limits` is asked to do to one limit; `default` goes back to the configuration. */
export type LimitChange = { scope: LimitScope; value: LimitValue | 'default' }

export type LimitOptions = {
  global?: string
  user?: string
  userOf?: string[]
  typeOf?: string[]
  queueOf?: string[]
}

/**
 * Reads the options of `queue:limits`, all before anything is changed.
 *
 * @throws InvalidInputException, E_INVALID_OPTION naming option, value and remedy
 */
export function readLimitChanges(options: LimitOptions): LimitChange[] {
  const { global, user, userOf = [], typeOf = [], queueOf = [] } = options
  const changes: LimitChange[] = []
  if (global !== undefined) {
    changes.push({ scope: { kind: 'global' }, value: readValue(global, 'global') })
  }
  if (user !== undefined) changes.push({ scope: { kind: 'user' }, value: readValue(user, 'user') })
  for (const text of userOf) {
    const [name, value] = readPair(text, 'user-of', 'alice')
    changes.push({ scope: { kind: 'user', user: checkUser(name, 'user-of') }, value })
  }
  for (const text of typeOf) {
    const [name, value] = readPair(text, 'type-of', 'reports.build')
    changes.push({ scope: { kind: 'type', type: checkName(name, 'type-of') }, value })
  }
  for (const text of queueOf) {
    const [name, value] = readPair(text, 'queue-of', 'mail')
    changes.push({ scope: { kind: 'queue', queue: checkQueueName(name, 'queue-of') }, value })
  }
  const named = new Set<string>()
  for (const { scope } of changes) {
    const name = scopeText(scope)
    if (named.has(name)) {
      throw new InvalidInputException(
        `The limit of ${name} is given twice: say it once`,
        scope.kind === 'global' ? 'global' : `${scope.kind}-of`
      )
    }
    named.add(name)
  }
  return changes
}

/** A pair and the beginning of another, as other options take lists. */
const SEVERAL = /:(?:\d+|none|default)\s*,/

/** Names may hold colons, numbers do not: the last one parts them. */
function readPair(text: string, option: string, example: string): [string, LimitChange['value']] {
  const colon = text.lastIndexOf(':')
  if (colon < 1) {
    throw new InvalidInputException(
      `"${text.slice(0, 100)}" has to be a name and a limit: --${option}=${example}:5, ${example}:none or ${example}:default`,
      option
    )
  }
  const name = text.slice(0, colon)
  if (SEVERAL.test(name)) {
    throw new InvalidInputException(
      `"${text.slice(0, 100)}" seems to be several limits: give each its own --${option}`,
      option
    )
  }
  return [name, readValue(text.slice(colon + 1), option)]
}

function readValue(text: string, option: string): LimitChange['value'] {
  if (text === 'default') return 'default'
  if (text === 'none') return null
  const value = /^\d{1,9}$/.test(text) ? Number(text) : 0
  if (value >= 1 && value <= LARGEST_LIMIT) return value
  throw new InvalidInputException(
    `"${text.slice(0, 40)}" cannot be a limit: give a whole number from 1 to ${LARGEST_LIMIT}, "none" for no limit, or "default" for what the configuration says. To run none at all, pause the queue`,
    option
  )
}
