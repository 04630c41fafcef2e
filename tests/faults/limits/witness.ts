import type { Redis } from 'ioredis'

/** Counts who runs, by itself: it knows nothing of the gate. Notes the largest numbers, and every time that one was over its limit. */
const ENTER = `
local p, pid, id, attempt, user, kind = KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local t = redis.call('TIME')
redis.call('RPUSH', p .. 'log', cjson.encode({ 'in', id, attempt, pid, t[1] * 1000 + math.floor(t[2] / 1000), user, kind }))
redis.call('HSET', p .. 'in', id .. ' ' .. attempt .. ' ' .. pid, pid .. '|' .. user .. '|' .. kind)
local n = { all = 0, user = 0, type = 0 }
for _, value in ipairs(redis.call('HVALS', p .. 'in')) do
  local u, k = string.match(value, '^[^|]*|([^|]*)|(.*)$')
  n.all = n.all + 1
  if u == user then n.user = n.user + 1 end
  if k == kind then n.type = n.type + 1 end
end
for what, count in pairs({ all = n.all, ['user ' .. user] = n.user, ['type ' .. kind] = n.type }) do
  if count > tonumber(redis.call('HGET', p .. 'most', what) or 0) then redis.call('HSET', p .. 'most', what, count) end
end`

const LEAVE = `
local p, pid, id, attempt, how = KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local t = redis.call('TIME')
redis.call('RPUSH', p .. 'log', cjson.encode({ 'out', id, attempt, pid, t[1] * 1000 + math.floor(t[2] / 1000), how }))
redis.call('HDEL', p .. 'in', id .. ' ' .. attempt .. ' ' .. pid)`

const DIED = `
for _, field in ipairs(redis.call('HKEYS', KEYS[1] .. 'in')) do
  if string.match(redis.call('HGET', KEYS[1] .. 'in', field), '^[^|]*') == ARGV[1] then redis.call('HDEL', KEYS[1] .. 'in', field) end
end`

/**
 * When the code of one attempt began and ended, epoch ms of Redis; without an end its process died.
 *
 * - `how`: what the code said when it left
 */
export type Stretch = {
  id: string
  attempt: number
  pid: string
  from: number
  to: number | null
  how: string
}

/** The largest numbers of jobs that ever ran at once: all, of one user, of a type. */
export type Most = { all: number; user: number; type: (name: string) => number }

/** As whom a witness knows the processes for isolated jobs of a worker: they may go on for a moment when it does not. */
export const apartOf = (worker: number | string) => `apart of ${worker}`

/**
 * Counts from inside the jobs how many run at once, over all processes.
 */
export class Witness {
  #key: string

  constructor(
    private redis: Redis,
    prefix: string,
    /** Who runs the jobs that this one counts: what `died` is told. */
    private pid: number | string = process.pid
  ) {
    this.#key = `${prefix}witness:`
  }

  async enter(id: string, attempt: number, user: string, type: string): Promise<void> {
    await this.redis.eval(ENTER, 1, this.#key, this.pid, id, attempt, user, type)
  }

  async leave(id: string, attempt: number, how = ''): Promise<void> {
    await this.redis.eval(LEAVE, 1, this.#key, this.pid, id, attempt, how)
  }

  /** A process is dead, or stopped: nothing of it runs any more. What it still said is heard before. */
  async died(pid: number | string): Promise<void> {
    await this.redis.ping()
    await this.redis.eval(DIED, 1, this.#key, pid)
  }

  running(): Promise<number> {
    return this.redis.hlen(`${this.#key}in`)
  }

  /** How many jobs run in one process. */
  async runs(pid: number | string): Promise<number> {
    const values = await this.redis.hvals(`${this.#key}in`)
    return values.filter((value) => value.startsWith(`${pid}|`)).length
  }

  async most(): Promise<Most> {
    return mostOf(Object.entries(await this.redis.hgetall(`${this.#key}most`)))
  }

  /**
   * Of these jobs alone: where Redis forgot, others may have been claimed before and begin after.
   */
  async mostOf(ids: string[]): Promise<Most> {
    const running = new Map<string, number>()
    const most = new Map<string, number>()
    const entered = new Map<string, string[]>()
    for (const [what, id, attempt, pid, , user, type] of await this.#log()) {
      if (!ids.includes(id)) continue
      const run = `${id} ${attempt} ${pid}`
      if (what === 'in') entered.set(run, ['all', `user ${user}`, `type ${type}`])
      for (const name of entered.get(run)!) {
        const now = (running.get(name) ?? 0) + (what === 'in' ? 1 : -1)
        running.set(name, now)
        most.set(name, Math.max(now, most.get(name) ?? 0))
      }
    }
    return mostOf([...most])
  }

  /** Begins to note the largest numbers anew. */
  async forgetMost(): Promise<void> {
    await this.redis.del(`${this.#key}most`)
  }

  async stretches(): Promise<Stretch[]> {
    const stretches = new Map<string, Stretch>()
    for (const [what, id, attempt, pid, at, how = ''] of await this.#log()) {
      const key = `${id} ${attempt} ${pid}`
      if (what === 'in')
        stretches.set(key, { id, attempt: Number(attempt), pid, from: at, to: null, how: '' })
      else Object.assign(stretches.get(key)!, { to: at, how })
    }
    return [...stretches.values()]
  }

  /** Behind the moment stand user and type of one that begins, and how one ended. */
  async #log() {
    const lines = await this.redis.lrange(`${this.#key}log`, 0, -1)
    return lines.map((line) => JSON.parse(line) as LogLine)
  }
}

type LogLine = [
  what: 'in' | 'out',
  id: string,
  attempt: string,
  pid: string,
  at: number,
  userOrHow?: string,
  type?: string,
]

function mostOf(counts: [name: string, count: number | string][]): Most {
  const most = new Map(counts.map(([name, count]) => [name, Number(count)]))
  const users = [...most].filter(([name]) => name.startsWith('user '))
  return {
    all: most.get('all') ?? 0,
    user: Math.max(0, ...users.map(([, count]) => count)),
    type: (name) => most.get(`type ${name}`) ?? 0,
  }
}
