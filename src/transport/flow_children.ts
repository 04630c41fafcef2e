import type { Transport } from './transport.ts'
import type { JobPlace } from './keys.ts'

/** How many children Redis knows of a job, and some of them: all where there are few. */
export type FlowChildren = { total: number; some: JobPlace[] }

/**
 * The children of a job in a flow of BullMQ, whether they have ended or not; none where it has no children, or Redis forgot it.
 *
 * @param most children that are named
 * @throws E_REDIS_UNAVAILABLE
 */
export async function flowChildren(
  transport: Transport,
  { queue, id }: JobPlace,
  most: number
): Promise<FlowChildren> {
  const job = transport.keys.job(queue, id)
  const answers = await transport.connections.produce('its children cannot be read', (client) =>
    client
      .pipeline()
      .scard(`${job}:dependencies`)
      .srandmember(`${job}:dependencies`, most)
      .hlen(`${job}:processed`)
      .hrandfield(`${job}:processed`, most)
      .hlen(`${job}:failed`)
      .hrandfield(`${job}:failed`, most)
      .zcard(`${job}:unsuccessful`)
      .zrange(`${job}:unsuccessful`, 0, most - 1)
      .exec()
  )
  const found = new Set<string>()
  let total = 0
  for (const [error, answer] of answers ?? []) {
    if (error) throw error
    if (typeof answer === 'number') total += answer
    else for (const key of (answer as string[] | null) ?? []) found.add(key)
  }
  const ours = [...found].filter((key) => key.startsWith(`${transport.keys.prefix}:`))
  const some = ours.slice(0, most).map((key) => transport.keys.placeOf(key))
  return { total: Math.max(total, found.size), some }
}
