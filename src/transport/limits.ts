import { InvalidInputException } from '../errors.ts'
import { LARGEST_LIMIT } from '../config.ts'
import type { LimitSettings } from '../types.ts'
import type { RedisClient } from './client.ts'
import { metForeignKey } from './foreign_keys.ts'
import { userOf } from './limit_key.ts'
import { assertScope, fieldOf, type LimitScope, fieldsOf, scopeOf } from './limit_scope.ts'
import type { Transport } from './transport.ts'
import { shown } from '../shown.ts'

export type { LimitScope } from './limit_scope.ts'

/** Jobs that may run at once; null is no limit. */
export type LimitValue = number | null

/** One limit as it is now. */
export type LimitState = LimitScope & {
  /** In force; null when none is. */
  limit: LimitValue
  /** What the configuration says. */
  configured: LimitValue
  /** Who set another value at run time, and when (epoch ms). */
  set: { by: string; at: number } | null
  /** Jobs that count against it now; of `user` without a name: of the user who has most. */
  running: number
}

export type LimitsView = {
  limits: LimitState[]
  /** Users who have jobs running, most first. */
  users: { user: string; running: number; limit: LimitValue }[]
  /** Whose jobs are held back, and in which queue. At most a thousand. */
  heldBack: { queue: string; kind: 'user' | 'type'; name: string; jobs: number }[]
  /** Whether `heldBack` is complete. */
  complete: boolean
}

/** Why a waiting job does not run yet. Numbers count jobs. */
export type WaitingReason = {
  kind: 'paused' | 'queue' | 'global' | 'user' | 'type' | 'workers' | 'jobs'
  /** The queue, user or type; empty for `global`, and for `jobs`: it waits for `running` others to end. */
  name: string
  running: number
  /** null where nothing limits. */
  limit: LimitValue
}

const LISTED = 1_000

/**
 * Limits on jobs that run at once, over all processes with one prefix. Every claim reads them, so a change applies at once,
 * also to jobs that are held back.
 */
export class Limits {
  constructor(private transport: Transport) {}

  /**
   * Says what the configuration says. What was set at run time stays in force. Called by every worker at its start.
   *
   * @returns whether anything that is in force has changed
   */
  configure(settings: LimitSettings, client?: RedisClient): Promise<boolean> {
    return this.#change('configure', fieldsOf(settings), client)
  }

  /**
   * Sets one limit until it is reset, over restarts.
   *
   * @param value whole number from 1 to 1,000,000; null lifts the limit: a user with a limit of null has that of every user
   *   no more. To run nothing at all, pause the queue
   * @throws InvalidInputException naming the value, also one that names no user, type or queue
   */
  async set(scope: LimitScope, value: LimitValue, by: string): Promise<boolean> {
    assertScope(scope)
    assertLimit(value)
    return this.#change('set', {
      [fieldOf(scope)]: { value: value ?? false, by, at: Date.now() },
    })
  }

  /** Goes back to what the configuration says. */
  async reset(scope: LimitScope): Promise<boolean> {
    assertScope(scope)
    return this.#change('reset', [fieldOf(scope)])
  }

  /**
   * Repairs what is in force. Where Redis has lost it all, with what was set at run time, the configuration counts again; else
   * what a worker said that started later stays.
   */
  assert(settings: LimitSettings, client?: RedisClient): Promise<boolean> {
    return this.#change('assert', fieldsOf(settings), client)
  }

  /**
   * Repairs lost signals of some queues. Every few seconds by one process: a process that died between two commands of
   * another tool, or an entry that somebody removed, must not hold a job back for ever.
   */
  async sweep(queues: string[], client: RedisClient): Promise<void> {
    const { keys } = this.transport
    for (const queue of queues) {
      const args = [keys.limits, keys.queue(queue)]
      await this.transport.call(client, 'sweep_limits', args).catch((error) => {
        if (!metForeignKey(error)) throw error
      })
    }
  }

  /** Every limit, who runs and whose jobs are held back. */
  async view(): Promise<LimitsView> {
    const { keys } = this.transport
    const [force, configured, overrides, slots, parked, parkedKeys] = (await this.#produce(
      'limits',
      'limits cannot be read',
      [keys.limits, keys.limitsConfigured, keys.limitsSet, keys.prefix, LISTED]
    )) as [string[], string[], string[], string[], (string | number)[], number]
    return describe(
      keys.prefix,
      { force: pairs(force), configured: pairs(configured), overrides: pairs(overrides) },
      slots,
      parked,
      parkedKeys
    )
  }

  /**
   * Why jobs wait, in the order of `jobs`; null for one that does not wait.
   */
  async reasons(jobs: { queue: string; id: string }[]): Promise<(WaitingReason | null)[]> {
    if (jobs.length === 0) return []
    const { keys } = this.transport
    const rows = (await this.#produce('waiting', 'what jobs wait for cannot be read', [
      keys.limits,
      keys.prefix,
      ...jobs.flatMap(({ queue, id }) => [queue, id]),
    ])) as ([] | [WaitingReason['kind'], string, number, number])[]
    return rows.map((row) => {
      if (row.length === 0) return null
      const [kind, name, running, limit] = row
      return {
        kind,
        name: kind === 'user' ? userOf(name) : name,
        running,
        limit: limit === 0 ? null : limit,
      }
    })
  }

  async #change(mode: string, what: unknown, client?: RedisClient): Promise<boolean> {
    const { keys } = this.transport
    const args = [
      keys.limits,
      keys.limitsConfigured,
      keys.limitsSet,
      keys.queues,
      keys.prefix,
      mode,
      JSON.stringify(what),
    ]
    const answer = client
      ? await this.transport.call(client, 'set_limits', args)
      : await this.#produce('set_limits', 'limits were not changed', args)
    return answer === 1
  }

  #produce(script: 'set_limits' | 'limits' | 'waiting', action: string, args: (string | number)[]) {
    return this.transport.connections.produce(action, (client) =>
      this.transport.call(client, script, args)
    )
  }
}

/** @throws InvalidInputException */
export function assertLimit(value: LimitValue): void {
  if (value === null) return
  if (Number.isSafeInteger(value) && value >= 1 && value <= LARGEST_LIMIT) return
  throw new InvalidInputException(
    `"${shown(value, 40)}" cannot be a limit: give a whole number from 1 to ${LARGEST_LIMIT}, or nothing for no limit. To run none at all, pause the queue`,
    'limit'
  )
}

type Stored = {
  force: Map<string, string>
  configured: Map<string, string>
  overrides: Map<string, string>
}

function describe(
  prefix: string,
  { force, configured, overrides }: Stored,
  slots: string[],
  parked: (string | number)[],
  parkedKeys: number
): LimitsView {
  const running = new Map<string, number>()
  const count = (field: string) => running.set(field, (running.get(field) ?? 0) + 1)
  for (let i = 0; i < slots.length; i += 3) {
    const [user, type, jobKey] = slots.slice(i, i + 3)
    count('global')
    if (user !== '') count(`u:${user}`)
    count(`t:${type}`)
    count(`q:${jobKey.slice(prefix.length + 1, jobKey.indexOf(':', prefix.length + 1))}`)
  }
  const users = [...running]
    .filter(([field]) => field.startsWith('u:'))
    .map(([field, jobs]) => ({
      user: userOf(field.slice(2)),
      running: jobs,
      limit: numberOf(force.get(field) ?? force.get('user')),
    }))
    .sort((a, b) => b.running - a.running || a.user.localeCompare(b.user))

  const fields = new Set(['global', 'user', ...configured.keys(), ...overrides.keys()])
  const limits = [...fields].sort().map((field): LimitState => {
    const override = overrides.get(field)
    const set = override && (JSON.parse(override) as { value: LimitValue; by: string; at: number })
    return {
      ...scopeOf(field),
      limit: set ? set.value || null : numberOf(configured.get(field)),
      configured: numberOf(configured.get(field)),
      set: set ? { by: set.by, at: set.at } : null,
      running: field === 'user' ? (users[0]?.running ?? 0) : (running.get(field) ?? 0),
    }
  })

  const heldBack: LimitsView['heldBack'] = []
  for (let i = 0; i < parked.length; i += 2) {
    const member = parked[i] as string
    const bar = member.indexOf(':|', prefix.length + 1) + 1
    const key = member.slice(bar + 1)
    const kind = key.startsWith('u:') ? 'user' : 'type'
    heldBack.push({
      queue: member.slice(prefix.length + 1, bar - 1),
      kind,
      name: kind === 'user' ? userOf(key.slice(2)) : key.slice(2),
      jobs: parked[i + 1] as number,
    })
  }
  return {
    limits,
    users,
    heldBack: heldBack.sort((a, b) => b.jobs - a.jobs),
    complete: parkedKeys <= LISTED,
  }
}

function numberOf(text: string | undefined): LimitValue {
  return Number(text ?? 0) || null
}

function pairs(flat: string[]): Map<string, string> {
  const map = new Map<string, string>()
  for (let i = 0; i < flat.length; i += 2) map.set(flat[i], flat[i + 1])
  return map
}
