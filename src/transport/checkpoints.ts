import type { RedisClient } from './client.ts'
import type { Transport } from './transport.ts'

/** What an attempt keeps: `token` is its lock's, `attempt` BullMQ's `attemptsStarted`; the value as JSON. */
export type NewCheckpoint = { token: string; attempt: number; name: string; json: string }

/** How many checkpoints one job may have, and how many bytes their names and values may have together. */
export type CheckpointLimits = { count: number; bytes: number }

/**
 * What became of one. `refused`: the attempt no longer holds the job, and its code should stop. `many` and `large`: with this one the
 * job's checkpoints would be so many, or have so many bytes; nothing was written.
 */
export type CheckpointAnswer =
  { outcome: 'kept' | 'refused' } | { outcome: 'many' | 'large'; value: number }

/** A job's checkpoints in short: how many there are, their bytes, and the newest by its name and Redis' milliseconds. */
export type CheckpointSummary = { count: number; bytes: number; newest: string; at: number }

/**
 * Checkpoints of running jobs: fields of the job's own hash, which live as long as it does.
 */
export class Checkpoints {
  constructor(private transport: Transport) {}

  /** Keeps one, in the place of an earlier one of its name. */
  async keep(
    queue: string,
    id: string,
    { token, attempt, name, json }: NewCheckpoint,
    limits: CheckpointLimits,
    client: RedisClient = this.transport.connections.worker
  ): Promise<CheckpointAnswer> {
    const { keys } = this.transport
    const [outcome, value] = (await this.transport.call(client, 'checkpoint', [
      keys.job(queue, id),
      keys.lock(queue, id),
      keys.events(queue),
      id,
      token,
      attempt,
      name,
      json,
      limits.count,
      limits.bytes,
    ])) as ['kept' | 'refused'] | ['many' | 'large', number]
    return outcome === 'kept' || outcome === 'refused' ? { outcome } : { outcome, value: value! }
  }

  /** What earlier attempts of the job's run have kept: JSON by name. */
  async read(
    queue: string,
    id: string,
    client: RedisClient = this.transport.connections.worker
  ): Promise<Map<string, string>> {
    const { keys } = this.transport
    const found = (await this.transport.call(client, 'checkpoints', [
      keys.job(queue, id),
    ])) as string[]
    const checkpoints = new Map<string, string>()
    for (let at = 0; at < found.length; at += 2) checkpoints.set(found[at], found[at + 1])
    return checkpoints
  }
}

/**
 * Reads what a job's hash, or an entry of its event stream, says of its checkpoints; null for what our script would not write.
 */
export function readSummary(text: string | null | undefined): CheckpointSummary | null {
  const match = /^(\d{1,9}) (\d{1,15}) (\d{1,15}) (.+)$/s.exec(text ?? '')
  if (!match) return null
  const [, count, bytes, at, newest] = match
  return { count: Number(count), bytes: Number(bytes), newest, at: Number(at) }
}
