import { setTimeout as pause } from 'node:timers/promises'
import vine from '@vinejs/vine'
import type { Redis } from 'ioredis'
import { Job } from '../../../src/jobs/job.ts'
import type { JobOptions } from '../../../src/types.ts'
import { hostClient } from '#tests/helpers/redis_address'

/**
 * - `url`, `list`: where it is noted what a job does, a line each: `checks`, and then, with the attempt, `begins`, `hears CODE`, `returns`
 * - `checks`: how long the first check of the payload takes, ms
 * - `ms`: how long the code takes, unless its signal is aborted; a deaf one never looks
 */
export type Watched = {
  url: string
  list: string
  checks?: number
  ms: number
  deaf?: boolean
}

let redis: Redis | undefined

function note({ url, list }: Watched, line: string): Promise<number> {
  redis ??= hostClient(url)
  return redis.rpush(list, line)
}

const slowly = vine.createRule(
  async (_value: unknown, _options: undefined, field) => {
    const payload = field.parent as Watched
    if (payload.checks && (await note(payload, 'checks')) === 1) await pause(payload.checks)
  },
  { isAsync: true }
)

/** Tells from outside what it does, and takes its time to get ready. */
export class WatchedJob extends Job<Watched, string> {
  static options: JobOptions = { name: 'watched' }
  static payload = vine.create({
    url: vine.string().use(slowly()),
    list: vine.string(),
    checks: vine.number().optional(),
    ms: vine.number(),
    deaf: vine.boolean().optional(),
  })

  async execute() {
    const { payload, signal } = this
    const say = (line: string) => note(payload, `${line} ${this.attempt}`)
    signal.addEventListener('abort', () => void say(`hears ${signal.reason.code}`))
    await say('begins')
    await pause(payload.ms, undefined, payload.deaf ? {} : { signal })
    await say('returns')
    return `attempt ${this.attempt}`
  }
}

/** The same in a process of its own. */
export class WatchedApart extends WatchedJob {
  static options: JobOptions = { name: 'watched-apart', isolated: true }
}
