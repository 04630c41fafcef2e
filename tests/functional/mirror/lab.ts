import { randomBytes, randomUUID } from 'node:crypto'
import { Queue, Worker, type Job, type WorkerOptions } from 'bullmq'
import type { Redis } from 'ioredis'
import { serverId } from '../../../src/mirror/continuity.ts'
import { START } from '../../../src/mirror/entries.ts'
import { MirrorService, type MirrorServiceOptions } from '../../../src/mirror/mirror_service.ts'
import type { MirrorWriter } from '../../../src/mirror/ports.ts'
import { readMirrorStatus, type MirrorStatus } from '../../../src/mirror/mirror_status.ts'
import type { Notes } from '../../../src/mirror/position.ts'
import { Connections } from '../../../src/transport/connections.ts'
import { Transport } from '../../../src/transport/transport.ts'
import type { NewTransportJob } from '../../../src/transport/types.ts'
import { hostClient } from '#tests/helpers/redis_address'
import { transportJob } from '#tests/helpers/transport_job'
import { waitFor } from '#tests/helpers/wait'

export type LabRecords = { ready(): Promise<void>; writer: MirrorWriter }

/** What a job's code may do. */
export type Tools = {
  job: Job
  attempt: number
  progress(percent: number, stage?: string): Promise<boolean>
  log(text: string): Promise<boolean>
}

export const silent = { debug() {}, info() {}, warn() {}, error() {} }

/**
 * A transport with a prefix of its own on some Redis, with workers and mirrors as a test asks for them.
 */
export class Lab {
  readonly redis: Redis
  readonly connections: Connections
  readonly transport: Transport
  #workers: Worker[] = []
  #services: MirrorService[] = []
  #queues = new Map<string, Queue>()

  constructor(url: string, prefix = `{lab${randomBytes(4).toString('hex')}}`) {
    this.redis = hostClient(url)
    this.connections = new Connections(() => ({ ioConnection: this.redis }) as never)
    this.transport = new Transport(this.connections, { prefix })
  }

  job(
    queue: string,
    opts: Partial<NewTransportJob['opts']> = {},
    rest: Partial<NewTransportJob> = {}
  ): NewTransportJob {
    return transportJob(opts, { queue, ...rest })
  }

  async add(
    queue: string,
    opts: Partial<NewTransportJob['opts']> = {},
    rest: Partial<NewTransportJob> = {}
  ) {
    const job = this.job(queue, opts, rest)
    await this.transport.add([job])
    return job.id
  }

  /** Mirrors into these records until the lab closes. */
  mirror(records: LabRecords, options: Partial<MirrorServiceOptions> = {}): MirrorService {
    const service = new MirrorService({
      transport: this.transport,
      records,
      config: { queues: [], kept: { completed: 86_400_000, cancelled: 7_200_000 } },
      logger: silent,
      dedicated: true,
      ...options,
    })
    this.#services.push(service)
    service.start()
    return service
  }

  worker(
    queue: string,
    code: (tools: Tools) => unknown,
    options: Partial<WorkerOptions> = {}
  ): Worker {
    const { transport } = this
    const worker = new Worker(
      queue,
      async (job, token) => {
        const attempt = job.attemptsStarted
        const report = (what: object) =>
          transport.report(queue, job.id!, { token: token!, attempt, name: randomUUID(), ...what })
        return code({
          job,
          attempt,
          progress: (percent, stage) =>
            report({ progress: { percent, ...(stage ? { stage } : {}) } }),
          log: (text) => report({ log: [[Date.now(), 30, text]] }),
        })
      },
      {
        connection: this.connections.worker as never,
        prefix: transport.keys.prefix,
        name: `lab:${process.pid}:w`,
        drainDelay: 1,
        ...options,
      },
      transport.backendFactory
    )
    /** Its tokens begin with this, as a worker's of ours do: such a job can be cancelled while it runs. */
    Object.assign(worker, { id: `lab:${process.pid}:00000000` })
    worker.on('error', () => {})
    this.#workers.push(worker)
    return worker
  }

  /** BullMQ's own queue, with our scripts below. */
  queue(name: string): Queue {
    const { transport, connections } = this
    const options = { connection: connections.worker as never, prefix: transport.keys.prefix }
    const queue =
      this.#queues.get(name) ?? new Queue(name, options, transport.backendFactory as never)
    if (!this.#queues.has(name)) queue.on('error', () => {})
    this.#queues.set(name, queue)
    return queue
  }

  /** The mirror's report once all that Redis told is in the records and no audit is due. */
  async mirrored(within = 60_000): Promise<MirrorStatus> {
    const asked = await this.transport.time(this.redis)
    return waitFor(
      'the mirror to have written everything',
      async () => {
        const status = await readMirrorStatus(this.transport, this.redis)
        if (!status || status.at < asked) return false
        const names = await this.transport.queueNames(this.redis)
        const isDone = names.every((name) => {
          const queue = status.queues[name]
          return queue && queue.behind === 0 && queue.audit === null
        })
        return isDone && status
      },
      { within, every: 50 }
    )
  }

  /**
   * Waits until records hold all that these queues tell, also after Redis was restarted or lost something: their cursors say so
   * themselves, without the pause between two reports.
   */
  async written({ writer }: LabRecords, queues: string[], within = 60_000): Promise<void> {
    await waitFor(
      'the records to hold everything',
      async () => {
        const server = await serverId(this.redis)
        const ends = await Promise.all(queues.map((queue) => this.#lastEntry(queue)))
        const cursors = await writer.cursors(queues)
        return queues.every((queue, index) => {
          const cursor = cursors.get(queue)!
          const { audit, missing } = JSON.parse(cursor.notes ?? '{}') as Notes
          const isReached = cursor.lastId === ends[index] || missing?.last === ends[index]
          return isReached && !audit && cursor.server === server
        })
      },
      { within }
    )
  }

  /** The newest id that a queue's stream ever gave. */
  async #lastEntry(queue: string): Promise<string> {
    const key = this.transport.keys.events(queue)
    if ((await this.redis.exists(key)) === 0) return START
    const facts = (await this.redis.xinfo('STREAM', key)) as unknown[]
    return String(facts[facts.indexOf('last-generated-id') + 1])
  }

  async stopMirrors(): Promise<void> {
    await Promise.all(this.#services.splice(0).map((service) => service.stop()))
  }

  async stopWorkers(): Promise<void> {
    const stop = (worker: Worker) => {
      void stayClosed(worker)
      return worker.close(true).catch(() => {})
    }
    await Promise.all(this.#workers.splice(0).map(stop))
  }

  async close(): Promise<void> {
    await this.stopMirrors()
    await this.stopWorkers()
    await Promise.all([...this.#queues.values()].map((queue) => queue.close().catch(() => {})))
    await this.connections.closeAll()
    this.redis.disconnect()
  }
}

/**
 * When the event loop was busy for seconds, BullMQ's watchdog resets the connection that a worker waits on; one that is closed meanwhile is
 * connected again, and stays for ever with nobody who hears its errors.
 */
async function stayClosed(worker: Worker): Promise<void> {
  const { backend } = worker as unknown as { backend: { blockingClient: Promise<Redis> } }
  const client = await backend.blockingClient
  client.on('error', () => {})
  client.on('connecting', () => client.disconnect())
}
