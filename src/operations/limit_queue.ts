import { InvalidInputException } from '../errors.ts'
import type { LimitValue } from '../transport/limits.ts'
import type { Actor } from '../types.ts'
import { ChangeLimit } from './change_limit.ts'
import { answerOf, type QueueAnswer } from './queue_answer.ts'
import { assertQueueKnown, type QueueDependencies } from './queue_views.ts'
import { shown } from '../shown.ts'

/**
 * Sets how many jobs of a queue run at once, until it goes back to what the configuration says.
 */
export class LimitQueue {
  constructor(private dependencies: QueueDependencies) {}

  /**
   * @param value a whole number, null for no limit, `default` for what the configuration says
   * @throws InvalidInputException, E_QUEUE_NOT_FOUND, E_REDIS_UNAVAILABLE
   */
  async handle(name: string, value: unknown, actor: Actor): Promise<QueueAnswer> {
    const { transport } = this.dependencies
    const limit = readLimit(value)
    await assertQueueKnown(transport, name)
    const scope = { kind: 'queue', queue: name } as const
    const changed = await new ChangeLimit(transport).handle(scope, limit, actor)
    return answerOf(this.dependencies, name, changed)
  }
}

/** Forms send texts, and nothing at all for no limit. */
function readLimit(value: unknown): LimitValue | 'default' {
  if (value === 'default') return 'default'
  if (value === null || value === '' || value === 'none') return null
  if (typeof value === 'number') return value
  if (typeof value === 'string' && /^\s*-?\d{1,12}(?:\.\d+)?\s*$/.test(value)) return Number(value)
  throw new InvalidInputException(
    value === undefined
      ? '"limit" is missing: give a whole number, null for no limit, or "default" for what the configuration says'
      : `"${shown(value, 40)}" cannot be a limit: give a whole number, null for no limit, or "default" for what the configuration says`,
    'limit'
  )
}
