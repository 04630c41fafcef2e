import { randomUUID } from 'node:crypto'
import { cutText } from '../cut_text.ts'
import type { Actor } from '../types.ts'
import type { RedisClient } from './client.ts'
import type { Transport } from './transport.ts'

/** Every action that is in the audit, and how people read it. */
export const AUDIT_ACTIONS = {
  cancel: 'cancel',
  restart: 'restart',
  run_again: 'run again',
  edit_and_run: 'edit and run',
  delete: 'delete',
  priority: 'change priority',
  dispatch: 'add job',
  bulk: 'bulk action',
  stop_bulk: 'stop bulk action',
  pause: 'pause queue',
  resume: 'resume queue',
  drain: 'drain queue',
  limit: 'change limit',
  quiet_worker: 'quiet worker',
  resume_worker: 'resume worker',
  stop_worker: 'stop worker',
  remove_worker: 'remove silent worker',
  cleanup: 'clean up',
  enqueue_again: 'enqueue again',
  create_schedule: 'make schedule',
  change_schedule: 'change schedule',
  pause_schedule: 'pause schedule',
  resume_schedule: 'resume schedule',
  run_schedule: 'run schedule',
  delete_schedule: 'delete schedule',
  acknowledge: 'acknowledge alert',
  mute: 'mute alert',
  unmute: 'unmute alert',
} as const

export type AuditAction = keyof typeof AUDIT_ACTIONS

/** What an action is done to. `id`: a job's record id, a queue's or limit's name, the id of a worker, an alert or an operation. */
export type AuditTarget = {
  kind: 'job' | 'queue' | 'limit' | 'worker' | 'cleanup' | 'bulk' | 'alert' | 'redis' | 'schedule'
  id: string
}

/** `unknown`: it was begun, and its process did not live to tell, or could not reach Redis any more. `failed`: it threw. */
export type AuditOutcome = 'done' | 'requested' | 'too_late' | 'refused' | 'failed' | 'unknown'

/** Who does what to what. `detail` is shown with secrets redacted; give values of arguments, never a payload. */
export type AuditAct = {
  actor: Actor
  action: AuditAction
  target: AuditTarget
  detail?: Record<string, unknown>
}

/** What came of it. */
export type AuditEnd = {
  outcome: AuditOutcome
  reason?: string | null | undefined
  /** Instead of the act's own: a job that was made has its id only now. */
  target?: AuditTarget
  /** Added to the act's own detail. */
  detail?: Record<string, unknown>
}

/** One entry as it stands in Redis until the mirroring process has moved it into the records. */
export type AuditEntry = {
  /** UUID of the action. */
  id: string
  actor: Actor
  action: AuditAction
  target: AuditTarget
  detail: Record<string, unknown>
  outcome: AuditOutcome
  reason: string | null
}

/** An entry with its place in the stream. `at`: epoch ms by Redis' clock. */
export type StoredEntry = { streamId: string; at: number; entry: AuditEntry }

/** Longest text of an actor, a target or a reason, UTF-16 units. */
const LONGEST = 500

/** Largest detail, as JSON text. */
const LARGEST_DETAIL = 4_000

/**
 * The audit's one way in: **every operation that a person or program can ask for goes through `act`** (`transport.trail`),
 * but those on alerts, which change nothing but the records: they are noted there in the same transaction.
 *
 * An action is noted twice, in front of it and behind it, so that none happens without a trace: when its process dies in the middle
 * the audit has it with outcome `unknown`. Both notes are entries of a stream in Redis, because SQL may be away while people act; the
 * mirroring process moves them into the table `queuedeck_audit` and removes them from the stream after its commit (`AuditMover`).
 * Moving an entry twice changes nothing: actions have an id of their own.
 */
export class AuditTrail {
  constructor(private transport: Transport) {}

  /**
   * Does something, with a trace. An answer that has `outcome` (and `reason`) says what came of it; any other means `done`. What
   * `work` throws is noted as `failed`, or `refused` where its status says so, and thrown. Check and permit first: what is refused before anything could happen (a bad value,
   * no right, no such job) is no action.
   *
   * @param tell  What else is worth keeping of the answer.
   * @param id  UUID of the action, where it is known elsewhere too. Default: a new one.
   * @throws E_REDIS_UNAVAILABLE when the beginning cannot be noted: then nothing is done
   */
  async act<Answer>(
    act: AuditAct,
    work: () => Promise<Answer>,
    tell: (answer: Answer) => Partial<AuditEnd> = () => ({}),
    id?: string
  ): Promise<Answer> {
    const entry = await this.begin(act, { id })
    let answer: Answer
    try {
      answer = await work()
    } catch (error) {
      const {
        code,
        message,
        status = 500,
      } = error as Partial<Record<'code' | 'message', string>> & {
        status?: number
      }
      /** Whether it happened all the same is not known, and Redis would not take the note either. */
      if (code !== 'E_REDIS_UNAVAILABLE') {
        const outcome = status < 500 ? 'refused' : 'failed'
        await this.end(entry, { outcome, reason: message ?? String(error) })
      }
      throw error
    }
    await this.end(entry, { ...outcomeOf(answer), ...tell(answer) })
    return answer
  }

  /**
   * Notes that an action begins, for work that ends elsewhere or later than the call: give what it answers to `end`, also from
   * another process.
   *
   * @param id  UUID of the action. Default: a new one
   * @throws E_REDIS_UNAVAILABLE
   */
  async begin(
    { actor, action, target, detail = {} }: AuditAct,
    { id = randomUUID() as string, outcome = 'unknown' as AuditOutcome } = {}
  ): Promise<AuditEntry> {
    const entry = { id, actor, action, target, detail, outcome, reason: null }
    await this.transport.connections.produce(
      `"${AUDIT_ACTIONS[action]}" of ${target.kind} ${target.id} was not begun`,
      (client) => this.#append(client, entry)
    )
    return entry
  }

  /** Notes what came of an action. What was done stays done when Redis goes away meanwhile: the audit then says `unknown`. */
  async end(entry: AuditEntry, end: AuditEnd): Promise<void> {
    const { outcome, reason = null, target = entry.target } = end
    const detail = { ...entry.detail, ...end.detail }
    const ended = { ...entry, outcome, reason, target, detail }
    try {
      await this.transport.connections.produce('what came of it was not noted', (client) =>
        this.#append(client, ended)
      )
    } catch (error) {
      if ((error as { code?: string }).code !== 'E_REDIS_UNAVAILABLE') throw error
    }
  }

  /** The oldest entries that are not in the records yet. Entries that are none of ours are `null`. */
  async waiting(
    most: number,
    client: RedisClient
  ): Promise<(StoredEntry | { streamId: string; entry: null })[]> {
    const { auditTrail } = this.transport.keys
    const rows = await client.xrange(auditTrail, '-', '+', 'COUNT', most)
    return rows.map(([streamId, fields]) => {
      const entry = readEntry(fields[fields.indexOf('entry') + 1])
      return entry ? { streamId, at: Number(streamId.split('-')[0]), entry } : { streamId, entry }
    })
  }

  /** Takes entries off that are in the records. */
  async remove(streamIds: string[], client: RedisClient): Promise<void> {
    if (streamIds.length > 0) await client.xdel(this.transport.keys.auditTrail, ...streamIds)
  }

  #append(client: RedisClient, entry: AuditEntry): Promise<unknown> {
    const { transport } = this
    return transport.call(client, 'note_action', [transport.keys.auditTrail, auditText(entry)])
  }
}

/** An entry as the stream holds it, every part of it at most as long as the records take it. */
export function auditText({ actor, target, reason, detail, ...rest }: AuditEntry): string {
  const { id, name, via, bulk } = actor
  const text = JSON.stringify(detail)
  return JSON.stringify({
    ...rest,
    actor: {
      id: cutText(id, LONGEST),
      ...(name ? { name: cutText(name, LONGEST) } : {}),
      via,
      ...(bulk ? { bulk } : {}),
    },
    target: { kind: target.kind, id: cutText(target.id, LONGEST) },
    reason: reason === null ? null : cutText(reason, LONGEST),
    detail: text.length > LARGEST_DETAIL ? { cut: cutText(text, LARGEST_DETAIL) } : detail,
  })
}

/** What came of an action whose answer has `outcome` (and `reason`); any other means `done`. */
export function outcomeOf(answer: unknown): Pick<AuditEntry, 'outcome' | 'reason'> {
  const { outcome = 'done', reason = null } = (answer ?? {}) as Partial<AuditEnd>
  return { outcome, reason }
}

function readEntry(text: string | undefined): AuditEntry | null {
  try {
    const entry = JSON.parse(text ?? 'null') as AuditEntry | null
    const isEntry =
      typeof entry?.id === 'string' &&
      typeof entry.actor?.id === 'string' &&
      typeof entry.target?.id === 'string'
    return isEntry ? entry : null
  } catch {
    return null
  }
}
