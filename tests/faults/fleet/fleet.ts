import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { Redis } from 'ioredis'
import { spawnNode, type AppProcess } from '#tests/helpers/app'
import { uniquePrefix } from '#tests/helpers/unique_prefix'
import { createDatabase, type TestDatabase } from '#tests/helpers/databases'
import { hostClient, keysLike } from '#tests/helpers/redis_address'
import { redisServer } from '#tests/helpers/servers'
import { waitFor } from '#tests/helpers/wait'
import type { Records } from '../../../src/records/records.ts'
import { readMirrorStatus } from '../../../src/mirror/mirror_status.ts'
import { migrate, openRecords } from '../../functional/mirror/records.ts'
import { WorkerLab } from '../../functional/worker/lab.ts'
import { apartOf, Witness } from '../limits/witness.ts'
import { MirrorProcess } from '../mirror/victims.ts'
import { type Behaviour, FLEET_JOBS } from './fleet_jobs.ts'
import { judge, type Verdict } from './verdict.ts'

export const QUEUES = ['one', 'two']
export const USERS = ['ann', 'ben', 'cem', 'dora', 'eve', 'Fünf "Gäste" 100%', 'gil', 'h i']
export const LIMITS = { global: 10, user: 3, types: { heavy: 2, apart: 2 } }

/** Short, so that recovery is quick; long enough that a busy machine keeps it. */
const WORKER = { lease: '2s', grace: '10s', maxLosses: 1_000 }

/** What the gate keeps for good. */
const KEPT = new Set(['limits', 'configured', 'set', 'seq', 'turn'])

/** Score from which on a member of `delayed` is a job that is held back. */
const FAR = 1e16

/** Where a worker seems to run, and by which way it reaches Redis. */
export type Place = { host?: string; clock?: number; address?: string }

export type FleetOptions = {
  database?: Pick<TestDatabase, 'connection'>
  /** One for each worker. Default: three workers on this machine. */
  places?: Place[]
  prefix?: string
  seed?: number
}

/**
 * Worker processes and a mirror that share limits and one Redis, with a witness on a Redis of its own that counts what they do.
 */
export class Fleet {
  readonly lab: WorkerLab
  readonly witness: Witness
  readonly ids: string[] = []
  workers: AppProcess[] = []
  mirror!: MirrorProcess
  records!: Records
  #processes = new Set<AppProcess>()
  #witnessed: Redis
  #random: () => number
  #judged = 0
  #places: Place[] = []

  /**
   * @param address of Redis, as `hostClient` takes it
   */
  static async begin(address: string, options: FleetOptions = {}): Promise<Fleet> {
    const { connection } = options.database ?? (await createDatabase('sqlite'))
    const { url } = await redisServer()
    const fleet = new Fleet(address, url, connection, options)
    await migrate(connection)
    fleet.records = openRecords(connection)
    fleet.startMirror()
    fleet.#places = options.places ?? [{}, {}, {}]
    fleet.workers = await Promise.all(fleet.#places.map((place) => fleet.start(place)))
    await fleet.mirror.ready()
    return fleet
  }

  private constructor(
    readonly address: string,
    private witnessUrl: string,
    private connection: TestDatabase['connection'],
    { prefix = uniquePrefix(), seed = Date.now() % 1_000_000 }: FleetOptions
  ) {
    this.lab = new WorkerLab(address, FLEET_JOBS, WORKER, prefix, {}, LIMITS)
    this.#witnessed = hostClient(witnessUrl)
    this.witness = new Witness(this.#witnessed, this.lab.prefix)
    this.#random = randomBy(seed)
  }

  startMirror(): void {
    const { address: redis, connection } = this
    this.mirror = new MirrorProcess({ redis, prefix: this.lab.prefix, connection })
  }

  /** Starts a worker that stands where this one stood. */
  again(at: number): Promise<AppProcess> {
    return this.start(this.#places[at])
  }

  async start(place: Place = {}): Promise<AppProcess> {
    const options = {
      address: place.address ?? this.address,
      prefix: this.lab.prefix,
      witness: this.witnessUrl,
      limits: LIMITS,
      worker: WORKER,
      settings: { queues: QUEUES, concurrency: 8 },
    }
    const worker = spawnNode(
      [
        '--import=./bin/typescript.js',
        '--import=./tests/faults/fleet/elsewhere.ts',
        'tests/faults/fleet/fleet_process.ts',
        JSON.stringify(options),
      ],
      {
        NODE_ENV: 'test',
        FLEET_HOST: place.host ?? '',
        FLEET_CLOCK: String(place.clock ?? 0),
      }
    )
    this.#processes.add(worker)
    void worker.exited.then(() => this.#processes.delete(worker))
    await waitFor('a worker of the fleet', () => worker.stdout().includes('ready')).catch(
      (error) => {
        throw new Error(`${error.message}\n${worker.output()}`)
      }
    )
    return worker
  }

  /** Kills a worker; what it ran is counted no longer. */
  async kill(worker: AppProcess): Promise<void> {
    const ended = once(worker.child, 'exit')
    worker.child.kill('SIGKILL')
    await ended
    await this.witness.died(worker.pid)
    /** Its processes for isolated jobs hold its streams until they have ended too; what its leases held may run elsewhere by then. */
    await worker.exited
    await this.witness.died(apartOf(worker.pid))
  }

  /** Stops a worker until it gets SIGCONT: nothing of it runs, and its processes for isolated jobs have to see to themselves. */
  async freeze(worker: AppProcess): Promise<void> {
    worker.child.kill('SIGSTOP')
    await waitFor('it to stop', () =>
      / T /.test(readFileSync(`/proc/${worker.pid}/stat`, 'utf8').replace(/^.*\)/s, ''))
    )
    await this.witness.died(worker.pid)
  }

  /**
   * Dispatches jobs of all users over all queues: one in seven of the limited type, one in five fails once or twice.
   *
   * @param ms mean length of a job
   */
  async dispatch(count: number, ms: number, more: Partial<Behaviour> = {}): Promise<string[]> {
    const pick = <T>(list: T[]) => list[Math.floor(this.#random() * list.length)]
    const jobs = Array.from({ length: count }, (_, at) => {
      const user = pick(USERS)
      const failures = at % 5 === 0 ? 1 + (at % 2) : 0
      return {
        type: at % 7 === 0 ? 'heavy' : at % 30 === 1 ? 'apart' : 'light',
        payload: { ms: Math.round(ms * (0.4 + 1.2 * this.#random())), user, failures, ...more },
        options: {
          queue: pick(QUEUES),
          user,
          attempts: 3,
          backoff: { type: 'fixed' as const, delay: 50 },
        },
      }
    })
    const handles = []
    for (let from = 0; from < jobs.length; from += 1_000) {
      handles.push(
        ...(await this.lab.manager.dispatchMany(jobs.slice(from, from + 1_000) as never))
      )
    }
    const ids = handles.map(({ jobId }) => jobId)
    this.ids.push(...ids)
    return ids
  }

  /** How many jobs have ended, as Redis says. */
  async ended(): Promise<number> {
    const depths = await this.lab.transport.depths(QUEUES)
    return QUEUES.reduce((sum, queue) => sum + depths[queue].completed + depths[queue].failed, 0)
  }

  /** How many jobs have not ended, as Redis says. */
  async open(): Promise<number> {
    const depths = await this.lab.transport.depths(QUEUES)
    return QUEUES.reduce((sum, queue) => {
      const { pending, scheduled, running } = depths[queue]
      return sum + pending + scheduled + running
    }, 0)
  }

  /** How far the records are behind, ms; -1 while nobody says. */
  async lag(): Promise<number> {
    const status = await readMirrorStatus(this.lab.transport, this.lab.redis)
    const behind = Object.values(status?.queues ?? {}).map(({ behind: ms }) => ms)
    return behind.length === 0 ? -1 : Math.max(...behind)
  }

  /** How many jobs run on a worker, as the witness sees it. */
  async runs({ pid }: AppProcess): Promise<number> {
    const { witness } = this
    return (await witness.runs(pid)) + (await witness.runs(apartOf(pid)))
  }

  /** Waits until every job that was dispatched has its record. */
  async settled(within: number): Promise<void> {
    await waitFor(
      'all jobs to have ended in the records',
      async () => {
        const { completed, failed, cancelled } = await this.records.reader.counts()
        return completed + failed + cancelled >= this.#judged + this.ids.length
      },
      { within, every: 50 }
    ).catch(async (error) => {
      const counts = JSON.stringify(await this.records.reader.counts())
      const depths = await this.lab.transport.depths(QUEUES).catch((reason) => reason.message)
      const said = this.workers.map((worker) => worker.output().slice(-500)).join('\n')
      throw new Error(`${error.message}: ${counts} ${JSON.stringify(depths)}\n${said}`)
    })
  }

  /** Jobs that are held back although nothing runs. */
  async parked(): Promise<number> {
    const { redis, transport } = this.lab
    const counts = await Promise.all(
      QUEUES.map((queue) => redis.zcount(`${transport.keys.queue(queue)}delayed`, FAR, '+inf'))
    )
    return counts.reduce((sum, count) => sum + count, 0)
  }

  /** What the gate still keeps of jobs; a turn that was handed over and nobody took ends by itself. */
  async leaked(): Promise<string[]> {
    let left: string[] = []
    await waitFor('nothing to be left', async () => {
      const beginning = `${this.lab.prefix}~gate:`
      const keys = await keysLike(this.lab.redis, `${beginning}*`)
      left = keys.map((key) => key.slice(beginning.length)).filter((key) => !KEPT.has(key))
      return left.length === 0
    }).catch(() => {})
    return left
  }

  /** Compares what everybody says of the jobs since the last verdict, once all has settled. */
  async verdict(): Promise<Verdict> {
    const verdict = await judge(this)
    await this.witness.forgetMost()
    this.#judged += this.ids.length
    this.ids.length = 0
    return verdict
  }

  async close(): Promise<void> {
    await Promise.all([...this.#processes].map((one) => one.stop('SIGKILL')))
    await this.mirror.kill()
    await this.records.close()
    await this.lab.close()
    this.#witnessed.disconnect()
  }
}

function randomBy(seed: number) {
  let state = seed
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32
    return state / 2 ** 32
  }
}
