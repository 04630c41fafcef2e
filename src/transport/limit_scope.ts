import { InvalidInputException } from '../errors.ts'
import type { LimitSettings } from '../types.ts'
import { isLimitedName, LIMITED_NAME } from '../config.ts'
import { assertQueueName } from './keys.ts'
import { limitKeyOf, userOf } from './limit_key.ts'
import { shown } from '../shown.ts'

/**
 * What a limit is for: all jobs together, each user (unless one has a limit of his own), one user, one type, one queue.
 */
export type LimitScope =
  | { kind: 'global' }
  | { kind: 'user'; user?: string }
  | { kind: 'type'; type: string }
  | { kind: 'queue'; queue: string }

/** Refuses what cannot be limited: nothing would ever count against it. */
export function assertScope(scope: LimitScope): void {
  switch (scope.kind) {
    case 'global':
      return
    case 'user':
      if (scope.user !== undefined) assertName(scope.user, 'user')
      return
    case 'type':
      assertName(scope.type, 'type')
      return
    case 'queue':
      assertQueueName(scope.queue)
      return
    default:
      throw new InvalidInputException(
        `"${shown((scope as { kind: unknown }).kind, 40)}" cannot be limited: give global, user, type or queue`,
        'kind'
      )
  }
}

function assertName(name: unknown, field: 'user' | 'type'): void {
  if (!isLimitedName(name)) {
    throw new InvalidInputException(
      `"${shown(name, 80)}" cannot be a ${field}: give ${LIMITED_NAME}`,
      field
    )
  }
}

/** Limits of a configuration by the fields under which Redis keeps them; 0 is a user who has none. */
export function fieldsOf(settings: LimitSettings): Record<string, number> {
  const fields: Record<string, number> = {}
  if (settings.global !== null) fields.global = settings.global
  if (settings.user !== null) fields.user = settings.user
  for (const [user, limit] of Object.entries(settings.users))
    fields[fieldOf({ kind: 'user', user })] = limit ?? 0
  for (const [type, limit] of Object.entries(settings.types))
    fields[fieldOf({ kind: 'type', type })] = limit
  for (const [queue, limit] of Object.entries(settings.queues))
    fields[fieldOf({ kind: 'queue', queue })] = limit
  return fields
}

/** The field of one limit. */
export function fieldOf(scope: LimitScope): string {
  switch (scope.kind) {
    case 'global':
      return 'global'
    case 'user':
      return scope.user === undefined ? 'user' : `u:${limitKeyOf(scope.user)}`
    case 'type':
      return `t:${scope.type}`
    case 'queue':
      return `q:${scope.queue}`
  }
}

/** What the limit of a field is for. */
export function scopeOf(field: string): LimitScope {
  const name = field.slice(2)
  if (field === 'global' || field === 'user') return { kind: field }
  if (field.startsWith('u:')) return { kind: 'user', user: userOf(name) }
  if (field.startsWith('t:')) return { kind: 'type', type: name }
  return { kind: 'queue', queue: name }
}

/**
 * `global`, `each user`, `user alice`, `type reports.build`, `queue mail`.
 */
export function scopeText(scope: LimitScope): string {
  switch (scope.kind) {
    case 'global':
      return 'global'
    case 'user':
      return scope.user === undefined ? 'each user' : `user ${scope.user}`
    case 'type':
      return `type ${scope.type}`
    case 'queue':
      return `queue ${scope.queue}`
  }
}

/** Whether a configuration limits anything. */
export function limitsAnything(settings: LimitSettings): boolean {
  return Object.keys(fieldsOf(settings)).length > 0
}
