/**
 * Redis, not SQL, was what failed.
 */
export class RedisFailure extends Error {}

export function fromRedis<T>(answer: Promise<T>): Promise<T> {
  return answer.catch((error) => {
    throw new RedisFailure(error.message, { cause: error })
  })
}

/**
 * Since when something is away, and what it answered last: what pages say about Redis and SQL.
 */
export class Outage {
  since: number | null = null
  error: string | null = null

  failed(error: unknown, now: number = Date.now()): boolean {
    const isNew = this.since === null
    this.since ??= now
    this.error = error instanceof Error ? error.message || error.name : String(error)
    return isNew
  }

  recovered(): boolean {
    const wasAway = this.since !== null
    this.since = null
    this.error = null
    return wasAway
  }

  toJSON(): { since: number | null; error: string | null } {
    return { since: this.since, error: this.error }
  }
}
