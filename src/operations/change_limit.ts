import { assertScope, scopeText, type LimitScope } from '../transport/limit_scope.ts'
import { assertLimit, type LimitValue } from '../transport/limits.ts'
import type { Transport } from '../transport/transport.ts'
import type { Actor } from '../types.ts'

/**
 * Changes one limit on jobs that run at once.
 */
export class ChangeLimit {
  constructor(private transport: Pick<Transport, 'limits' | 'trail'>) {}

  /**
   * @param value  a whole number from 1, null for no limit, `default` for what the configuration says
   * @returns whether that is new
   * @throws InvalidInputException, E_REDIS_UNAVAILABLE
   */
  async handle(scope: LimitScope, value: LimitValue | 'default', actor: Actor): Promise<boolean> {
    const { limits, trail } = this.transport
    assertScope(scope)
    if (value !== 'default') assertLimit(value)
    return trail.act(
      {
        actor,
        action: 'limit',
        target: { kind: 'limit', id: scopeText(scope) },
        detail: { value },
      },
      () =>
        value === 'default'
          ? limits.reset(scope)
          : limits.set(scope, value, actor.name ?? actor.id),
      (isNew) => (isNew ? {} : { reason: 'It was so already' })
    )
  }
}
